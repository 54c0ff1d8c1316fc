"""What a plan costs: each of its resources before and after, and what that comes to.

Nothing is left out: every resource is priced, free, or unpriced with the reason; totals say whether they are whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from costs.charges import Range, ResourceCost, decimal
from costs.preview import UNKNOWN, PlannedResource
from costs.prices import HOURS_A_MONTH, PriceBook
from costs.rules import rule
from costs.rules.base import Pricing, World, number
from costs.rules.traffic import Usage

LEASE_HOURS = "shoestring:leaseHours"
ANY_LEASE = Range(decimal(1), HOURS_A_MONTH)


def lease_hours(config: Mapping[str, object]) -> Range:
    """Hours that ephemeral resources stand where no lease says: as configured, else an hour to a month."""
    found = number(config.get(LEASE_HOURS))
    return Range.of(found) if found else ANY_LEASE


def price_resources(
    resources: Sequence[PlannedResource],
    region: str,
    book: PriceBook,
    usage: Usage | None = None,
    *,
    config: Mapping[str, object] | None = None,
    now: datetime | None = None,
) -> list[ResourceCost]:
    """What each resource costs that is there after the plan, in the order given; those that go are left out.

    Args:
        region: of resources whose own is not known.
        book: an item that it does not have makes a resource unpriced.
        usage: traffic; without it the defaults.
        config: the stack's; `shoestring:leaseHours` of it counts where a lease is unknown.
        now: when leases begin to run; the present unless given.
    """
    there = [one for one in resources if one.stays]
    world = World(book, region, usage or Usage(), now or datetime.now(UTC), lease_hours(config or {}), there)
    return [_price(one, world) for one in there]


def _price(one: PlannedResource, world: World) -> ResourceCost:
    pricing = Pricing(one, world)
    rule(one)(pricing)
    return pricing.cost()


__all__ = ["UNKNOWN", "PlannedResource", "Usage", "price_resources"]
