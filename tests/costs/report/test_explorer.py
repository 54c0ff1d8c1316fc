"""Cost Explorer: how often it is asked, and what happens when it does not answer as it should."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import boto3
import botocore.config
import pytest
from botocore.stub import ANY, Stubber

from costs.plan.rules.observability import REPORT_REQUESTS
from costs.report.explorer import BILLED, Explorer, Forecast, Readings, Scope, rows_of
from costs.report.periods import chosen
from shoestring.base.errors import UserError
from tests.costs.report import sample

SCOPE = Scope(sample.PROJECT, sample.ENVIRONMENT)
PERIOD = chosen(sample.TODAY)


def read(client: Any, sleep: Callable[[float], None] = lambda seconds: None) -> Readings:
    """What Cost Explorer says of the sample's week."""
    return Explorer(client, sleep).read(SCOPE, PERIOD, sample.TODAY, sample.MONITOR)


@pytest.fixture
def stubbed() -> tuple[Any, Stubber]:
    """A real client that never reaches the network: botocore checks what is sent and what comes back."""
    client = boto3.client(
        "ce", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x",
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    return client, Stubber(client)


def page(day: str = "2026-11-16", amount: str = "1.50", unit: str = "USD", **more: Any) -> dict[str, Any]:
    """An answer with one group."""
    metrics = {
        "UnblendedCost": {"Amount": amount, "Unit": unit},
        "AmortizedCost": {"Amount": amount, "Unit": unit},
        "UsageQuantity": {"Amount": "3", "Unit": "Hrs"},
    }
    group = {"Keys": ["AWS Lambda", "Request"], "Metrics": metrics}
    result = {"TimePeriod": {"Start": day, "End": "2026-11-17"}, "Groups": [group], "Estimated": True}
    return {"ResultsByTime": [result], **more}


def test_five_requests_make_a_report() -> None:
    """Each is billed: 0.05 dollars, below the eight that a weekly report may take."""
    client = sample.CostExplorer()
    assert read(client).requests == len(client.asked) == REPORT_REQUESTS == 5
    assert [name for name, _ in client.asked] == ["GetCostAndUsage"] * 3 + ["GetCostForecast", "GetAnomalies"]


def test_without_machines_it_is_four() -> None:
    """How instances were bought is asked only where there were some."""
    assert (
        read(sample.CostExplorer(lambda day: [("shoestring", "AWS Lambda", "Request", "1", "1", "Requests")])).requests
        == 4
    )


def test_what_is_asked_is_what_aws_accepts(stubbed: tuple[Any, Stubber]) -> None:
    """botocore checks names and shapes against AWS's own model."""
    client, stubber = stubbed
    days = {"Start": "2026-11-01", "End": "2026-11-26"}  # the month, which holds the week before, and today
    groups = [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}]
    tags = [{"Tags": {"Key": "Project", "Values": ["shoestring"]}}, {"Tags": {"Key": "Environment", "Values": ["dev"]}}]
    metrics = [BILLED, "AmortizedCost", "UsageQuantity"]
    first = {"TimePeriod": days, "Granularity": "DAILY", "Metrics": metrics, "GroupBy": groups, "Filter": {"And": tags}}
    stubber.add_response("get_cost_and_usage", page(), first)
    by_tag = [{"Type": "TAG", "Key": "Project"}, {"Type": "DIMENSION", "Key": "SERVICE"}]
    second = {**first, "TimePeriod": {"Start": "2026-11-09", "End": "2026-11-23"}, "GroupBy": by_tag}
    del second["Filter"]
    stubber.add_response("get_cost_and_usage", {"ResultsByTime": []}, second)
    ahead = {"Start": "2026-11-25", "End": "2026-12-01"}
    forecast = {"TimePeriod": ahead, "Metric": "UNBLENDED_COST", "Granularity": "MONTHLY", "Filter": {"And": tags}}
    total = {"Total": {"Amount": "2", "Unit": "USD"}, "ForecastResultsByTime": []}
    stubber.add_response("get_cost_forecast", total, {**forecast, "PredictionIntervalLevel": 80})
    week = {"StartDate": "2026-11-16", "EndDate": "2026-11-22"}
    stubber.add_response("get_anomalies", {"Anomalies": []}, {"DateInterval": week, "MonitorArn": sample.MONITOR})
    with stubber:
        found = read(client)
    assert [row.billed for row in found.rows] == [Decimal("1.50")] and found.rows[0].estimated
    assert found.forecast == Forecast(Decimal(2)) and found.notes == ()


def test_pages_are_followed_and_counted(stubbed: tuple[Any, Stubber]) -> None:
    """A page is a request."""
    client, stubber = stubbed
    stubber.add_response("get_cost_and_usage", page(NextPageToken="more"))
    stubber.add_response("get_cost_and_usage", page("2026-11-17"), {"NextPageToken": "more", **dict.fromkeys(
        ("TimePeriod", "Granularity", "Metrics", "GroupBy", "Filter"), ANY)})  # fmt: skip
    stubber.add_response("get_cost_and_usage", {"ResultsByTime": []})
    stubber.add_response("get_cost_forecast", {"Total": {"Amount": "2", "Unit": "USD"}})
    stubber.add_response("get_anomalies", {"Anomalies": []})
    with stubber:
        found = read(client)
    assert [row.day.day for row in found.rows] == [16, 17] and found.requests == 5


