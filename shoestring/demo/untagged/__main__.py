"""What nobody should deploy: a bucket that no one pays for."""

from pulumi_aws.s3.bucket import Bucket

Bucket("nobodys-bucket")
