"""The rule `bucket-lifecycle`: buckets forget what nobody needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.money import rate
from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.shapes.buckets import BUCKETS, about
from policies.values import UNKNOWN, at, items

LIFECYCLES = (
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
)


def check(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each bucket without a rule that ends something."""
    for bucket in stack.of(*BUCKETS):
        if _works(bucket, "lifecycleRules") or any(
            _works(lifecycle, "rules") for lifecycle in about(stack, bucket, LIFECYCLES)
        ):
            continue
        price = rate(bucket, context, "standard-storage")
        yield Violation(
            "lifecycle", None,
            "a BucketLifecycleConfiguration for it: expire what is old, noncurrent versions and unfinished uploads",
            f"{price + ', ' if price else ''}of every object, every old version and every broken upload, for ever",
            bucket,
        )  # fmt: skip


def _works(resource: Resource, prop: str) -> bool:
    """Whether one of the rules is switched on; what is unknown may be."""
    rules = at(resource.props, prop)
    return rules is UNKNOWN or any(rule is UNKNOWN or not _disabled(rule) for rule in items(rules))


def _disabled(rule: Any) -> bool:
    return at(rule, "status") == "Disabled" or at(rule, "enabled") is False


BUCKET_LIFECYCLE = Rule(
    name="bucket-lifecycle",
    group="waste",
    description="Every bucket has lifecycle rules.",
    why="Checkpoints, old versions and unfinished uploads are the largest objects of machine learning and the least "
    "looked at: 100 GB of them cost {s3 standard-storage x100} a month, every month, and grow.",
    change="Add a BucketLifecycleConfiguration that expires them.",
    check_stack=check,
    fails=Example((declare(BUCKETS[0], "models", bucket="models"),)),
    passes=Example(
        (
            declare(BUCKETS[0], "models", bucket="models"),
            declare(
                LIFECYCLES[0], "models-lifecycle", needs={"bucket": "models"},
                rules=[{"id": "old", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 90}}],
            ),
        )
    ),
)  # fmt: skip