def test_throttled_it_waits_and_comes_back(stubbed: tuple[Any, Stubber]) -> None:
    """Twice, each wait twice as long; the tries count, as AWS bills them."""
    client, stubber = stubbed
    for _ in range(2):
        stubber.add_client_error("get_cost_and_usage", "LimitExceededException", "Rate exceeded")
    stubber.add_response("get_cost_and_usage", page())
    stubber.add_response("get_cost_and_usage", {"ResultsByTime": []})
    stubber.add_response("get_cost_forecast", {"Total": {"Amount": "2", "Unit": "USD"}})
    stubber.add_response("get_anomalies", {"Anomalies": []})
    waits: list[float] = []
    with stubber:
        found = read(client, waits.append)
    assert waits == [1.0, 2.0] and found.requests == 6


def test_throttled_to_the_end_is_one_message(stubbed: tuple[Any, Stubber]) -> None:
    """After five tries."""
    client, stubber = stubbed
    for _ in range(5):
        stubber.add_client_error("get_cost_and_usage", "LimitExceededException", "Rate exceeded")
    with stubber, pytest.raises(UserError, match=r"5 tries of ce:GetCostAndUsage in 15 s failed"):
        read(client)


def test_denied_names_the_action_and_what_to_attach(stubbed: tuple[Any, Stubber]) -> None:
    """And where IAM access to billing is switched on."""
    client, stubber = stubbed
    said = "User: arn:aws:iam::210987654321:user/ann is not authorized to perform: ce:GetCostAndUsage"
    stubber.add_client_error("get_cost_and_usage", "AccessDeniedException", said)
    with stubber, pytest.raises(UserError) as error:
        read(client)
    assert said in error.value.found and "ce:GetCostAndUsage for who asks" in error.value.expected
    assert "Activate IAM access" in error.value.expected and '"Action": "ce:GetCostAndUsage"' in error.value.mend


def test_not_enabled_is_said(stubbed: tuple[Any, Stubber]) -> None:
    """Cost Explorer is off until somebody opens it."""
    client, stubber = stubbed
    stubber.add_client_error("get_cost_and_usage", "DataUnavailableException", "")
    with stubber, pytest.raises(UserError, match="Cost Explorer has no data") as error:
        read(client)
    assert "24 hours" in error.value.mend


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ExpiredTokenException", "credentials that work"),
        ("ValidationException", "the last 13 months"),
        ("X", "an answer"),
    ],
)
def test_what_else_it_refuses(stubbed: tuple[Any, Stubber], code: str, expected: str) -> None:
    """With AWS's own words."""
    client, stubber = stubbed
    stubber.add_client_error("get_cost_and_usage", code, "so it is")
    with stubber, pytest.raises(UserError, match=f"{code}: so it is") as error:
        read(client)
    assert expected in error.value.expected


def test_no_answer_at_all_is_said() -> None:
    """Nothing listens there."""
    client = boto3.client(
        "ce", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x",
        endpoint_url="http://127.0.0.1:9", config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    with pytest.raises(UserError, match="Cost Explorer does not answer") as error:
        read(client)
    assert "shoestring cloud up" in error.value.mend


def test_forecast_and_anomalies_may_be_missing(stubbed: tuple[Any, Stubber]) -> None:
    """A young account has no forecast: the report is made, and says so."""
    client, stubber = stubbed
    stubber.add_response("get_cost_and_usage", page())
    stubber.add_response("get_cost_and_usage", {"ResultsByTime": []})
    stubber.add_client_error("get_cost_forecast", "DataUnavailableException", "Insufficient amount of historical data")
    stubber.add_client_error("get_anomalies", "AccessDeniedException", "not authorized")
    with stubber:
        found = read(client)
    assert found.forecast.usd is None and "Insufficient amount" in found.forecast.why
    assert len(found.notes) == 2 and "ce:GetAnomalies" in found.notes[1]


def test_without_a_monitor_of_its_own_no_anomalies_are_read() -> None:
    """They would be the whole account's."""
    client = sample.CostExplorer()
    found = Explorer(client).read(SCOPE, PERIOD, sample.TODAY)
    assert "GetAnomalies" not in [name for name, _ in client.asked] and found.anomalies == ()
    assert any("no anomaly monitor" in note for note in found.notes)


def test_a_month_that_is_over_is_not_forecast() -> None:
    """A request less."""
    client = sample.CostExplorer()
    found = Explorer(client).read(SCOPE, chosen(sample.TODAY, of_week="2026-W42"), sample.TODAY, sample.MONITOR)
    assert found.forecast.why == "October 2026 is over"
    assert "GetCostForecast" not in [name for name, _ in client.asked]


def test_another_currency_is_refused(stubbed: tuple[Any, Stubber]) -> None:
    """Never added to dollars."""
    client, stubber = stubbed
    stubber.add_response("get_cost_and_usage", page(unit="CNY"))
    with stubber, pytest.raises(UserError, match="is in 'CNY'") as error:
        read(client)
    assert "no exchange rate is guessed" in error.value.expected


@pytest.mark.parametrize("amount", ["", "NaN", "Infinity", "12,50"])
def test_what_is_no_number_is_refused(amount: str) -> None:
    """Not taken for zero."""
    with pytest.raises(UserError, match="expected: a decimal number"):
        rows_of(page(amount=amount))


def test_amounts_stay_as_they_are_written() -> None:
    """To the last digit: no float comes near."""
    assert rows_of(page(amount="0.1000000000000000055511151231257827"))[0].billed == Decimal(
        "0.1000000000000000055511151231257827"
    )


def test_projects_are_told_apart_by_tag() -> None:
    """What carries no Project has an empty name."""
    found = read(sample.CostExplorer())
    assert {row.keys[0] for row in found.projects} == {"shoestring", "crm", ""}
    assert min(row.day for row in found.projects) == date(2026, 11, 9)
