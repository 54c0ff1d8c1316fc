"""One list price: what AWS asks for one unit of an item, with the source and the date of the figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

HOURS_A_MONTH = Decimal(730)  # as AWS's own calculator counts
SECONDS_AN_HOUR, THOUSAND, MILLION = Decimal(3600), Decimal(1_000), Decimal(1_000_000)
LAMBDA_COMPUTE = {"arm64": "compute-arm64", "x86_64": "compute-x86"}  # a function's architecture → item
LIST_FRESH_DAYS, SPOT_FRESH_DAYS = 365, 7  # after that many days a price is called stale


class UnknownPrice(LookupError):
    """No price for an item. Never taken for zero.

    Args:
        service, item, region: what was asked for.
        near: known items of the service in the region that come near; empty where it has none there.
    """

    def __init__(self, service: str, item: str, region: str, near: Iterable[str] = ()) -> None:
        self.service, self.item, self.region, self.near = service, item, region, tuple(near)
        self.command = f"shoestring prices refresh --region {region}"
        hint = f"known there: {', '.join(self.near)}" if self.near else f"no price of {service} is known in {region}"
        super().__init__(f"no price for {service} {item} in {region}; {hint}; {self.command}")


@dataclass(frozen=True)
class Price:
    """One list price: `usd` for one `unit` (hour, GB-month, million, …) of `item`."""

    service: str
    item: str
    region: str
    unit: str
    usd: Decimal
    note: str
    source: str
    as_of: date

    def stale(self, today: date) -> bool:
        """Whether it is too old to go by unseen."""
        return (today - self.as_of).days > LIST_FRESH_DAYS
