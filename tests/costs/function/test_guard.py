"""The guard and its gate: what AWS Budgets writes, what is really spent, and when a gate counts as closed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.stub import Stubber
from hypothesis import assume, given
from hypothesis import strategies as st

from costs import gate
from costs.function import guard

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
NAME, ACCOUNT, GATE = "shoestring-dev-costs", "123456789012", "/shoestring/dev/window-gate"
FILTER = {"And": [{"Tags": {"Key": "Project", "Values": ["p"]}}, {"Tags": {"Key": "Environment", "Values": ["dev"]}}]}


def message(kind: str = "ACTUAL", limit: str = "15.00", amount: str = "15.40", budget: str = NAME) -> str:
    """What AWS Budgets sends to a topic, word for word."""
    return (
        f"AWS Budget Notification November 25, 2026\nAWS Account {ACCOUNT}\n\nDear AWS Customer,\n\n"
        f"You requested that we alert you when the {kind} Cost associated with your {budget} budget is greater than "
        f"${limit} for the current month. The {kind} Cost associated with this budget is ${amount}. You can find "
        "additional details below and by accessing the AWS Budgets dashboard [1].\n\n"
        f"Budget Name: {budget}\nBudget Type: Cost\nBudgeted Amount: ${limit}\nAlert Type: {kind}\n"
        f"Alert Threshold: > ${limit}\n{kind} Amount: ${amount}\n\n"
        "[1] https://console.aws.amazon.com/billing/home#/budgets\n"
    )


def record(text: str, subject: str = f"AWS Budgets: {NAME} has exceeded your alert threshold", at: str = "") -> Any:
    sent = at or "2026-11-25T09:58:27.357Z"
    return {"EventSource": "aws:sns", "Sns": {"Subject": subject, "Message": text, "Timestamp": sent}}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {"GUARD_BUDGET": NAME, "GUARD_ACCOUNT": ACCOUNT, "GUARD_GATE": GATE}.items():
        monkeypatch.setenv(key, value)


class World:
    """An account at the network's edge: AWS Budgets, Cost Explorer and one parameter, by botocore's own models."""

    def __init__(self) -> None:
        keys = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.made = {name: boto3.client(name, **keys) for name in ("budgets", "ce", "ssm")}
        self.stubs = {name: Stubber(client) for name, client in self.made.items()}
        for stub in self.stubs.values():
            stub.activate()

    def __call__(self, service: str) -> Any:
        return self.made[service]

    def counted(self, usd: str, limit: str = "15.0") -> World:
        money = {"BudgetLimit": {"Amount": limit, "Unit": "USD"}}
        spend = {"CalculatedSpend": {"ActualSpend": {"Amount": usd, "Unit": "USD"}}}
        budget = {"BudgetName": NAME, "TimeUnit": "MONTHLY", "BudgetType": "COST", "FilterExpression": FILTER}
        self.stubs["budgets"].add_response(
            "describe_budget",
            {"Budget": {**budget, **money, **spend}},
            {"AccountId": ACCOUNT, "BudgetName": NAME, "ShowFilterExpression": True},
        )
        return self

    def explored(self, usd: str) -> World:
        total = {"UnblendedCost": {"Amount": usd, "Unit": "USD"}}
        self.stubs["ce"].add_response(
            "get_cost_and_usage",
            {"ResultsByTime": [{"Total": total}]},
            {
                "TimePeriod": {"Start": "2026-11-01", "End": "2026-11-26"},
                "Granularity": "MONTHLY",
                "Metrics": ["UnblendedCost"],
                "Filter": FILTER,
            },
        )
        return self

    def denied(self, service: str, operation: str) -> World:
        self.stubs[service].add_client_error(operation, "AccessDeniedException", "no")
        return self

    def was(self, value: str) -> World:
        self.stubs["ssm"].add_response("get_parameter", {"Parameter": {"Value": value}}, {"Name": GATE})
        return self

    def put(self) -> World:
        self.stubs["ssm"].add_response("put_parameter", {"Version": 2})
        return self

    def done(self) -> None:
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


def test_a_spent_budget_closes_the_gate() -> None:
    world = World().counted("15.4049").was(gate.OPEN_TEXT).put()
    closed = guard.take(record(message()), world, NOW)
    world.done()
    assert closed
    assert json.loads(closed.text()) == {
        "state": "closed",
        "spent_usd": "15.40",
        "limit_usd": "15.00",
        "period": "2026-11",
        "at": "2026-11-25T10:00:00Z",
        "why": f"ACTUAL alarm of {NAME}; figure of AWS Budgets",
    }
    assert gate.read(closed.text()) == closed
    assert closed.closed_at(NOW) and not closed.closed_at(datetime(2026, 12, 1, tzinfo=UTC))


def test_exactly_the_limit_is_spent() -> None:
    assert guard.take(record(message()), World().counted("15.0").was(gate.OPEN_TEXT).put(), NOW)


def test_cost_explorer_is_asked_where_the_budget_lags_behind_its_alarm() -> None:
    world = World().counted("14.90").explored("15.07").was(gate.OPEN_TEXT).put()
    closed = guard.take(record(message()), world, NOW)
    assert closed and (closed.spent_usd, closed.why) == (
        Decimal("15.07"),
        f"ACTUAL alarm of {NAME}; figure of Cost Explorer",
    )
    world.done()


def test_what_is_really_spent_counts_and_not_the_message() -> None:
    world = World().counted("3.00", limit="30.0").explored("3.10")
    assert guard.take(record(message(amount="99.00")), world, NOW) is None
    world.done()


def test_an_account_that_cannot_be_asked_is_closed_by_the_alarm() -> None:
    for world in (
        World().denied("budgets", "describe_budget"),
        World().counted("0").denied("ce", "get_cost_and_usage"),
    ):
        closed = guard.take(record(message(limit="1,015.00", amount="1,020.50")), world.was(gate.OPEN_TEXT).put(), NOW)
        assert closed and (closed.spent_usd, closed.limit_usd) == (Decimal("1020.50"), Decimal("1015.00"))
        assert closed.why.endswith("figure of the alarm alone")


def test_the_same_alarm_again_changes_nothing() -> None:
    before = gate.Gate("closed", Decimal("15.40"), Decimal("15.00"), "2026-11", "2026-11-25T09:59:00Z", "alarm")
    world = World().counted("15.40").was(before.text())
    assert guard.take(record(message()), world, NOW) is None
    world.done()


def test_a_gate_that_was_reopened_after_the_alarm_stays_open_and_a_later_alarm_closes_it() -> None:
    reopened = gate.Gate("open", at="2026-11-25T09:59:00Z", why="one more run")
    assert guard.take(record(message()), World().counted("15.40").was(reopened.text()), NOW) is None
    later = record(message(), at="2026-11-25T10:00:00.000Z")
    assert guard.take(later, World().counted("15.40").was(reopened.text()).put(), NOW)


def test_a_gate_of_last_month_or_an_unreadable_one_is_closed_anew() -> None:
    old = gate.Gate("closed", Decimal(20), Decimal(15), "2026-10", "2026-10-20T00:00:00Z", "alarm")
    for before in (old.text(), "none"):
        assert guard.take(record(message()), World().counted("15.40").was(before).put(), NOW)


@pytest.mark.parametrize(
    "sns",
    [
        record(message("FORECASTED")),
        record(message(budget="another")),
        record(message(), at="2026-10-31T23:59:59.000Z"),
        record('{"accountId": "1", "anomalyId": "f2", "impact": {"maxImpact": 12.0}}', subject="Cost anomaly"),
        record("spent 3.10 of 15.00 dollars", subject="Shoestring: costs of dev"),
    ],
)
def test_what_closes_nothing(sns: Any) -> None:
    world = World()
    assert guard.take(sns, world, NOW) is None
    world.done()


@pytest.mark.parametrize(
    "text", ["", "hello", "{}", "[1]", message().replace("Budgeted Amount: $15.00", ""), message(amount="much")]
)
def test_a_message_that_cannot_be_read_fails_so_that_it_is_seen(text: str) -> None:
    with pytest.raises(guard.Unreadable):
        guard.take(record(text), World(), NOW)


@given(st.text(max_size=300))
def test_no_text_is_taken_for_an_alarm_by_accident(text: str) -> None:
    with pytest.raises(guard.Unreadable):
        guard.alarm(text)


MONEY = st.decimals(0, 10**7, allow_nan=False, places=2)


@given(MONEY, MONEY, st.sampled_from(["ACTUAL", "FORECASTED"]))
def test_amounts_are_read_to_the_cent(limit: Decimal, amount: Decimal, kind: str) -> None:
    found = guard.alarm(message(kind, f"{limit:,.2f}", f"{amount:,.2f}"))
    assert found == guard.Alarm(NAME, kind, limit, amount)


def test_a_missing_gate_is_an_error() -> None:
    world = World().counted("15.40")
    world.stubs["ssm"].add_client_error("get_parameter", "ParameterNotFound")
    with pytest.raises(botocore.exceptions.ClientError):
        guard.take(record(message()), world, NOW)


@given(st.text(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_other_value_is_taken_for_a_gate(text: str) -> None:
    assume("state" not in text)  # hypothesis knows the texts of the code, among them those of a gate
    with pytest.raises(ValueError, match="is not the value of a gate"):
        gate.read(text)


GATES = st.builds(
    gate.Gate,
    st.sampled_from(["open", "closed"]),
    st.none() | MONEY,
    st.none() | MONEY,
    st.dates().map(lambda day: f"{day:%Y-%m}"),
    st.just("2026-11-25T10:00:00Z"),
    st.text(),
)


@given(GATES)
def test_a_gate_is_what_its_text_says(one: gate.Gate) -> None:
    assert gate.read(one.text()) == one


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_cost_explorers_month_ends_with_today(now: datetime) -> None:
    month = guard.month_to_date(now)
    assert month["Start"][:7] == f"{now:%Y-%m}" and month["Start"][8:] == "01"
    assert month["Start"] < month["End"]
