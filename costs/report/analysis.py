"""What the readings say: sums, days, comparisons, the month, and the three largest surprises. Pure, and in decimals.

A day counts as `whole` when it is over and its costs are in. Comparisons take whole days alone, each with the same
weekday before, so that neither a running day nor late data looks like a saving.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import takewhile

from costs.amounts import cents
from costs.report.account import Limit
from costs.report.explorer import Anomaly, Readings, Row
from costs.report.periods import DAY, Period, month_of

ZERO = Decimal(0)
SURPRISE = Decimal("0.10")  # dollars: smaller differences surprise nobody
SURPRISES = 3
LATE_DAYS = 3  # AWS brings a day in within two; what is empty for longer cost nothing
HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Day:
    """One day. `state`: whole, running (today), late (over, and little or nothing is in),
    estimated (AWS may still mend it)."""

    day: date
    usd: Decimal
    before_usd: Decimal
    state: str


@dataclass(frozen=True)
class Item:
    """A part of the costs; `parts` are its own parts, with quantity and unit.

    `compared_usd` is what it came to on the days that can be compared, `before_usd` on the same weekdays before.
    """

    name: str
    usd: Decimal
    compared_usd: Decimal
    before_usd: Decimal
    share: Decimal
    quantity: Decimal | None = None
    unit: str = ""
    parts: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """The whole days against the same weekdays before; nothing to compare where `days` is 0 or `why` says so."""

    days: int
    usd: Decimal
    before_usd: Decimal
    why: str = ""

    @property
    def change(self) -> Decimal:
        """Dollars more (or less, below 0) than before."""
        return self.usd - self.before_usd


@dataclass(frozen=True)
class Month:
    """The calendar month of the period's last day. `expected` is what it will come to, with its source."""

    start: date
    end: date
    through: date
    usd: Decimal
    limit: Limit
    expected: Decimal | None
    low: Decimal | None
    high: Decimal | None
    expected_source: str


@dataclass(frozen=True)
class Surprise:
    """One sentence with figures; `usd` is how large, `service` whose doing."""

    usd: Decimal
    service: str
    sentence: str
    source: str


def dollars(usd: Decimal) -> str:
    """As people read it: to the cent; what is smaller keeps two significant digits."""
    sign, size = ("-" if usd < 0 else ""), abs(usd)
    if size and size < Decimal("0.005"):
        digits = size.quantize(Decimal(1).scaleb(size.adjusted() - 1))
        return f"{sign}${digits:f}"
    return f"{sign}${cents(size):,}"


def percent(part: Decimal, whole: Decimal) -> str:
    """A share in whole percent; nothing where there is no whole."""
    return f"{(part / whole * HUNDRED).quantize(Decimal(1))} %" if whole else ""


def total(rows: Iterable[Row]) -> Decimal:
    """Dollars billed."""
    return sum((row.billed for row in rows), ZERO)


def _by(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def days(readings: Readings) -> tuple[Day, ...]:
    """Every day of the period, also those that Cost Explorer left out."""
    sums = {day: total(rows) for day, rows in _days_of(readings.rows).items()}
    estimated = {row.day for row in readings.rows if row.estimated}
    back = readings.period.start - readings.period.before.start
    recent = [day for day in readings.period if readings.today - LATE_DAYS * DAY <= day < readings.today]
    empty = set(takewhile(lambda day: not sums.get(day), reversed(recent)))
    late = empty if any(usd for day, usd in sums.items() if day < readings.today) else set()

    def state(day: date) -> str:
        if day >= readings.today:
            return "running"
        if day in late or (day == readings.today - DAY and sums.get(day, ZERO) * 2 < sums.get(day - back, ZERO)):
            return "late"  # what stands all day costs half a day at least: yesterday is not whole yet
        return "estimated" if day in estimated else "whole"

    return tuple(Day(day, sums.get(day, ZERO), sums.get(day - back, ZERO), state(day)) for day in readings.period)


def _days_of(rows: Iterable[Row]) -> dict[date, list[Row]]:
    found: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.day].append(row)
    return found


def comparable(found: Sequence[Day]) -> set[date]:
    """The days that a comparison may take."""
    return {each.day for each in found if each.state in ("whole", "estimated")}


def comparison(found: Sequence[Day]) -> Comparison:
    """The whole days together against the same weekdays before."""
    taken = comparable(found)
    usd = sum((each.usd for each in found if each.day in taken), ZERO)
    before = sum((each.before_usd for each in found if each.day in taken), ZERO)
    why = ""
    if not taken:
        why = "no day of it is over and complete"
    elif not before:
        why = "nothing was billed in the period before"
    return Comparison(len(taken), usd, before, why)


