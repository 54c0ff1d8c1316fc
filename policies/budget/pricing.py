"""A plan's costs for the rules of this group: priced once for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from policies.rule import Context, Resource, Stack, usd
from policies.values import at, number

LARGEST = 3  # how many resources a message names


def priced(stack: Stack, context: Context) -> list[ResourceCost]:
    """What each resource of the plan costs."""
    if stack.costs is None:
        stack.costs = price_resources(
            [resource.planned() for resource in stack.resources], context.region, context.prices,
            config=context.settings, now=context.now,
        )  # fmt: skip
    return stack.costs


def monthly(costs: Sequence[ResourceCost]) -> Decimal:
    """Dollars in a month at most: of a range, the upper end counts."""
    return sum((cost.monthly.high for cost in costs), Decimal(0))


def runs(costs: Sequence[ResourceCost]) -> Decimal:
    """Dollars for all that is ephemeral, in the worst case."""
    return sum((cost.run.high for cost in costs), Decimal(0))


def setting(context: Context, key: str) -> Decimal | None:
    """A number of `shoestring:budget` in the stack's configuration, which Pulumi hands on as JSON; None without one."""
    try:
        budget: Any = json.loads(context.settings.get("shoestring:budget") or "{}")
    except ValueError:
        return None  # the program that reads it says what is wrong with it
    return number(at(budget, key))


def limit(context: Context, key: str, setting_key: str) -> tuple[Decimal | None, str]:
    """The limit for this environment, and where it is set: the stack's own configuration comes first."""
    own = setting(context, setting_key)
    if own is not None:
        return own, f"shoestring:budget.{setting_key} of {context.stack}"
    return number(context.here(key)), f"{key} of the policy configuration, for {context.environment}"


def largest(costs: Sequence[ResourceCost], amount: Callable[[ResourceCost], Decimal]) -> str:
    """The resources that cost most, in words."""
    found = sorted(((amount(cost), cost) for cost in costs), key=lambda pair: -pair[0])[:LARGEST]
    return "; ".join(f"{cost.name} ({cost.type}) {usd(most)}: {cost.reason}" for most, cost in found if most > 0)


def source(costs: Sequence[ResourceCost]) -> str:
    """Where the prices of these costs are from."""
    found = sorted({(charge.price.as_of, charge.price.source) for cost in costs for charge in cost.charges})
    return f"list prices of {found[0][0]}, {found[0][1]}" if found else "list prices"


def of_type(resource: Resource) -> str:
    """A resource in words."""
    return f"{resource.name} ({resource.type})"
