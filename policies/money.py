"""Dollars in messages: what the plan's own rules ask for a resource as it is, and as it should be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from costs.amounts import dollars, listed, written
from costs.book.price import HOURS_A_MONTH
from costs.book.prices import PriceBook
from costs.plan.charges import Charge, ResourceCost
from costs.plan.plan import price_resources
from policies.rule import Context, Resource, Stack
from policies.shapes.machines import Machine


def priced(words: str, book: PriceBook) -> str:
    """A rule's words with list prices in the place of `{service item}` (a month, where it is billed by the hour) and of
    `{service item x100}` (so many units)."""

    def in_words(placeholder: re.Match[str]) -> str:
        price = book.price(placeholder[1], placeholder[2])
        if price.unit == "hour":
            return f"{dollars(HOURS_A_MONTH * price.usd)} a month"
        units = placeholder[3]
        return dollars(price.usd * int(units)) if units else f"${listed(price.usd)} for each {price.unit}"

    return re.sub(r"\{([a-z0-9-]+) ([\w.-]+)(?: x(\d+))?\}", in_words, words)


def of_stack(stack: Stack, context: Context) -> list[ResourceCost]:
    """What each resource of the plan costs; priced once for all rules."""
    if stack.costs is None:
        stack.costs = price_resources(
            [resource.planned() for resource in stack.resources], context.region, context.prices,
            config=context.settings, now=context.now,
        )  # fmt: skip
    return stack.costs


def cost(resource: Resource, context: Context, around: Sequence[Resource] = ()) -> ResourceCost:
    """What one resource costs. `around`: the resources that it refers to, and that its price depends on."""
    urn = resource.urn or f"urn:pulumi:{context.stack}::{context.project}::{resource.type}::{resource.name}"
    planned = [replace(resource, urn=urn).planned(), *(other.planned() for other in around)]
    return price_resources(planned, context.region, context.prices, config=context.settings, now=context.now)[0]


def month(resource: Resource, context: Context, around: Sequence[Resource] = ()) -> str:
    """A month of a resource, in words with its source."""
    bill = cost(resource, context, around)
    if bill.status == "unpriced":
        return bill.reason
    dated = f"list prices of {bill.charges[0].price.as_of}" if bill.charges else "list prices"
    return f"{_least(bill)}{written(bill.monthly)} a month ({dated})"


def _least(*costs: ResourceCost) -> str:
    """What a figure begins with where it is not the whole."""
    return "" if all(bill.whole for bill in costs) else "at least "


def now_and_mended(
    resource: Resource, context: Context, mended: Mapping[str, Any], around: Sequence[Resource] = ()
) -> tuple[ResourceCost, ResourceCost]:
    """What a resource costs, and what it would with `mended` among its properties."""
    then = replace(resource, props={**resource.props, **mended})
    return cost(resource, context, around), cost(then, context, around)


def saving(resource: Resource, context: Context, mended: Mapping[str, Any], around: Sequence[Resource] = ()) -> str:
    """The same two in words, and their difference."""
    now, then = now_and_mended(resource, context, mended, around)
    for bill in (now, then):
        if bill.status == "unpriced":
            return bill.reason
    less = now.monthly.high - then.monthly.high
    words = (
        f"{dollars(now.monthly.high)} a month, {dollars(then.monthly.high)} when mended: {dollars(less)} a month saved"
    )
    return f"{_least(now, then)}{words}"


def on_spot(resource: Resource, context: Context, mended: Mapping[str, Any], around: Sequence[Resource] = ()) -> str:
    """What machines cost on demand, and the share of it that they cost on spot capacity: expected, or at the least."""
    now, then = now_and_mended(resource, context, mended, around)
    shares = [charge.share for charge in then.charges if charge.price.unit == "hour"]
    if now.status == "unpriced" or not shares:
        return now.reason
    expected = [share.expected for share in shares if share.expected is not None]
    least = f"{min(expected) * 100:.0f}" if expected else f"from {min(share.low for share in shares) * 100:.0f}"
    spot = f"on spot capacity its machines cost {least} % of that"
    return f"{_least(now)}{written(now.monthly)} a month; {spot}"


def rate(resource: Resource, context: Context, item: str) -> str:
    """What one unit of an item costs that a resource is billed for; nothing where its price is not known."""
    for charge in cost(resource, context).charges:
        if charge.price.item == item:
            unit = charge.price.unit.replace("-month", " a month")
            return f"${listed(charge.price.usd)} for each {unit}"
    return ""


def hours(resource: Resource, context: Context, kind: str, around: Sequence[Resource] = ()) -> Charge | None:
    """The hours of a machine of this type among what a resource is billed for; None where their price is not known."""
    for charge in cost(resource, context, around).charges:
        if charge.price.unit == "hour" and charge.price.item.startswith(kind):
            return charge
    return None


def machines(machine: Machine, context: Context) -> str:
    """A month of machines that run all the time, in words."""
    charge = hours(machine.alone[0], context, machine.kind, machine.alone[1:])
    if charge is None:
        return f"no list price of {machine.kind} in {machine.resource.region or context.region} is known"
    times = f"{machine.count} × " if machine.count != 1 else ""
    hourly = f"${listed(charge.price.usd)} an hour, list price of {charge.price.as_of}"
    return f"{dollars(charge.usd.high * machine.count)} a month ({times}{machine.kind} at {hourly})"
