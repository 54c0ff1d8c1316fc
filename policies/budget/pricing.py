"""Sums and limits of a plan's costs, for the rules of this group."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from costs.amounts import dollars
from costs.plan.charges import ResourceCost
from policies.rule import Context, Resource
from policies.values import at, number

LARGEST = 3  # how many resources a message names


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
    dearest = sorted(costs, key=amount, reverse=True)[:LARGEST]
    return "; ".join(
        f"{cost.name} ({cost.type}) {dollars(amount(cost))}: {cost.reason}" for cost in dearest if amount(cost) > 0
    )


def source(costs: Sequence[ResourceCost]) -> str:
    """Where the prices of these costs are from."""
    oldest = min(((charge.price.as_of, charge.price.source) for cost in costs for charge in cost.charges), default=None)
    return f"list prices of {oldest[0]}, {oldest[1]}" if oldest else "list prices"


def of_type(resource: Resource) -> str:
    """A resource in words."""
    return f"{resource.name} ({resource.type})"
