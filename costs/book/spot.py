"""What spot capacity costs: a range, because nobody can say it beforehand, with what is known of interruptions.

Two sources: the range that AWS advertises for every item, and the history of the last days where
`shoestring prices refresh` has read it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from costs.amounts import ONE, Range
from costs.book.price import SPOT_FRESH_DAYS, Price

ADVERTISED = Range.of("0.1", 1)  # of the price on demand
ADVERTISED_SOURCE = "AWS advertises up to 90 % off; never above on demand"
SAGEMAKER_SOURCE = "{}; SageMaker publishes no spot price: EC2's share of the price on demand stands in for its own"


@dataclass(frozen=True)
class Observed:
    """What was observed of an EC2 instance type in a region, from `low` to `high`: its spot prices in all zones over
    some days, or the share of its spot instances that AWS takes back in a month."""

    item: str
    region: str
    low: Decimal
    high: Decimal
    source: str
    as_of: date


@dataclass(frozen=True)
class SpotPrice:
    """Dollars an hour, from `low` to `high`, of an item whose price on demand is `on_demand`.

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

    @property
    def share(self) -> Range:
        """Of the price on demand; all of an item that costs nothing."""
        if not self.on_demand.usd:
            return ONE
        return Range(self.low / self.on_demand.usd, self.high / self.on_demand.usd)

    @property
    def saving_low(self) -> Decimal:
        """The least that is saved against the price on demand, as a share of it."""
        return 1 - self.share.high

    @property
    def saving_high(self) -> Decimal:
        """The most that is saved against the price on demand, as a share of it."""
        return 1 - self.share.low

    def stale(self, today: date) -> bool:
        """Whether the history is too old to go by; what AWS advertises is as old as the price on demand."""
        return (today - self.as_of).days > SPOT_FRESH_DAYS if self.observed else self.on_demand.stale(today)


def spot_price(on_demand: Price, seen: Observed | None, ec2: Price | None, taken: Observed | None) -> SpotPrice:
    """The range of the history where there is one (`ec2` is the price on demand that it belongs to), or else the range
    that AWS advertises. An item of another service than EC2 gets the history's share of its price on demand."""
    if seen is None or ec2 is None or not ec2.usd:
        low, high = ADVERTISED.low * on_demand.usd, ADVERTISED.high * on_demand.usd
        spot = SpotPrice(on_demand, low, high, ADVERTISED_SOURCE, on_demand.as_of)
    elif on_demand.service == "ec2":
        spot = SpotPrice(on_demand, seen.low, seen.high, seen.source, seen.as_of, observed=True)
    else:
        low, high = seen.low * on_demand.usd / ec2.usd, seen.high * on_demand.usd / ec2.usd
        spot = SpotPrice(on_demand, low, high, SAGEMAKER_SOURCE.format(seen.source), seen.as_of, observed=True)
    return replace(spot, interruption=(taken.low, taken.high), interruption_source=taken.source) if taken else spot
