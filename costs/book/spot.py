"""What spot capacity costs: what was seen of it by zone, or else bounds alone, and what is known of interruptions.

What was seen is EC2's: in the history of the last days where `shoestring prices refresh` has read it, else in the
catalogue that ships with the product (`ec2.csv`). What is expected is the price of the median zone, which is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median, median_high, median_low

from costs.amounts import ONE, Range
from costs.book.price import SPOT_FRESH_DAYS, Price
from shoestring.base.paths import rows

ADVERTISED = Range.of("0.1", 1)  # of the price on demand
ADVERTISED_SOURCE = "no spot price is known: AWS advertises up to 90 % off, and never asks more than on demand"
SAGEMAKER_SOURCE = "{}; as EC2's, assumed"  # SageMaker does not publish its discount
CATALOGUE = Path(__file__).with_name("ec2.csv")  # on demand and spot, by the zone ids that all accounts share
CATALOGUE_SOURCE = "SkyPilot's catalogue 00148f2, January to April 2026"  # catalogs/v8/aws/vms.csv
CATALOGUE_DATE = date(2026, 1, 25)  # it has no date: from the types in it, between late January and early April


@dataclass(frozen=True)
class Observed:
    """What was observed of an EC2 instance type in a region, from `low` to `high`: its spot prices in all zones, or the
    share of its spot instances that AWS takes back in a month. `likely` is the spot price of the median `zone`, the
    mean of the two in the middle where there are two; None of rates, and of histories that were read without zones."""

    item: str
    region: str
    low: Decimal
    high: Decimal
    source: str
    as_of: date
    likely: Decimal | None = None
    zone: str = ""


def median_zone(zones: Mapping[str, Decimal]) -> tuple[Decimal, str]:
    """The median price of some zones, and whose it is: of two zones where there are two in the middle."""
    by_price = sorted((price, name) for name, price in zones.items())
    middle = dict.fromkeys((median_low(by_price)[1], median_high(by_price)[1]))
    return median(zones.values()), " and ".join(middle)


def catalogue() -> tuple[list[Price], list[Observed]]:
    """The EC2 prices that ship with the product: on demand by region, and what spot capacity asked for in its zones.

    Local Zones are left out: an account has to ask for them, and no subnet of a region lies there.
    """
    prices: dict[tuple[str, str], Price] = {}
    zones: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for row in rows(CATALOGUE):
        key = item, region = row["instance_type"], row["region"]
        usd, note = Decimal(row["on_demand_usd"]), "on-demand Linux"
        prices[key] = Price("ec2", item, region, "hour", usd, note, CATALOGUE_SOURCE, CATALOGUE_DATE)
        if row["spot_usd"] and row["zone"].count("-") == 1:
            zones[key][row["zone"]] = Decimal(row["spot_usd"])
    return [*prices.values()], [
        Observed(
            *key, min(seen.values()), max(seen.values()), CATALOGUE_SOURCE, CATALOGUE_DATE, *median_zone(seen)
        )
        for key, seen in zones.items()
    ]  # fmt: skip


@dataclass(frozen=True)
class SpotPrice:
    """Dollars an hour, from `low` to `high`, of an item whose price on demand is `on_demand`; `likely` is the median
    zone's, and None where no spot price is known.

    `high` is what was seen, not a promise: the price may rise up to the one on demand, where AWS stops it.
    """

    on_demand: Price
    low: Decimal
    high: Decimal
    source: str
    as_of: date
    interruption: tuple[Decimal, Decimal] | None = None  # share of instances taken back in a month
    interruption_source: str = ""
    observed: bool = False
    likely: Decimal | None = None

    @property
    def usd(self) -> Range:
        """From the cheapest to the dearest zone, with what is expected."""
        return Range(self.low, self.high).around(self.likely)

    @property
    def share(self) -> Range:
        """Of the price on demand; all of an item that costs nothing."""
        return self.usd / self.on_demand.usd if self.on_demand.usd else ONE

    @property
    def saving_low(self) -> Decimal:
        """The least that is saved against the price on demand, as a share of it."""
        return 1 - self.share.high

    @property
    def saving_high(self) -> Decimal:
        """The most that is saved against the price on demand, as a share of it."""
        return 1 - self.share.low

    def bounds(self, today: date) -> Range:
        """What an hour may cost: as seen in the last days, or between what AWS advertises, with what was seen longer
        ago as what is expected."""
        if self.observed and not self.stale(today):
            return self.usd
        return (ADVERTISED * self.on_demand.usd).around(self.likely)

    def stale(self, today: date) -> bool:
        """Whether the history is too old to go by; what AWS advertises is as old as the price on demand."""
        return (today - self.as_of).days > SPOT_FRESH_DAYS if self.observed else self.on_demand.stale(today)


def spot_price(on_demand: Price, seen: Observed | None, ec2: Price | None, taken: Observed | None) -> SpotPrice:
    """What was seen where something was (`ec2` is the price on demand that it belongs to), or else the bounds that AWS
    advertises. An item of another service than EC2 gets the same share of its own price on demand."""
    if seen is None or ec2 is None or not ec2.usd:
        low, high = ADVERTISED.low * on_demand.usd, ADVERTISED.high * on_demand.usd
        spot = SpotPrice(on_demand, low, high, ADVERTISED_SOURCE, on_demand.as_of)
    else:
        source = f"{seen.source}, median zone {seen.zone}" if seen.zone else seen.source
        usd, listed = Range(seen.low, seen.high).around(seen.likely), ec2.usd
        if on_demand.service != "ec2":
            usd = usd.map(lambda of_ec2: of_ec2 * on_demand.usd / listed)
            source = SAGEMAKER_SOURCE.format(source)
        spot = SpotPrice(on_demand, usd.low, usd.high, source, seen.as_of, observed=True, likely=usd.expected)
    return replace(spot, interruption=(taken.low, taken.high), interruption_source=taken.source) if taken else spot
