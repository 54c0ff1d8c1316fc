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
from typing import TypeVar

from costs.amounts import Range, dollars
from costs.report.account import Limit
from costs.report.explorer import Anomaly, BilledRow, Readings
from costs.report.periods import DAY, Period, month_of

ZERO = Decimal(0)
SURPRISE = Decimal("0.10")  # dollars: smaller differences surprise nobody
SURPRISES = 3
LATE_DAYS = 3  # AWS brings a day in within two; what is empty for longer cost nothing
HUNDRED = Decimal(100)
Key = TypeVar("Key", str, date)


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
    quantity: Decimal | None = None
    unit: str = ""
    parts: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """The whole days against the same weekdays before; nothing to compare where `days` is 0 or `why_not` says so."""

    days: int
    usd: Decimal
    before_usd: Decimal
    why_not: str = ""

    @property
    def change_usd(self) -> Decimal:
        """Dollars more (or less, below 0) than before."""
        return self.usd - self.before_usd


@dataclass(frozen=True)
class Month:
    """The calendar month of the period's last day. `expected_usd` is what it will come to, with its source."""

    start: date
    end: date
    through: date
    usd: Decimal
    limit: Limit
    expected_usd: Decimal | None
    expected_low_usd: Decimal | None
    expected_high_usd: Decimal | None
    expected_source: str


@dataclass(frozen=True)
class Surprise:
    """One sentence with figures; `usd` is how large, `service` whose doing."""

    usd: Decimal
    service: str
    sentence: str
    source: str


def signed(usd: Decimal) -> str:
    """A difference, with its sign."""
    return f"{'+' if usd > 0 else ''}{dollars(usd)}"


def span(usd: Range) -> str:
    """Dollars from … to …, after what is expected of them, or one figure; nothing for nothing."""
    if not usd.high:
        return ""
    ends = dollars(usd.high) if usd.exact else f"{dollars(usd.low)} to {dollars(usd.high)}"
    return ends if usd.likely is None else f"{dollars(usd.likely)} ({ends})"


def percent(part: Decimal, whole: Decimal) -> str:
    """A share in whole percent; nothing where there is no whole."""
    return f"{(part / whole * HUNDRED).quantize(Decimal(1))} %" if whole else ""


def total(rows: Iterable[BilledRow]) -> Decimal:
    """Dollars billed."""
    return sum((row.billed for row in rows), ZERO)


def _by(rows: Iterable[BilledRow], key: Callable[[BilledRow], Key]) -> dict[Key, list[BilledRow]]:
    groups: dict[Key, list[BilledRow]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _service(row: BilledRow) -> str:
    return row.keys[0]


def days(readings: Readings) -> tuple[Day, ...]:
    """Every day of the period, also those that Cost Explorer left out."""
    sums = {day: total(rows) for day, rows in _by(readings.rows, lambda row: row.day).items()}
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


def comparable(days: Sequence[Day]) -> set[date]:
    """The days that a comparison may take."""
    return {day.day for day in days if day.state in ("whole", "estimated")}


def comparison(days: Sequence[Day]) -> Comparison:
    """The whole days together against the same weekdays before."""
    comparable_days = comparable(days)
    usd = sum((day.usd for day in days if day.day in comparable_days), ZERO)
    before = sum((day.before_usd for day in days if day.day in comparable_days), ZERO)
    why_not = ""
    if not comparable_days:
        why_not = "no day of it is over and complete"
    elif not before:
        why_not = "nothing was billed in the period before"
    return Comparison(len(comparable_days), usd, before, why_not)


def items(rows: Sequence[BilledRow], period: Period, comparable_days: set[date]) -> tuple[Item, ...]:
    """The period's costs by the first key of the rows, the dearest first; parts by the second."""
    back = period.start - period.before.start
    now = _by((row for row in rows if row.day in period), _service)
    before = _by((row for row in rows if row.day + back in comparable_days), _service)
    items = []
    for name in now.keys() | before.keys():
        own = now.get(name, [])
        usage_types = _by(own, lambda row: row.keys[1])
        parts = _ranked(_part(usage_type, part, comparable_days) for usage_type, part in usage_types.items())
        items.append(Item(name, total(own), _compared(own, comparable_days), total(before.get(name, [])), parts=parts))
    return _ranked(items)


def _compared(rows: Iterable[BilledRow], comparable_days: set[date]) -> Decimal:
    return total(row for row in rows if row.day in comparable_days)


def _part(name: str, rows: Sequence[BilledRow], comparable_days: set[date]) -> Item:
    """A part of an item; with its quantity where it is measured in one unit."""
    units = {row.unit for row in rows if row.unit}
    unit = units.pop() if len(units) == 1 and units != {"N/A"} else ""
    quantity = sum((row.quantity for row in rows), ZERO) if unit else None
    return Item(name, total(rows), _compared(rows, comparable_days), ZERO, quantity, unit)


def _ranked(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: (-item.usd, -item.before_usd, item.name)))


