"""Buckets, and the resources that say something about them."""

from __future__ import annotations

from policies.rule import Resource, Stack

BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
NAMES = ("bucket", "id", "arn")


def about(stack: Stack, bucket: Resource, types: tuple[str, ...]) -> list[Resource]:
    """The resources of these types that are, or may be, about a bucket."""
    return [resource for resource in stack.of(*types) if stack.covers(resource, "bucket", bucket, NAMES)]
