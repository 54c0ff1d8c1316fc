"""Sums, days, comparisons, the month and the surprises, on answers in Cost Explorer's shapes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.amounts import dollars
from costs.report import analysis
from costs.report.account import Limit
from costs.report.analysis import Day, comparable, comparison, days, items, month, percent, surprises
from costs.report.explorer import Anomaly, BilledRow, Explorer, Forecast, Readings, Scope
from costs.report.periods import Period, chosen
from tests.costs.report import sample

SCOPE = Scope("shoestring", "dev")
TODAY = sample.TODAY
WEEK = chosen(TODAY)


def row(day: date, usd: str, service: str = "AWS Lambda", usage: str = "Request") -> BilledRow:
    """A day's sum."""
    return BilledRow(day, (service, usage), Decimal(usd), Decimal(usd), Decimal(1), "Requests", False)


def readings(rows: list[BilledRow], period: Period = WEEK, today: date = TODAY, **more: object) -> Readings:
    """What Cost Explorer said."""
    return Readings(SCOPE, period, today, rows=tuple(rows), **more)  # type: ignore[arg-type]


def steady(period: Period = WEEK, usd: str = "1") -> list[BilledRow]:
    """The same every day, the period before included."""
    return [row(day, usd) for day in (*period.before, *period)]


@pytest.fixture(scope="module")
def team() -> Readings:
    """The sample's week."""
    return Explorer(sample.CostExplorer()).read(SCOPE, WEEK, TODAY, sample.MONITOR)


def test_the_sums_agree(team: Readings) -> None:
    """By day, by service, by usage type, and by hand."""
    found = days(team)
    services = items(team.rows, WEEK, comparable(found))
    by_hand = sum(
        (Decimal(line[3]) for day in WEEK for line in sample.lines_of(day) if line[0] == "shoestring"), Decimal(0)
    )
    assert sum(day.usd for day in found) == sum(item.usd for item in services) == by_hand
    assert all(sum(part.usd for part in item.parts) == item.usd for item in services)


def test_quantities_have_units(team: Readings) -> None:
    """Where all have the same; a service of several units has none."""
    services = {item.name: item for item in items(team.rows, WEEK, comparable(days(team)))}
    gateway = next(part for part in services["EC2 - Other"].parts if part.name == "NatGateway-Hours")
    assert (gateway.quantity, gateway.unit) == (Decimal(72), "Hrs")
    assert services["EC2 - Other"].quantity is None


def test_a_running_day_is_in_the_sum_and_in_no_comparison() -> None:
    """Half a day is no saving."""
    period = chosen(TODAY, running=True)
    found = days(readings([row(day, "1") for day in (*period.before, *period)], period))
    assert [day.state for day in found] == ["whole", "whole", "running"]
    assert comparison(found) == analysis.Comparison(2, Decimal(2), Decimal(2))


def test_a_day_that_is_missing_is_late_and_no_saving() -> None:
    """Cost Explorer leaves it out, or says zero; the days before it are compared."""
    monday = date(2026, 11, 23)
    rows = [each for each in steady() if each.day != WEEK.last]
    found = days(readings(rows, today=monday))
    assert [day.state for day in found] == ["whole"] * 6 + ["late"]
    assert comparison(found).change_usd == 0
    zero = days(readings([*rows, row(WEEK.last, "0")], today=monday))
    assert zero[-1].state == "late"


def test_yesterday_with_less_than_half_is_not_whole_yet() -> None:
    """What stands all day costs half a day at least."""
    rows = [each for each in steady() if each.day != WEEK.last] + [row(WEEK.last, "0.3")]
    assert days(readings(rows, today=WEEK.end))[-1].state == "late"
    assert days(readings(rows, today=WEEK.end + timedelta(2)))[-1].state == "whole"  # by then it is in: it was cheap


def test_days_that_are_long_over_cost_nothing_when_they_are_empty() -> None:
    """Four days after, nothing is late any more."""
    rows = [row(day, "1") for day in (*WEEK.before, WEEK.start)]
    found = days(readings(rows, today=WEEK.end + timedelta(5)))
    assert {day.state for day in found} == {"whole"} and comparison(found).change_usd == -6


def test_without_a_period_before_there_is_nothing_to_compare() -> None:
    """A new project has not become infinitely dearer."""
    found = days(readings([row(day, "1") for day in WEEK]))
    assert comparison(found).why_not == "nothing was billed in the period before"
    assert surprises(readings([row(day, "1") for day in WEEK]), found, (), "billed") == ()


def test_nothing_at_all_is_empty_and_not_late() -> None:
    """All zeros, and every day is there."""
    found = days(readings([]))
    assert len(found) == 7 and {day.usd for day in found} == {Decimal(0)} and {day.state for day in found} == {"whole"}


def test_the_month_counts_nothing_twice() -> None:
    """The forecast begins today: what was billed today is in it, not beside it."""
    rows = [row(date(2026, 11, day), "1") for day in range(1, 26)]
    found = month(readings(rows, forecast=Forecast(Decimal(6), Decimal(5), Decimal(8))), Limit(Decimal(40), "budget"))
    assert (found.usd, found.expected_usd, found.expected_low_usd, found.expected_high_usd) == (25, 30, 29, 32)
    assert (found.start, found.end, found.through) == (date(2026, 11, 1), date(2026, 12, 1), TODAY)