def month(readings: Readings, limit: Limit) -> Month:
    """The month's costs so far, its limit, and what it will come to.

    Cost Explorer forecasts from today on; the days before are what was billed, so that nothing counts twice.
    """
    whole_month = month_of(readings.period.last)
    through = min(whole_month.end - DAY, readings.today)
    rows = [row for row in readings.rows if row.day in whole_month and row.day <= through]
    forecast, low, high = readings.forecast, None, None
    if forecast.usd is not None:
        past = total(row for row in rows if row.day < readings.today)
        billed = total(rows)  # which the forecast may lag behind: no figure for the month is less
        expected: Decimal | None = max(past + forecast.usd, billed)
        low = max(past + forecast.low, billed) if forecast.low is not None else None
        high = max(past + forecast.high, billed) if forecast.high is not None else None
        if low is not None and high is not None and expected is not None:  # Cost Explorer forecasts the three apart
            low, high = min(low, expected), max(high, expected)
        source = "billed up to yesterday, and Cost Explorer's forecast from today on"
    elif limit.forecast is not None and readings.today in whole_month:
        expected, source = limit.forecast, f"forecast of {limit.source}"
    elif readings.today >= whole_month.end:
        expected, source = None, "the month is over"
    else:
        expected, source = None, f"no forecast: {forecast.why}"
    return Month(whole_month.start, whole_month.end, through, total(rows), limit, expected, low, high, source)


def surprises(readings: Readings, days: Sequence[Day], services: Sequence[Item], billed: str) -> tuple[Surprise, ...]:
    """The largest differences to the period before, by service or by day, and what AWS itself found odd.

    Each service is told of once before any is told of again: as what surprises most, itself, a day, or an anomaly.
    """
    compared, comparable_days = comparison(days), comparable(days)
    candidates = [_anomaly(anomaly) for anomaly in readings.anomalies]
    if not compared.why_not:
        candidates += _by_service(services, billed)
        candidates += [_by_day(readings, day, billed) for day in days if day.day in comparable_days]
    large = [surprise for surprise in candidates if abs(surprise.usd) >= SURPRISE]
    large.sort(key=lambda surprise: -abs(surprise.usd))
    first = {surprise.service: surprise for surprise in reversed(large)}.values()
    ranked = sorted(large, key=lambda surprise: surprise not in first)  # stable: the largest stay before the smaller
    return tuple(ranked[:SURPRISES])


def _by_service(services: Sequence[Item], billed: str) -> list[Surprise]:
    surprises = []
    for item in services:
        usd = item.compared_usd
        change = usd - item.before_usd
        if item.before_usd:
            how = f"{dollars(usd)} instead of {dollars(item.before_usd)} in the period before ({signed(change)})"
        else:
            how = f"{dollars(usd)}, and nothing in the period before"
        most = max(item.parts, key=lambda part: part.compared_usd, default=None)
        because = f"; most of it is {most.name} with {dollars(most.compared_usd)}" if most and most.compared_usd else ""
        surprises.append(Surprise(change, item.name, f"{item.name} cost {how}{because}.", billed))
    return surprises


def _by_day(readings: Readings, day: Day, billed: str) -> Surprise:
    back = readings.period.start - readings.period.before.start
    change = day.usd - day.before_usd
    now = _by((row for row in readings.rows if row.day == day.day), _service)
    then = _by((row for row in readings.rows if row.day == day.day - back), _service)
    changes = {name: total(now.get(name, [])) - total(then.get(name, [])) for name in now.keys() | then.keys()}
    name = max(changes, key=lambda name: changes[name] * (1 if change >= 0 else -1), default="")
    because = f", {signed(changes[name])} of it {name}" if name else ""
    text = f"{day.day:%A %d %B} cost {dollars(day.usd)}, {signed(change)} against {day.day - back:%A %d %B}{because}."
    return Surprise(change, name, text, billed)


def _anomaly(anomaly: Anomaly) -> Surprise:
    where = f" ({', '.join(anomaly.causes)})" if anomaly.causes else ""
    end = f" to {anomaly.end}" if anomaly.end and anomaly.end != anomaly.start else ""
    what = f"AWS found an anomaly: {anomaly.service or 'several services'}{where}, {anomaly.start}{end}"
    sentence = f"{what}, {dollars(anomaly.impact)} above what it expected."
    return Surprise(anomaly.impact, anomaly.service, sentence, "AWS Cost Anomaly Detection")
