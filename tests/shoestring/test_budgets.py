"""`shoestring budget`: what the account says, in its own shapes, and what is done about it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from costs import gate
from shoestring import budgets
from shoestring.base.errors import UserError

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
NAME, GATE = "shoestring-dev-costs", "/shoestring/dev/window-gate"
USD = {"Unit": "USD"}
FILTER = {"Tags": {"Key": "Environment", "Values": ["dev"]}}


class FakeAccount:
    """An account at the network's edge, by botocore's own models."""

    def __init__(self) -> None:
        keys = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.clients = {name: boto3.client(name, **keys) for name in ("budgets", "ce", "ssm", "sts")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def __call__(self, service: str) -> Any:
        return self.clients[service]

    def answer(
        self, service: str, operation: str, answer: dict[str, Any], expected: dict[str, Any] | None = None
    ) -> FakeAccount:
        self.stubs[service].add_response(operation, answer, expected)
        return self

    def refuse(self, service: str, operation: str, code: str, message: str = "no") -> FakeAccount:
        self.stubs[service].add_client_error(operation, code, message)
        return self

    def assert_all_was_asked(self) -> None:
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


def budget(spent: str, forecast: str | None = None) -> dict[str, Any]:
    spend: dict[str, Any] = {"ActualSpend": {"Amount": spent, **USD}}
    if forecast:
        spend["ForecastedSpend"] = {"Amount": forecast, **USD}
    fixed = {"BudgetName": NAME, "TimeUnit": "MONTHLY", "BudgetType": "COST", "FilterExpression": FILTER}
    return {"Budget": {**fixed, "BudgetLimit": {"Amount": "15.0", **USD}, "CalculatedSpend": spend}}


def fake_account(spent: str = "7.5049", forecast: str | None = "9.1", value: str = gate.OPEN_TEXT) -> FakeAccount:
    account = FakeAccount().answer("sts", "get_caller_identity", {"Account": "123456789012"})
    account.answer("budgets", "describe_budget", budget(spent, forecast))
    return account.answer("ssm", "get_parameter", {"Parameter": {"Value": value}}, {"Name": GATE})


def test_the_status_is_what_aws_budgets_counted() -> None:
    account = fake_account()
    facts = budgets.status("dev", NAME, account, NOW)
    account.assert_all_was_asked()  # and Cost Explorer, which costs, was not asked
    assert (facts["limit_usd"], facts["spent_usd"], facts["forecast_usd"]) == ("15.00", "7.50", "9.10")
    assert (facts["spent_share"], facts["period"], facts["gate"]["open"]) == ("0.500", "2026-11", True)
    shown = budgets.text(facts)
    assert "7.50 (50%, AWS Budgets)" in shown and "new training windows: open" in shown
    json.dumps(facts)


def test_cost_explorer_is_asked_where_the_budget_has_counted_nothing() -> None:
    account = fake_account("0", None)
    total = {"ResultsByTime": [{"Total": {"UnblendedCost": {"Amount": "0.123", **USD}}}]}
    account.answer("ce", "get_cost_and_usage", total)
    expected = {
        "TimePeriod": {"Start": "2026-11-26", "End": "2026-12-01"},
        "Metric": "UNBLENDED_COST",
        "Granularity": "MONTHLY",
        "Filter": FILTER,
    }
    account.answer("ce", "get_cost_forecast", {"Total": {"Amount": "1.5", **USD}}, expected)
    facts = budgets.status("dev", NAME, account, NOW)
    assert (facts["spent_usd"], facts["spent_source"]) == ("0.12", "Cost Explorer")
    assert (facts["forecast_usd"], facts["forecast_source"]) == ("1.62", "Cost Explorer")
    account.assert_all_was_asked()


def test_what_cannot_be_asked_is_noted_and_not_guessed() -> None:
    account = fake_account("0", None)
    account.refuse("ce", "get_cost_and_usage", "AccessDeniedException")
    account.refuse("ce", "get_cost_forecast", "DataUnavailableException")
    facts = budgets.status("dev", NAME, account, NOW)
    assert facts["forecast_usd"] is None and len(facts["notes"]) == 2
    assert "forecast  unknown" in budgets.text(facts)


def test_on_the_last_day_of_a_month_nothing_is_left_to_forecast() -> None:
    facts = budgets.status("dev", NAME, fake_account("3", None), datetime(2026, 11, 30, 12, tzinfo=UTC))
    assert facts["forecast_usd"] == "3.00"


CLOSE, REOPEN = partial(budgets.move_gate, "closed"), partial(budgets.move_gate, "open")
CLOSED = gate.Gate("closed", period="2026-11", at="2026-11-25T09:00:00Z", why="an alarm")


def test_a_closed_gate_names_the_command_that_opens_it() -> None:
    facts = budgets.status("dev", NAME, fake_account(value=CLOSED.text()), NOW)
    assert facts["gate"]["open"] is False
    assert "closed for 2026-11 (since 2026-11-25T09:00:00Z: an alarm)" in budgets.text(facts)
    assert "shoestring budget reopen -e dev" in budgets.text(facts)
    later = budgets.status("dev", NAME, fake_account(value=CLOSED.text()), datetime(2026, 12, 2, tzinfo=UTC))
    assert later["gate"]["open"] is True


@pytest.mark.parametrize(("action", "state"), [(CLOSE, "closed"), (REOPEN, "open")])
def test_the_gate_is_moved_with_a_reason(action: Any, state: str) -> None:
    account = FakeAccount().answer("ssm", "get_parameter", {"Parameter": {"Value": "x"}})
    moved = action("dev", "agreed by Ann", _putting(account), NOW)
    account.assert_all_was_asked()
    assert (moved.state, moved.why, moved.closed_at(NOW)) == (state, "agreed by Ann", state == "closed")


def _putting(account: FakeAccount) -> FakeAccount:
    return account.answer("ssm", "put_parameter", {"Version": 2})


@pytest.mark.parametrize(
    ("action", "arguments"),
    [(CLOSE, ("dev", "why")), (REOPEN, ("dev", "why")), (budgets.status, ("dev", NAME))],
)
def test_a_platform_without_a_gate_is_named(action: Any, arguments: tuple[str, str]) -> None:
    account = FakeAccount().answer("sts", "get_caller_identity", {"Account": "1" * 12})
    account.answer("budgets", "describe_budget", budget("1", "2")).refuse("ssm", "get_parameter", "ParameterNotFound")
    with pytest.raises(UserError, match=r"no parameter /shoestring/dev/window-gate(?s:.*)pulumi up --refresh"):
        action(*arguments, account, NOW)


def test_a_missing_budget_and_an_unreadable_gate_are_named() -> None:
    account = FakeAccount().answer("sts", "get_caller_identity", {"Account": "1" * 12})
    with pytest.raises(UserError, match=f"no budget {NAME}"):
        budgets.status("dev", NAME, account.refuse("budgets", "describe_budget", "NotFoundException"), NOW)
    with pytest.raises(UserError, match="'none' is not the value of a gate"):
        budgets.status("dev", NAME, fake_account(value="none"), NOW)


def tags(**states: str) -> dict[str, Any]:
    return {"CostAllocationTags": [{"TagKey": key, "Type": "UserDefined", "Status": states[key]} for key in states]}


def test_only_what_is_not_active_is_activated() -> None:
    known = tags(**{tag: "Active" for tag in budgets.TAGS} | {"Owner": "Inactive"})
    account = FakeAccount().answer("ce", "list_cost_allocation_tags", known)
    expected = {"CostAllocationTagsStatus": [{"TagKey": "Owner", "Status": "Active"}]}
    account.answer("ce", "update_cost_allocation_tags_status", {"Errors": []}, expected)
    states = {tag["tag"]: tag["status"] for tag in budgets.activate_tags(account)}
    assert states == {**dict.fromkeys(budgets.TAGS, "active"), "Owner": "activated now"}
    account.assert_all_was_asked()


def test_tags_that_aws_has_not_seen_are_named() -> None:
    account = FakeAccount().answer("ce", "list_cost_allocation_tags", tags(Project="Active"))
    with pytest.raises(UserError, match=r"does not know the tags Environment, Team(?s:.*)24 hours"):
        budgets.activate_tags(account)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_an_account_that_may_not_is_sent_to_the_payer(code: str) -> None:
    account = FakeAccount().refuse("ce", "list_cost_allocation_tags", code, "Linked account doesn't have access")
    with pytest.raises(UserError, match=r"Linked account doesn't have access(?s:.*)payer"):
        budgets.activate_tags(account)


def test_a_refused_tag_is_named() -> None:
    account = FakeAccount().answer("ce", "list_cost_allocation_tags", tags(**dict.fromkeys(budgets.TAGS, "Inactive")))
    errors = [{"TagKey": "Team", "Code": "TAG_KEYS_NOT_FOUND", "Message": "not found"}]
    account.answer("ce", "update_cost_allocation_tags_status", {"Errors": errors})
    with pytest.raises(UserError, match="did not activate Team: not found"):
        budgets.activate_tags(account)
