"""What a finding costs, in words: a resource as it is, against the same resource as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from policies.rule import Context, Resource, usd

HOURS = Decimal(730)  # a month's, as AWS's own calculator counts


def cost(resource: Resource, context: Context) -> ResourceCost:
    """What one resource costs by itself, as if nothing were around it."""
    urn = resource.urn or f"urn:pulumi:{context.stack}::{context.project}::{resource.type}::{resource.name}"
    planned = replace(resource, urn=urn).planned()
    return price_resources([planned], context.region, context.prices, config=context.settings, now=context.now)[0]


def month(resource: Resource, context: Context) -> str:
    """A month of a resource, in words with its source."""
    found = cost(resource, context)
    if not found.whole:
        return found.reason
    low, high = found.monthly.low, found.monthly.high
    dated = f"list prices of {found.charges[0].price.as_of}" if found.charges else "list prices"
    words = usd(high) if low == high else f"{usd(low)} to {usd(high)}"
    return f"{words} a month ({dated})"


def saving(resource: Resource, context: Context, mended: Mapping[str, Any]) -> str:
    """What a resource costs in a month, and what it would with `mended` among its properties."""
    now, then = (
        cost(resource, context),
        cost(replace(resource, props={**resource.props, **mended}), context),
    )
    if not (now.whole and then.whole):
        return then.reason if now.whole else now.reason
    less = now.monthly.high - then.monthly.high
    return f"{usd(now.monthly.high)} a month, {usd(then.monthly.high)} when mended: {usd(less)} a month saved"


def machine(context: Context, service: str, kind: str, resource: Resource, count: int = 1) -> str:
    """A month of machines of a type that run all the time, in words."""
    price = context.price(service, kind, resource.region)
    if price is None:
        return f"no list price of {kind} in {resource.region or context.region} is known"
    times = f"{count} × " if count != 1 else ""
    hourly = f"{price.usd.normalize():f} $ an hour, list price of {price.as_of}"
    return f"{usd(HOURS * price.usd * count)} a month ({times}{kind} at {hourly})"
