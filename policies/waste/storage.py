"""The rule `bucket-lifecycle`: buckets forget what nobody needs."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Context, Example, Finding, Resource, Rule, Stack, resource
from policies.values import UNKNOWN, at

BUCKETS = ("aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2")
LIFECYCLES = (
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
)
NAMES = ("bucket", "id", "arn")


def about(stack: Stack, bucket: Resource, types: tuple[str, ...]) -> list[Resource]:
    """The resources of these types that are, or may be, about a bucket."""
    return [one for one in stack.of(*types) if stack.covers(one, "bucket", bucket, NAMES)]


def check(stack: Stack, context: Context) -> Iterator[Finding]:
    """A finding for each bucket without a rule that ends something."""
    for bucket in stack.of(*BUCKETS):
        own = at(bucket.props, "lifecycleRules")
        if own is UNKNOWN or own or about(stack, bucket, LIFECYCLES):
            continue
        price = context.price("s3", "standard-storage", bucket.region)
        cost = f"{price.usd.normalize():f} $ a month for each GB, " if price else ""
        yield Finding(
            "lifecycle", None,
            "a BucketLifecycleConfiguration for it: expire what is old, noncurrent versions and unfinished uploads",
            f"{cost}of every object, every old version and every broken upload, for ever", bucket,
        )  # fmt: skip


BUCKET_LIFECYCLE = Rule(
    name="bucket-lifecycle",
    group="waste",
    description="Every bucket has lifecycle rules.",
    why="Checkpoints, old versions and unfinished uploads are the largest objects of machine learning and the least "
    "looked at: 100 GB of them cost {s3 standard-storage x100} a month, every month, and grow.",
    change="Add a BucketLifecycleConfiguration that expires them.",
    check_stack=check,
    fails=Example((resource(BUCKETS[0], "models", bucket="models"),)),
    passes=Example(
        (
            resource(BUCKETS[0], "models", bucket="models"),
            resource(
                LIFECYCLES[0], "models-lifecycle", needs={"bucket": "models"},
                rules=[{"id": "old", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 90}}],
            ),
        )
    ),
)  # fmt: skip
