"""Puts prices on stretches: line items, as a bill has them. Money is a Decimal in US dollars, not rounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import jmespath

from costs.book.price import Price, UnknownPrice
from costs.book.prices import PriceBook
from localcloud import REGION
from localcloud.aws.row import Charge
from localcloud.aws.types import METERED, USAGE
from localcloud.meter.ledger import Stretch
from localcloud.sagemaker.spot import Spot

ON_DEMAND, SPOT = "On Demand Instances", "Spot Instances"  # Cost Explorer's PURCHASE_TYPE
HOUR = Decimal(3600)
UNITS = {"hour": "Hrs", "GB-month": "GB-Mo", "GB-second": "Lambda-GB-Second", "GB": "GB", "request": "Requests",
         "thousand": "Requests", "million": "Requests"}  # fmt: skip
MANY = {"thousand": Decimal(1000), "million": Decimal(1_000_000)}


@dataclass(frozen=True)
class LineItem:
    """One line item. `cost` is what is billed, `list_cost` what it had been on demand; None where no price is known,
    and `problem` says why. `start` and `end` are epoch seconds."""

    start: float
    end: float
    resource: str
    service: str
    usage_type: str
    operation: str
    region: str
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    cost: Decimal | None
    list_cost: Decimal | None
    purchase: str
    tags: dict[str, str]
    problem: str = ""

    def described(self) -> dict[str, Any]:
        """As JSON: money as strings, moments as ISO times in UTC."""
        moments = {name: datetime.fromtimestamp(getattr(self, name), UTC).isoformat() for name in ("start", "end")}
        values = {**self.__dict__, **moments}
        return {key: format(value, "f") if isinstance(value, Decimal) else value for key, value in values.items()}


def decimal(value: float | int | str) -> Decimal:
    """A number as it is written."""
    return Decimal(str(value))


def months(begin: float, end: float) -> Iterator[tuple[float, float, Decimal]]:
    """A time in pieces that lie within one month (UTC) each, with the seconds of that month."""
    first = datetime.fromtimestamp(begin, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = (first + timedelta(days=32)).replace(day=1).timestamp()
    yield begin, min(end, following), Decimal(round(following - first.timestamp()))
    if end > following:
        yield from months(following, end)


class Rater:
    """Prices from the price book; `market` says what spot capacity is billed at."""

    def __init__(self, book: PriceBook, market: Spot) -> None:
        self.book, self.market = book, market

    def lines(self, stretch: Stretch, now: float) -> list[LineItem]:
        """The line items of a stretch, up to now where it stands."""
        if charge := USAGE.get(stretch.kind):
            quantity = decimal(stretch.facts["amount"]) / charge.scale
            return [self._line(stretch, charge, stretch.begin, max(stretch.at, stretch.begin), quantity)]
        if METERED[stretch.kind].metering.recorded:
            return self._training(stretch)
        gauge = METERED[stretch.kind].metering.gauge
        return [line for charge in _due(stretch) for line in self._standing(stretch, charge, gauge, now)]

    def stamp(self, stretch: Stretch) -> None:
        """Notes today's prices in an ended stretch."""
        for charge in _due(stretch):
            price, share, _ = self._price(charge, stretch)
            if price:
                stretch.rates[f"{price.service} {price.item}"] = [str(price.usd), price.unit, str(share)]

    def _price(self, charge: Charge, stretch: Stretch) -> tuple[Price | None, Decimal, str]:
        """The price at the end of a stretch, or today's while it stands; the share of it that is billed, below one on
        spot capacity; and why there is no price."""
        service, item = charge.price[0], charge.price[1].format(**stretch.facts)
        share = self.market.share(self.book, item) if charge.spot else Decimal(1)
        if noted := stretch.rates.get(f"{service} {item}"):
            usd, unit, noted_share = noted
            price = Price(service, item, REGION, unit, Decimal(usd), "", "the bill", date.fromtimestamp(0))
            return price, Decimal(noted_share) if charge.spot else Decimal(1), ""
        try:
            return self.book.price(service, item, REGION), share, ""
        except UnknownPrice as error:
            return None, share, str(error)

    def _standing(self, stretch: Stretch, charge: Charge, gauge: str, now: float) -> Iterator[LineItem]:
        end = now if stretch.end is None else stretch.end
        if charge.minimum and stretch.final:
            end = max(end, stretch.began + charge.minimum)
        price, _, _ = self._price(charge, stretch)
        amount = decimal(stretch.facts[charge.amount]) if charge.amount else Decimal(1)
        if gauge and end > stretch.begin:
            tail = max(end - stretch.at, 0.0) if stretch.end is None else 0.0
            area = decimal(stretch.area) + decimal(stretch.facts[gauge]) * decimal(tail)
            amount = area / decimal(end - stretch.begin)
        amount /= charge.scale
        for begin, until, month in months(stretch.begin, end):
            seconds = decimal(until) - decimal(begin)
            hourly = price is not None and price.unit == "hour"
            yield self._line(stretch, charge, begin, until, amount * seconds / (HOUR if hourly else month))

    def _training(self, stretch: Stretch) -> list[LineItem]:
        """A job's instances and their volumes; the discount of spot capacity is in the seconds that are billed."""
        facts, lines = stretch.facts, []
        trained, billable = decimal(facts["trained"]), decimal(facts["billable"])
        discount = billable / trained if trained else Decimal(1)
        for charge in _due(stretch):
            count = decimal(facts["count"]) * (decimal(facts["gb"]) if charge.amount else 1)
            end = stretch.end or stretch.begin + facts["trained"]
            month = next(months(stretch.begin, end))[2]
            quantity = count * trained / (month if charge.amount else HOUR)
            lines.append(self._line(stretch, charge, stretch.begin, end, quantity, discount if charge.spot else None))
        return lines

    def _line(
        self,
        stretch: Stretch,
        charge: Charge,
        begin: float,
        end: float,
        quantity: Decimal,
        share: Decimal | None = None,
    ) -> LineItem:
        price, market, problem = self._price(charge, stretch)
        usd = price.usd / MANY.get(price.unit, Decimal(1)) if price else None
        list_cost = None if usd is None else quantity * usd
        return LineItem(
            start=begin, end=end, resource=stretch.id, service=charge.product,
            usage_type=charge.usage.format(**stretch.facts), operation=charge.operation.format(**stretch.facts),
            region=REGION, quantity=quantity, unit=UNITS.get(price.unit, price.unit) if price else "", unit_price=usd,
            cost=None if list_cost is None else list_cost * (market if share is None else share), list_cost=list_cost,
            purchase=SPOT if charge.spot else ON_DEMAND, tags=stretch.tags, problem=problem,
        )  # fmt: skip


def _due(stretch: Stretch) -> list[Charge]:
    """The charges that its facts make due."""
    charges = (USAGE[stretch.kind],) if stretch.kind in USAGE else METERED[stretch.kind].metering.charges
    return [charge for charge in charges if jmespath.search(charge.when, stretch.facts)]
