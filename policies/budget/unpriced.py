"""The rule `unpriced-resources`: what the price book cannot price is said, and never taken for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from policies.budget.pricing import priced
from policies.rule import Context, Example, Finding, Rule, Stack, resource


def check(stack: Stack, context: Context) -> Iterator[Finding]:
    """A finding for each resource without a price."""
    for cost in priced(stack, context):
        if not cost.whole:
            refresh = f"shoestring prices refresh --region {context.region}"
            lines = [
                f"{cost.name} ({cost.type}) has no price: {cost.reason}",
                "  cost: unknown, and in no budget",
                "  change: " + (f"{refresh}, or another type" if refresh in cost.reason else "another type"),
            ]
            yield Finding("price", None, lines[2], resource=stack.by_urn.get(cost.urn), said="\n".join(lines))


UNPRICED_RESOURCES = Rule(
    name="unpriced-resources",
    group="budget",
    level="advisory",
    description="Every resource has a price, or is known to be free.",
    why="A budget that leaves something out is no budget: what is listed here comes on top of every estimate.",
    change="Refresh the price book for the region, or choose a type that it knows.",
    check_stack=check,
    fails=Example(
        (resource("aws:ec2/instance:Instance", "server", ami="ami-0abcdef1234567890", instanceType="z9.huge"),)
    ),
    passes=Example(
        (resource("aws:ec2/instance:Instance", "server", ami="ami-0abcdef1234567890", instanceType="t4g.nano"),)
    ),
)
