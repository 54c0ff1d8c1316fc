"""The one bucket of an environment."""

from __future__ import annotations

from typing import ClassVar

import pulumi
from pulumi_aws.s3.bucket import Bucket
from pulumi_aws.s3.bucket_lifecycle_configuration import BucketLifecycleConfiguration
from pulumi_aws.s3.bucket_policy import BucketPolicy
from pulumi_aws.s3.bucket_public_access_block import BucketPublicAccessBlock
from pulumi_aws.s3.bucket_server_side_encryption_configuration import BucketServerSideEncryptionConfiguration
from pulumi_aws.s3.bucket_versioning import BucketVersioning

from components import iam
from components.arguments import Bucket as BucketName
from components.arguments import arguments
from components.base import Component
from components.bounds import CheckpointDays
from shoestring.base import names

NONCURRENT_DAYS = 30  # how long an overwritten or deleted object can be brought back
UPLOAD_DAYS = 3  # unfinished multipart uploads are paid for and shown nowhere


@arguments
class StateStoreArgs:
    """What a StateStore is made of."""

    bucket: BucketName
    """Name of the bucket, unique in all of AWS."""
    checkpoint_days: CheckpointDays = 14
    """Days until a checkpoint expires. Checkpoints are the largest objects here, and billed by GB and month."""
    force_destroy: bool = True
    """Whether a destroy deletes what is in the bucket; without it, the destroy of a bucket with objects in it fails."""
    keep: bool = False
    """Whether the bucket is protected from deletion and stays behind even when it leaves the program."""


class StateStore(Component[StateStoreArgs]):
    """A versioned, encrypted, private bucket that is reached over TLS only, and forgets what nobody needs.

    Produces the bucket and its versioning, encryption, public access block, policy and lifecycle.

    Billed by use alone: each GB that lies in it, and requests. An idle platform holds some 0.2 GB (package, model,
    backups).
    """

    token = "shoestring:state:StateStore"
    children: ClassVar = {
        "bucket": "aws:s3/bucket:Bucket",
        "versioning": "aws:s3/bucketVersioning:BucketVersioning",
        "encryption": "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "public_access_block": "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "policy": "aws:s3/bucketPolicy:BucketPolicy",
        "lifecycle": "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    }

    bucket: pulumi.Output[str]
    """Name of the bucket, known once encryption and public access block are in place."""

    def build(self, name: str, args: StateStoreArgs) -> None:
        bucket = Bucket(
            name,
            bucket=args.bucket,
            force_destroy=args.force_destroy,
            opts=self.child("bucket", protect=args.keep, retain_on_delete=args.keep),
        )
        BucketVersioning(
            name,
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self.child("versioning"),
        )
        encryption = BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self.child("encryption"),
        )
        private = BucketPublicAccessBlock(
            name,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child("public_access_block"),
        )
        BucketPolicy(name, bucket=bucket.bucket, policy=bucket.bucket.apply(iam.tls_only), opts=self.child("policy"))
        BucketLifecycleConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                {
                    "id": "checkpoints",
                    "status": "Enabled",
                    "filter": {"prefix": names.CHECKPOINTS},
                    "expiration": {"days": args.checkpoint_days},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                },
                {  # 150 MB of packages, put there by each window and taken away by its destroy
                    "id": "wheels",
                    "status": "Enabled",
                    "filter": {"prefix": names.WHEELS},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                },
                {  # a backup each minute while somebody trains
                    "id": "backups",
                    "status": "Enabled",
                    "filter": {"prefix": names.MLFLOW},
                    "noncurrent_version_expiration": {"noncurrent_days": 1, "newer_noncurrent_versions": 10},
                },
                {
                    "id": "everything",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": NONCURRENT_DAYS},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": UPLOAD_DAYS},
                },
            ],
            opts=self.child("lifecycle"),
        )
        # Whoever uses the bucket by this name waits until it is safe to use.
        self.bucket = pulumi.Output.all(bucket.bucket, encryption.id, private.id).apply(lambda parts: parts[0])
