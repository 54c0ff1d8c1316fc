"""The days that a report is about: dates in UTC, as Cost Explorer counts them; the end is never included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from shoestring.base.errors import UserError

WEEK = re.compile(r"\d{4}-W\d{2}", re.ASCII)
DAY = timedelta(days=1)
LONGEST = 182  # days in one report: with as many before, what Cost Explorer keeps by day


class Span(NamedTuple):
    """From a moment to another, both with their zone."""

    start: datetime
    end: datetime

    @property
    def milliseconds(self) -> tuple[int, int]:
        """As CloudWatch Logs counts time."""
        return int(self.start.timestamp() * 1000), int(self.end.timestamp() * 1000)

    @property
    def days(self) -> int:
        """At least 1."""
        return max(1, round((self.end - self.start) / DAY))


@dataclass(frozen=True)
class Period:
    """From `start` up to, and without, `end`. A running week is known by its week's name from its first day on."""

    start: date
    end: date
    running: bool = False

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"{self.end} is not after {self.start}")

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - DAY

    @property
    def moments(self) -> Span:
        """When it begins and when it ends."""
        return Span(*(datetime.combine(day, time(), UTC) for day in (self.start, self.end)))

    @property
    def before(self) -> Period:
        """As many days before it, whole weeks back, so that weekdays meet."""
        back = timedelta(days=-(-self.days // 7) * 7)
        return Period(self.start - back, self.end - back)

    @property
    def name(self) -> str:
        """`2026-W47` for a week from Monday to Sunday, else `2026-11-16_2026-11-18` (both included), or the one day."""
        if self.running or (self.days == 7 and self.start.isoweekday() == 1):
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02d}"
        return f"{self.start}_{self.last}" if self.days > 1 else f"{self.start}"

    @property
    def title(self) -> str:
        """The name for people."""
        so_far = " so far" if self.running and self.days < 7 else ""
        return self.name.replace("_", " to ") + so_far

    def __iter__(self) -> Iterator[date]:
        return (self.start + DAY * number for number in range(self.days))

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def month_of(day: date) -> Period:
    """The calendar month that `day` is in."""
    first = day.replace(day=1)
    return Period(first, (first + 31 * DAY).replace(day=1))


def week(text: str) -> Period:
    """The days of an ISO week like 2026-W47. Raises UserError for anything else."""
    try:
        if not WEEK.fullmatch(text):
            raise ValueError(text)
        start = date.fromisocalendar(int(text[:4]), int(text[6:]), 1)
    except ValueError:
        raise UserError(f"--week {text} is no week", "an ISO week of a year", "--week 2026-W47") from None
    return Period(start, start + 7 * DAY)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option} {text} is no date", "a date as year, month, day", f"{option} 2026-11-16") from None


def chosen(today: date, of_week: str = "", since: str = "", until: str = "", running: bool = False) -> Period:
    """The period that the options ask for, both `since` and `until` included; without, the last whole week from Monday
    to Sunday, or `running`, this week up to and with today.

    Raises:
        UserError: the options contradict each other, are no dates, or lie in the future.
    """
    if of_week and (since or until):
        raise UserError("--week stands beside --since or --until", "one of the two", "--week 2026-W47")
    if of_week:
        period = week(of_week)
    elif since or until:
        if not since:
            raise UserError(f"--until {until} has no --since", "both ends", "--since 2026-11-01 --until 2026-11-15")
        first, last = _day("--since", since), _day("--until", until) if until else today
        if last < first:
            raise UserError(f"--until {last} is before --since {first}", "an end after the start", f"--until {today}")
        period = Period(first, last + DAY)
    else:
        monday = today - DAY * today.weekday()
        return Period(monday, today + DAY, running) if running else Period(monday - 7 * DAY, monday)
    if period.start > today:
        raise UserError(f"{period.name} has not begun (today is {today}, UTC)", "days up to today", f"--until {today}")
    if period.days > LONGEST:
        raise UserError(f"{period.days} days are asked for", f"{LONGEST} at most", f"--since {today - 365 * DAY}")
    if period.end > today + DAY:  # days to come
        return Period(period.start, today + DAY, running=bool(of_week))
    return period
