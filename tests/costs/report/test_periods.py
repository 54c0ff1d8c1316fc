"""The days that a report is about."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.report.periods import Period, chosen, month_of, week
from shoestring.base.errors import UserError

TODAY = date(2026, 11, 25)  # a Wednesday
DATES = st.dates(date(2020, 1, 1), date(2035, 1, 1))


def test_the_default_is_the_last_whole_week() -> None:
    """From Monday to Sunday, and it is over."""
    found = chosen(TODAY)
    assert (found.start, found.last, found.name) == (date(2026, 11, 16), date(2026, 11, 22), "2026-W47")


@given(DATES)
def test_the_last_week_is_over_and_ended_within_a_week(today: date) -> None:
    """On a Monday as on a Sunday."""
    found = chosen(today)
    assert found.days == 7 and found.start.isoweekday() == 1
    assert timedelta(0) < today - found.last <= timedelta(7)
    assert week(found.name) == found


def test_the_running_week_keeps_its_name() -> None:
    """So that its report is written over by the next one, and at last by the whole week's."""
    found = chosen(TODAY, running=True)
    assert (found.start, found.last, found.name) == (date(2026, 11, 23), TODAY, "2026-W48")
    assert found.title == "2026-W48 so far"


def test_any_days_can_be_asked_for() -> None:
    """Both ends are included; without an end, it is today."""
    found = chosen(TODAY, since="2026-11-01", until="2026-11-03")
    assert (found.days, found.name, found.title) == (3, "2026-11-01_2026-11-03", "2026-11-01 to 2026-11-03")
    assert chosen(TODAY, since="2026-11-20").last == TODAY


def test_days_to_come_are_left_out() -> None:
    """Of a week that runs."""
    found = chosen(TODAY, of_week="2026-W48")
    assert (found.last, found.name) == (TODAY, "2026-W48")


@given(DATES, st.integers(1, 182))
def test_the_period_before_has_the_same_weekdays(start: date, days: int) -> None:
    """And as many of them, all before."""
    found = Period(start, start + timedelta(days))
    assert found.before.days == days
    assert found.before.start.weekday() == start.weekday()
    assert found.before.end <= start


def test_a_month_has_its_own_days() -> None:
    """December too."""
    assert month_of(date(2026, 12, 31)) == Period(date(2026, 12, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"of_week": "2026-W60"}, "--week 2026-W60 is no week"),
        ({"of_week": "47"}, "--week 47 is no week"),
        ({"of_week": "2026-W47", "since": "2026-11-01"}, "--week stands beside --since"),
        ({"until": "2026-11-15"}, "has no --since"),
        ({"since": "yesterday"}, "--since yesterday is no date"),
        ({"since": "2026-11-15", "until": "2026-11-01"}, "is before --since"),
        ({"since": "2026-12-01"}, "--until 2026-11-25 is before"),
        ({"of_week": "2026-W50"}, "2026-W50 has not begun (today is 2026-11-25, UTC)"),
        ({"since": "2024-01-01"}, "days are asked for"),
    ],
)
def test_what_cannot_be_is_one_clear_message(options: dict[str, str], said: str) -> None:
    """With what is expected, and an option that works."""
    with pytest.raises(UserError) as error:
        chosen(TODAY, **options)
    assert said in error.value.found
    assert error.value.expected and "--" in error.value.mend
