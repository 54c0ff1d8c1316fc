"""The rule `unpriced-resources`: what the price book cannot price is said, and never taken for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from costs.amounts import dollars
from policies.money import of_stack
from policies.rule import Context, Example, Rule, Stack, Violation, declare

COMMAND = "shoestring prices refresh"


def check(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each resource without a price, or without one of its prices."""
    for cost in of_stack(stack, context):
        if cost.whole:
            continue
        part = f"at least {dollars(cost.monthly.low)} a month, which budgets count" if cost.charges else ""
        # The reason names the command where that may bring the price.
        refresh = f"{COMMAND} --region {context.region}, or " if COMMAND in cost.reason else ""
        lines = [
            f"{cost.name} ({cost.type}) has no {'whole ' * bool(cost.charges)}price: {cost.reason}",
            f"  cost: {part or 'unknown, and in no budget'}",
            f"  change: {refresh}a type that the price book knows, or count it beside the plan",
        ]
        resource = stack.by_urn.get(cost.urn)
        yield Violation("price", None, lines[2], resource=resource, message="\n".join(lines))


UNPRICED_RESOURCES = Rule(
    name="unpriced-resources",
    group="budget",
    level="advisory",
    description="Every resource has a price, or is known to be free.",
    why="A budget that leaves something out is no budget: what is listed here comes on top of every estimate.",
    change="Choose a type that the price book knows, or count it beside the plan. Where the message names a command, "
    "that may bring the price.",
    check_stack=check,
    fails=Example(
        (declare("aws:ec2/instance:Instance", "server", ami="ami-0abcdef1234567890", instanceType="z9.huge"),)
    ),
    passes=Example(
        (declare("aws:ec2/instance:Instance", "server", ami="ami-0abcdef1234567890", instanceType="t4g.nano"),)
    ),
)