def items(rows: Sequence[Row], period: Period, taken: set[date], key: int = 0) -> tuple[Item, ...]:
    """The period's costs by one key of the rows, the dearest first; parts by the other key where there is one."""
    back = period.start - period.before.start
    inside = [row for row in rows if row.day in period]
    before = [row for row in rows if row.day + back in taken]
    whole = total(inside)

    def made(groups: dict[str, list[Row]], old: dict[str, list[Row]], parts: bool) -> tuple[Item, ...]:
        found = []
        for name in groups.keys() | old.keys():
            mine = groups.get(name, [])
            units = {row.unit for row in mine if row.unit}
            one = units.pop() if len(units) == 1 and not parts else ""
            quantity = sum((row.quantity for row in mine), ZERO) if one and one != "N/A" else None
            usd = total(mine)
            deeper = made(_by(mine, lambda row: row.keys[1]), {}, False) if parts else ()
            share = usd / whole if whole else ZERO
            compared, earlier = total(row for row in mine if row.day in taken), total(old.get(name, []))
            unit = one if quantity is not None else ""
            found.append(Item(name, usd, compared, earlier, share, quantity, unit, deeper))
        return tuple(sorted(found, key=lambda item: (-item.usd, -item.before_usd, item.name)))

    return made(_by(inside, lambda row: row.keys[key]), _by(before, lambda row: row.keys[key]), key == 0)


def month(readings: Readings, limit: Limit) -> Month:
    """The month's costs so far, its limit, and what it will come to.

    Cost Explorer forecasts from today on; the days before are what was billed, so that nothing counts twice.
    """
    this = month_of(readings.period.last)
    through = min(this.end - DAY, readings.today)
    rows = [row for row in readings.rows if row.day in this and row.day <= through]
    forecast, low, high = readings.forecast, None, None
    if forecast.usd is not None:
        past = total(row for row in rows if row.day < readings.today)
        expected: Decimal | None = max(past + forecast.usd, total(rows))  # today's forecast may lag behind today
        low = past + forecast.low if forecast.low is not None else None
        high = past + forecast.high if forecast.high is not None else None
        source = "billed up to yesterday, and Cost Explorer's forecast from today on"
    elif limit.forecast is not None and readings.today in this:
        expected, source = limit.forecast, f"forecast of {limit.source}"
    elif readings.today >= this.end:
        expected, source = None, "the month is over"
    else:
        expected, source = None, f"no forecast: {forecast.why}"
    return Month(this.start, this.end, through, total(rows), limit, expected, low, high, source)


def surprises(readings: Readings, found: Sequence[Day], services: Sequence[Item], billed: str) -> tuple[Surprise, ...]:
    """The largest differences to the period before, by service or by day, and what AWS itself found odd.

    Each service is told of once before any is told of again: as what surprises most, itself, a day, or an anomaly.
    """
    compared, taken = comparison(found), comparable(found)
    candidates = [_anomaly(anomaly) for anomaly in readings.anomalies]
    if not compared.why:
        candidates += _by_service(readings, services, taken, billed)
        candidates += [_by_day(readings, day, billed) for day in found if day.day in taken]
    large = sorted((each for each in candidates if abs(each.usd) >= SURPRISE), key=lambda each: -abs(each.usd))
    first = {each.service: each for each in reversed(large)}.values()
    ranked = sorted(large, key=lambda each: each not in first)  # stable: the largest stay before the smaller
    return tuple(ranked[:SURPRISES])


def _by_service(readings: Readings, services: Sequence[Item], taken: set[date], billed: str) -> list[Surprise]:
    made = []
    for item in services:
        rows = [row for row in readings.rows if row.keys[0] == item.name and row.day in taken]
        usd = item.compared_usd
        change = usd - item.before_usd
        if item.before_usd:
            how = f"{dollars(usd)} instead of {dollars(item.before_usd)} in the period before ({_signed(change)})"
        else:
            how = f"{dollars(usd)}, and nothing in the period before"
        most = max(_by(rows, lambda row: row.keys[1]).items(), key=lambda pair: total(pair[1]), default=None)
        because = f"; most of it is {most[0]} with {dollars(total(most[1]))}" if most and total(most[1]) else ""
        made.append(Surprise(change, item.name, f"{item.name} cost {how}{because}.", billed))
    return made


def _by_day(readings: Readings, day: Day, billed: str) -> Surprise:
    back = readings.period.start - readings.period.before.start
    change = day.usd - day.before_usd
    now = _by((row for row in readings.rows if row.day == day.day), lambda row: row.keys[0])
    then = _by((row for row in readings.rows if row.day == day.day - back), lambda row: row.keys[0])
    changes = {name: total(now.get(name, [])) - total(then.get(name, [])) for name in now.keys() | then.keys()}
    name = max(changes, key=lambda name: changes[name] * (1 if change >= 0 else -1), default="")
    because = f", {_signed(changes[name])} of it {name}" if name else ""
    text = f"{day.day:%A %d %B} cost {dollars(day.usd)}, {_signed(change)} against {day.day - back:%A %d %B}{because}."
    return Surprise(change, name, text, billed)


def _anomaly(found: Anomaly) -> Surprise:
    where = f" ({', '.join(found.causes)})" if found.causes else ""
    end = f" to {found.end}" if found.end and found.end != found.start else ""
    text = f"AWS found an anomaly in the account: {found.service or 'several services'}{where}, {found.start}{end}, "
    return Surprise(
        found.impact,
        found.service,
        f"{text}{dollars(found.impact)} above what it expected.",
        "AWS Cost Anomaly Detection",
    )


def _signed(usd: Decimal) -> str:
    return f"{'+' if usd > 0 else ''}{dollars(usd)}"
