"""The rule `deletion-protection`: in prod, no slip of the hand takes the state away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Finding, Resource, Rule, resource
from policies.values import UNKNOWN, at, off, on, snake, text
from policies.waste.storage import BUCKETS

FLAGS = {  # property → what it must be
    **dict.fromkeys(BUCKETS, (("forceDestroy", False),)),
    "aws:rds/instance:Instance": (("deletionProtection", True), ("skipFinalSnapshot", False)),
    "aws:rds/cluster:Cluster": (("deletionProtection", True), ("skipFinalSnapshot", False)),
    "aws:dynamodb/table:Table": (("deletionProtectionEnabled", True),),
    "aws:efs/fileSystem:FileSystem": (),
}
LOST = "what was learned: data, models and runs, which cost more to make again than to keep"


def check(found: Resource, context: Context) -> Iterator[Finding]:
    """Findings for what would let a destroy, or a replacement, take the state with it."""
    if context.environment not in context.config["environments"] or context.window:
        return
    if found.type == "aws:rds/instance:Instance" and text(at(found.props, "replicateSourceDb")):
        return
    if not found.protect:
        yield Finding("opts.protect", False, "opts=pulumi.ResourceOptions(protect=True)", LOST)
    for flag, wanted in FLAGS[found.type]:
        value = at(found.props, flag)
        if value is not UNKNOWN and (off(value) if wanted else on(value)):
            yield Finding(snake(flag), value, f"{snake(flag)}={wanted}", LOST)


def _bucket(protect: bool, **props: Any) -> Resource:
    return resource(BUCKETS[0], "models", protect=protect, bucket="models", **props)


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
