"""Total cost of ownership: a bought GPU server against hours that are rented.

All is linear in the hours of use. Bought, each month costs `fixed` (space, staff, what the server draws while idle) and
each hour of use costs `running` (what it draws more than idle); rented, each hour costs its price. A month has 730
hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from costs.amounts import Range
from costs.book.price import HOURS_A_MONTH, UnknownPrice
from costs.book.prices import PriceBook
from costs.value.inputs import Inputs

Amount = Annotated[Decimal, Field(allow_inf_nan=False)]
MONTHS_A_YEAR = 12
ZERO = Decimal(0)


class TcoInputs(Inputs):
    """A server that one may buy, and what one may rent instead."""

    price: Amount = Field(gt=0, description="US dollars for the server")
    life_years: Amount = Field(Decimal(3), gt=0, le=20, description="Years until it is replaced")
    residual: Amount = Field(ZERO, ge=0, description="US dollars that it is worth at the end of its life")
    utilisation: Amount = Field(Decimal(1), gt=0, le=1, description="Share of all hours in which it works")
    power_watts: Amount = Field(ZERO, ge=0, description="Watts that it draws at work")
    idle_watts: Amount = Field(ZERO, ge=0, description="Watts that it draws the rest of the time")
    usd_per_kwh: Amount | None = Field(None, ge=0, description="US dollars for a kilowatt-hour")
    pue: Amount = Field(Decimal(1), ge=1, description="Power of the whole room for each watt of the server")
    space_usd_month: Amount = Field(ZERO, ge=0, description="US dollars a month for rack, room and network")
    staff_hours_month: Amount = Field(ZERO, ge=0, description="Hours a month that people work on it")
    staff_usd_hour: Amount | None = Field(None, ge=0, description="US dollars for such an hour")
    instance: str | None = Field(None, description="Instance type that does the same work")
    count: int = Field(1, ge=1, description="Of that instance, for one server")
    region: str = Field("us-east-1", description="Region of its prices")
    hourly: Amount | None = Field(None, gt=0, description="US dollars an hour of another offer")

    @model_validator(mode="after")
    def _whole(self) -> TcoInputs:
        wrong = []
        if self.usd_per_kwh is None and (self.power_watts or self.idle_watts):
            wrong.append("usd_per_kwh is missing: what a kilowatt-hour costs (--usd-per-kwh)")
        if self.staff_usd_hour is None and self.staff_hours_month:
            wrong.append("staff_usd_hour is missing: what an hour of work costs (--staff-usd-hour)")
        if self.residual >= self.price:
            wrong.append(f"residual is {self.residual}, expected less than the price ({self.price})")
        if self.idle_watts > self.power_watts:
            wrong.append(f"idle_watts is {self.idle_watts}, expected power_watts ({self.power_watts}) at most")
        if self.instance is None and self.hourly is None:
            wrong.append("nothing to compare with: --instance g4dn.xlarge, or --hourly 3.00, or both")
        if wrong:
            raise ValueError("\n".join(wrong))
        return self


@dataclass(frozen=True)
class Offer:
    """What an hour costs rented: a range on spot capacity."""

    name: str
    hour: Range
    source: str
    as_of: date | None = None
    service: str = ""
    stale: bool = False


@dataclass(frozen=True)
class Owned:
    """A bought server in numbers: `net` is its price less what it is worth at the end."""

    net: Decimal
    months: Decimal
    hours_a_month: Decimal
    fixed: Decimal
    running: Decimal

    @property
    def hours(self) -> Decimal:
        """Hours of use in its life."""
        return self.months * self.hours_a_month

    @property
    def each_hour(self) -> Decimal:
        """What an hour of use costs beyond the price, at this utilisation."""
        return self.running + self.fixed / self.hours_a_month

    @property
    def total(self) -> Decimal:
        """What it costs in its life."""
        return self.net + self.fixed * self.months + self.running * self.hours


@dataclass(frozen=True)
class BreakEven:
    """When owning has cost as much as an offer at one price.

    Args:
        hours: of use, at this utilisation; None where renting stays cheaper for ever.
        months: after which those hours are reached.
        within: whether that is within the server's life.
        hours_a_month: of use all through its life that make both equal; None where more than a month has.
    """

    hour: Decimal
    hours: Decimal | None
    months: Decimal | None
    within: bool
    hours_a_month: Decimal | None


@dataclass(frozen=True)
class Compared:
    """An offer against owning: when both are even (`early` at its highest price, `late` at its lowest), and what it
    costs over the server's life."""

    offer: Offer
    early: BreakEven
    late: BreakEven
    total: Range


