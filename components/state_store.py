"""The one bucket of an environment."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws.s3.bucket import Bucket
from pulumi_aws.s3.bucket_lifecycle_configuration import BucketLifecycleConfiguration
from pulumi_aws.s3.bucket_policy import BucketPolicy
from pulumi_aws.s3.bucket_public_access_block import BucketPublicAccessBlock
from pulumi_aws.s3.bucket_server_side_encryption_configuration import BucketServerSideEncryptionConfiguration
from pulumi_aws.s3.bucket_versioning import BucketVersioning

from components import policies
from components.money import PricedComponent

NONCURRENT_DAYS = 30  # how long an overwritten or deleted object can be brought back
UPLOAD_DAYS = 3  # unfinished multipart uploads are paid for and shown nowhere


@dataclass(frozen=True)
class StateStoreArgs:
    """What a StateStore is made of."""

    bucket: pulumi.Input[str]
    """Name of the bucket, unique in all of AWS."""
    checkpoint_days: int = 14
    """Days until a checkpoint expires. Checkpoints are the largest objects here, and billed by GB and month."""
    force_destroy: bool = True
    """Whether a destroy deletes what is in the bucket; without it, the destroy of a bucket with objects in it fails."""
    keep: bool = False
    """Whether the bucket is protected from deletion and stays behind even when it leaves the program."""


class StateStore(PricedComponent):
    """A versioned, encrypted, private bucket that is reached over TLS only, and forgets what nobody needs.

    Produces the bucket and its versioning, encryption, public access block, policy and lifecycle.

    Billed by use alone: each GB that lies in it, and requests. An idle platform holds some 0.2 GB (package, model,
    backups).
    """

    bucket: pulumi.Output[str]
    """Name of the bucket, known once encryption and public access block are in place."""

    def __init__(self, name: str, args: StateStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shoestring:state:StateStore", name, opts)
        child = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, protect=args.keep, retain_on_delete=args.keep)
        bucket = Bucket(name, bucket=args.bucket, force_destroy=args.force_destroy, opts=kept)
        BucketVersioning(name, bucket=bucket.bucket, versioning_configuration={"status": "Enabled"}, opts=child)
        encryption = BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=child,
        )
        private = BucketPublicAccessBlock(
            name,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        BucketPolicy(name, bucket=bucket.bucket, policy=bucket.bucket.apply(policies.tls_only), opts=child)
        BucketLifecycleConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                {
                    "id": "checkpoints",
                    "status": "Enabled",
                    "filter": {"prefix": "checkpoints/"},
                    "expiration": {"days": args.checkpoint_days},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                },
                {  # 150 MB of packages, put there by each window and taken away by its destroy
                    "id": "wheels",
                    "status": "Enabled",
                    "filter": {"prefix": "wheels/"},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                },
                {  # a backup each minute while somebody trains
                    "id": "backups",
                    "status": "Enabled",
                    "filter": {"prefix": "mlflow/"},
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
            opts=child,
        )
        # Whoever uses the bucket by this name waits until it is safe to use.
        self.bucket = pulumi.Output.all(bucket.bucket, encryption.id, private.id).apply(lambda parts: parts[0])
        self.register_outputs({"bucket": self.bucket})