def test_a_small_bills_forecast_agrees_with_itself() -> None:
    """What is billed already is the least; what is expected lies within the bounds, also where AWS lags behind."""
    rows = [row(TODAY, "0.0011")]
    behind = Forecast(Decimal("0.0005"), Decimal(0), Decimal("0.00074"))
    found = month(readings(rows, forecast=behind), Limit(Decimal(15), "budget"))
    assert found.expected_low_usd == found.expected_usd == found.expected_high_usd == found.usd == Decimal("0.0011")
    apart = Forecast(Decimal("0.5"), Decimal("0.6"), Decimal("0.4"))
    found = month(readings([], forecast=apart), Limit(Decimal(15), "budget"))
    low, expected, high = found.expected_low_usd, found.expected_usd, found.expected_high_usd
    assert low and high and expected and low <= expected <= high


def test_without_cost_explorers_forecast_the_budgets_counts() -> None:
    """With its own name as source; without either, nothing is guessed."""
    rows = [row(TODAY, "1")]
    none = Forecast(None, why="too young")
    limit = Limit(Decimal(40), "AWS budget dev", "dev", Decimal(1), Decimal("27.31"))
    found = month(readings(rows, forecast=none), limit)
    assert (found.expected_usd, found.expected_source) == (Decimal("27.31"), "forecast of AWS budget dev")
    nothing = month(readings(rows, forecast=none), Limit(None, "none"))
    assert (nothing.expected_usd, nothing.expected_source) == (None, "no forecast: too young")


def test_the_sample_has_three_surprises(team: Readings) -> None:
    """The largest first, each with its figures, no service twice before all were told of."""
    found = days(team)
    told = surprises(team, found, items(team.rows, WEEK, comparable(found)), "billed")
    assert [each.service for each in told] == ["Amazon SageMaker", "EC2 - Other", "EC2 - Other"]
    assert told[0].sentence == (
        "Thursday 19 November cost $3.88, +$3.30 against Thursday 12 November, +$2.22 of it Amazon SageMaker."
    )
    assert told[1].usd == Decimal("3.24") and "NatGateway-Hours" in told[1].sentence


def test_a_service_that_went_is_a_surprise_too() -> None:
    """Less is a difference as well."""
    rows = [row(day, "2", "Amazon SageMaker", "Train") for day in WEEK.before] + steady()
    found = days(readings(rows))
    told = surprises(readings(rows), found, items(rows, WEEK, comparable(found)), "billed")
    assert told[0].usd == -14 and "$0.00 instead of $14.00" in told[0].sentence and "(-$14.00)" in told[0].sentence


def test_an_anomaly_is_told_without_a_comparison() -> None:
    """AWS compares for itself; cents surprise nobody."""
    large = Anomaly("AWS Lambda", "2026-11-18", "2026-11-18", Decimal("2.5"), ("us-east-1 Request",))
    small = Anomaly("Amazon S3", "2026-11-18", "2026-11-18", Decimal("0.02"))
    told = surprises(readings([], anomalies=(small, large)), days(readings([])), (), "billed")
    assert [each.usd for each in told] == [Decimal("2.5")]


USD = st.decimals(0, 1000, places=10)


@given(st.lists(st.tuples(st.integers(0, 13), st.sampled_from(["A", "B", "C"]), USD), max_size=40))
def test_no_dollar_is_lost(spent: list[tuple[int, str, Decimal]]) -> None:
    """Whatever comes in: days, services and parts add up to the same."""
    start = WEEK.before.start
    rows = [
        BilledRow(start + timedelta(day), (service, "x"), usd, usd, Decimal(1), "Hrs", False)
        for day, service, usd in spent
    ]
    given_ = readings(rows)
    found = days(given_)
    services = items(given_.rows, WEEK, comparable(found))
    inside = sum((each.billed for each in rows if each.day in WEEK), Decimal(0))
    assert sum((day.usd for day in found), Decimal(0)) == inside
    assert sum((item.usd for item in services), Decimal(0)) == inside
    compared = comparison(found)
    assert sum((item.compared_usd - item.before_usd for item in services), Decimal(0)) == compared.change_usd


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        ("0", "$0.00"), ("1234.5", "$1,234.50"), ("0.0052", "$0.0052"), ("0.0098", "$0.0098"), ("-3.2", "-$3.20"),
        ("0.0000266", "$0.000027"), ("2.675", "$2.68"), ("0.0000000000055", "<$0.000001"), ("-1E-30", "-<$0.000001"),
    ],
)  # fmt: skip
def test_dollars_for_people(usd: str, shown: str) -> None:
    """To the cent, half a cent up; what is smaller is not shown as nothing."""
    assert dollars(Decimal(usd)) == shown


def test_a_share_of_nothing_is_not_shown() -> None:
    """No division by zero."""
    assert (percent(Decimal(1), Decimal(3)), percent(Decimal(1), Decimal(0))) == ("33 %", "")


def test_a_day_knows_the_same_weekday_before() -> None:
    """One week back."""
    shape: Callable[[Day], tuple[date, Decimal]] = lambda day: (day.day, day.before_usd)  # noqa: E731
    rows = [row(WEEK.before.start, "5")]
    assert shape(days(readings(rows))[0]) == (WEEK.start, Decimal(5))