@dataclass(frozen=True)
class Tco:
    """The whole comparison."""

    inputs: TcoInputs
    owned: Owned
    offers: tuple[Compared, ...]


def owned(inputs: TcoInputs) -> Owned:
    """The server's costs, sorted into what stands, what each month and what each hour of use costs."""
    kilowatt = (inputs.usd_per_kwh or ZERO) * inputs.pue / 1000
    idle = inputs.idle_watts * kilowatt
    staff = inputs.staff_hours_month * (inputs.staff_usd_hour or ZERO)
    return Owned(
        net=inputs.price - inputs.residual,
        months=inputs.life_years * MONTHS_A_YEAR,
        hours_a_month=HOURS_A_MONTH * inputs.utilisation,
        fixed=inputs.space_usd_month + staff + idle * HOURS_A_MONTH,
        running=inputs.power_watts * kilowatt - idle,
    )


def break_even(server: Owned, hour: Decimal) -> BreakEven:
    """When the server has cost as much as renting at `hour` dollars an hour."""
    saved = hour - server.each_hour
    hours = server.net / saved if saved > 0 else None
    level = (server.net / server.months + server.fixed) / (hour - server.running) if hour > server.running else None
    return BreakEven(
        hour=hour,
        hours=hours,
        months=None if hours is None else hours / server.hours_a_month,
        within=hours is not None and hours <= server.hours,
        hours_a_month=None if level is None or level > HOURS_A_MONTH else level,
    )


def offers(inputs: TcoInputs, book: PriceBook, today: date) -> Iterator[Offer]:
    """What is rented: EC2 and SageMaker on demand and on spot, as far as the book has the type, and what was given.

    Raises:
        UnknownPrice: the book has the instance type neither for EC2 nor for SageMaker.
    """
    if inputs.hourly is not None:
        yield Offer("given price", Range.of(inputs.hourly * inputs.count), "given")
    if inputs.instance is None:
        return
    kind, missing = inputs.instance.removeprefix("ml."), []
    times = f"{inputs.count} x " if inputs.count > 1 else ""
    for service, item, name in (("ec2", kind, "EC2"), ("sagemaker-training", f"ml.{kind}", "SageMaker")):
        try:
            price = book.price(service, item, inputs.region)
        except UnknownPrice as error:
            missing.append(error)
            continue
        spot, offer = book.spot(service, item, inputs.region), f"{times}{item} {name}"
        listed, market = Range.of(price.usd) * inputs.count, spot.bounds(today) * inputs.count
        yield Offer(f"{offer} on demand", listed, price.source, price.as_of, service, price.stale(today))
        yield Offer(f"{offer} spot", market, spot.source, spot.as_of, service, spot.stale(today))
        if spot.likely:
            expected = Range.of(spot.likely) * inputs.count
            yield Offer(f"{offer} spot, expected", expected, spot.source, spot.as_of, service, spot.stale(today))
    if len(missing) == 2:
        raise missing[inputs.instance.startswith("ml.")]


def compare(inputs: TcoInputs, book: PriceBook, today: date) -> Tco:
    """The server against every offer; prices that are old on the day `today` are marked stale.

    Raises:
        UnknownPrice: no price for the instance type.
    """
    server = owned(inputs)
    compared = tuple(
        Compared(
            offer, break_even(server, offer.hour.high), break_even(server, offer.hour.low), offer.hour * server.hours
        )
        for offer in offers(inputs, book, today)
    )
    return Tco(inputs, server, compared)
