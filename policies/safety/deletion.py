"""The rule `deletion-protection`: in prod, no slip of the hand takes the state away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.buckets import BUCKETS
from policies.values import UNKNOWN, at, off, on, snake

DATABASE = "aws:rds/instance:Instance"
PROTECTED = (("deletionProtection", True), ("skipFinalSnapshot", False))
FLAGS: dict[str, tuple[tuple[str, bool], ...]] = {  # properties, and what they must be
    **dict.fromkeys(BUCKETS, (("forceDestroy", False),)),
    DATABASE: PROTECTED,
    "aws:rds/cluster:Cluster": PROTECTED,
    "aws:docdb/cluster:Cluster": PROTECTED,
    "aws:neptune/cluster:Cluster": PROTECTED,
    "aws:redshift/cluster:Cluster": (("skipFinalSnapshot", False),),
    "aws:dynamodb/table:Table": (("deletionProtectionEnabled", True),),
    "aws:efs/fileSystem:FileSystem": (),
}
LOST = "what was learned: data, models and runs, which cost more to make again than to keep"


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """Violations for what would let a destroy, or a replacement, take the state with it."""
    if context.environment not in context.config["environments"] or context.window:
        return
    if resource.type == DATABASE and at(resource.props, "replicateSourceDb"):
        return  # it can be made again from its source
    if not resource.protect:
        yield Violation("opts.protect", False, "opts=pulumi.ResourceOptions(protect=True)", LOST)
    for flag, wanted in FLAGS[resource.type]:
        value = at(resource.props, flag)
        if value is not UNKNOWN and (off(value) if wanted else on(value)):
            yield Violation(snake(flag), value, f"{snake(flag)}={wanted}", LOST)


def _bucket(protect: bool, **props: Any) -> Resource:
    return declare(BUCKETS[0], "models", protect=protect, bucket="models", **props)


DELETION_PROTECTION = Rule(
    name="deletion-protection",
    group="safety",
    description="State in prod is protected from deletion.",
    why="A renamed resource is a deleted one to Pulumi: without protection it takes every model and run with it.",
    change="Set protect, deletion_protection and a final snapshot; no force_destroy.",
    types=tuple(FLAGS),
    config={
        "environments": {
            "type": "array", "items": {"type": "string"}, "default": ["prod", "production"],
            "description": "Environments whose state is protected.",
        }
    },
    check=check,
    fails=Example((_bucket(False, forceDestroy=True),), stack="prod"),
    passes=Example((_bucket(True),), stack="prod"),
)  # fmt: skip
