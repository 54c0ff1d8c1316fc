"""The budget that binds, on the real engine and the emulated account: spent, closed, refused, reopened, and gone."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from localcloud.processes import wait_until
from tests.acceptance.conftest import Bed
from tests.conftest import client as clients

GATE = "/shoestring/local/window-gate"
BUDGET = "shoestring-local-costs"


def client(bed: Bed, service: str) -> Any:
    return clients(vars(bed), service)


def gate(bed: Bed) -> dict[str, str]:
    return json.loads(client(bed, "ssm").get_parameter(Name=GATE)["Parameter"]["Value"])


def alarm(limit: str, amount: str) -> dict[str, Any]:
    """What SNS hands the guard when AWS Budgets sends an alarm."""
    text = (
        f"AWS Budget Notification {datetime.now(UTC):%B %d, %Y}\nAWS Account 000000000000\n\nDear AWS Customer,\n\n"
        f"You requested that we alert you when the ACTUAL Cost associated with your {BUDGET} budget is greater than "
        f"${limit} for the current month. The ACTUAL Cost associated with this budget is ${amount}. You can find "
        "additional details below and by accessing the AWS Budgets dashboard [1].\n\n"
        f"Budget Name: {BUDGET}\nBudget Type: Cost\nBudgeted Amount: ${limit}\nAlert Type: ACTUAL\n"
        f"Alert Threshold: > ${limit}\nACTUAL Amount: ${amount}\n\n"
        "[1] https://console.aws.amazon.com/billing/home#/budgets\n"
    )
    subject = f"AWS Budgets: {BUDGET} has exceeded your alert threshold"
    sns = {"Subject": subject, "Message": text, "Timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.357Z"}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": sns}]}


def invoke(bed: Bed, function: str, event: dict[str, Any]) -> Any:
    answer = client(bed, "lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    body = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, body
    return body


def outputs(bed: Bed) -> dict[str, Any]:
    return json.loads(bed.run("pulumi", "stack", "output", "--json", "--stack", "local"))


@pytest.fixture(autouse=True)
def open_again(bed: Bed) -> Any:
    yield
    if bed.resources("local"):
        client(bed, "ssm").put_parameter(Name=GATE, Value='{"state": "open"}', Type="String", Overwrite=True)


def test_a_second_up_changes_nothing_and_the_platform_says_what_it_costs(bed: Bed) -> None:
    bed.pulumi("up", "-s", "local", "--expect-no-changes")
    assert Decimal(outputs(bed)["idle_monthly_usd"]) < 10
    answer = client(bed, "sns").list_subscriptions_by_topic(TopicArn=outputs(bed)["cost_topic"])
    assert [subscription["Protocol"] for subscription in answer["Subscriptions"]] == ["lambda"]


def test_an_alarm_that_the_account_does_not_confirm_closes_nothing(bed: Bed) -> None:
    assert invoke(bed, BUDGET, alarm("15.00", "15.40")) == {"closed": []}
    assert gate(bed)["state"] == "open"


def test_an_unreadable_alarm_is_a_failed_run(bed: Bed) -> None:
    event = {"Records": [{"Sns": {"Subject": "AWS Budgets", "Message": "spent", "Timestamp": ""}}]}
    answer = client(bed, "lambda").invoke(FunctionName=BUDGET, Payload=json.dumps(event).encode())
    assert answer["FunctionError"]
    assert "in the message 'spent'" in json.loads(answer["Payload"].read())["errorMessage"]
    assert gate(bed)["state"] == "open"


def spend(bed: Bed) -> None:
    """Makes the limit what is long spent, so that the meter sends the alarm that AWS would send."""
    budgets = client(bed, "budgets")
    answer = budgets.describe_budget(AccountId="000000000000", BudgetName=BUDGET, ShowFilterExpression=True)
    kept = {
        key: answer["Budget"][key] for key in ("BudgetName", "TimeUnit", "BudgetType", "FilterExpression", "Metrics")
    }
    changed = {**kept, "BudgetLimit": {"Amount": "0.0001", "Unit": "USD"}}
    budgets.update_budget(AccountId="000000000000", NewBudget=changed)


def test_a_spent_budget_closes_the_environment_until_it_is_reopened(bed: Bed) -> None:
    spend(bed)
    assert wait_until(lambda: gate(bed)["state"] == "closed", 60), bed.shoestring("cloud", "logs", "-n", "60")
    closed = gate(bed)
    assert closed["period"] == f"{datetime.now(UTC):%Y-%m}"
    assert Decimal(closed["spent_usd"]) >= Decimal(closed["limit_usd"]) == Decimal("0.0001")

    for operation in ("preview", "up"):
        refused = bed.pulumi(operation, "-s", "local-window", code=1)
        assert f"{closed['spent_usd']} of 0.0001 dollars are spent in {closed['period']}" in refused
        assert "shoestring budget reopen -e local" in refused
    assert not [urn for urn in bed.resources("local-window") if re.search(r"(::|\$)aws:", urn)]

    status = json.loads(bed.shoestring("budget", "status", "--json").partition("{")[2].join(("{", "")))
    assert (status["gate"]["open"], status["limit_usd"]) == (False, "0.0001")
    shown = bed.shoestring("budget", "status")
    assert f"closed for {closed['period']}" in shown and "mend it:  shoestring budget reopen -e local" in shown

    bed.shoestring("budget", "reopen", code=2)  # without a reason
    assert "takes training windows again" in bed.shoestring("budget", "reopen", "--why", "one more run")
    assert gate(bed)["why"] == "one more run"
    bed.pulumi("preview", "-s", "local-window")
    assert bed.pulumi("up", "-s", "local", "--refresh").count("Budget") >= 1  # the limit is the configured one again
    assert gate(bed)["why"] == "one more run"


def test_a_window_that_is_up_is_refreshed_and_destroyed_also_where_the_gate_is_closed(bed: Bed) -> None:
    bed.pulumi("up", "-s", "local-window")
    bed.shoestring("budget", "close", "--why", "holidays")
    refused = bed.pulumi("up", "-s", "local-window", code=1)
    assert f"closed for {datetime.now(UTC):%Y-%m}" in refused and "holidays" in refused
    assert bed.resources("local-window")
    bed.pulumi("refresh", "-s", "local-window")
    bed.pulumi("destroy", "-s", "local-window")
    assert bed.resources("local-window") == []


def test_a_platform_without_its_gate_says_what_to_do(bed: Bed) -> None:
    client(bed, "ssm").delete_parameter(Name=GATE)
    refused = bed.pulumi("up", "-s", "local-window", code=1)
    assert f"there is no parameter {GATE}" in refused and "pulumi up --refresh --stack local" in refused
    assert f"no parameter {GATE}" in bed.shoestring("budget", "reopen", "--why", "x", code=1)
    bed.pulumi("up", "-s", "local", "--refresh")
    assert gate(bed) == {"state": "open"}


def test_cost_tags_are_activated(bed: Bed) -> None:
    assert "Environment" in bed.shoestring("budget", "activate-tags", "-e", "local")


def test_the_weekly_report_runs_as_a_function(bed: Bed) -> None:
    platform = outputs(bed)
    facts = invoke(bed, platform["cost_report_function"], {})
    assert facts["report"].startswith(f"s3://{platform['bucket']}/reports/cost/")
    listed = client(bed, "s3").list_objects_v2(Bucket=platform["bucket"], Prefix="reports/cost/")["Contents"]
    assert {item["Key"].rpartition("/")[2] for item in listed} >= {"report.json", "report.html"}
    assert gate(bed)["state"] == "open"  # the guard took the report's summary for what it is


def test_its_schedule_calls_the_report(bed: Bed) -> None:
    platform, scheduler, s3 = outputs(bed), client(bed, "scheduler"), client(bed, "s3")
    schedule = scheduler.get_schedule(Name=platform["cost_report_function"])
    assert schedule["ScheduleExpression"] == "cron(0 6 ? * MON *)"
    kept = {key: schedule[key] for key in ("Name", "Target", "FlexibleTimeWindow")}
    began = datetime.now(UTC)
    scheduler.update_schedule(**kept, ScheduleExpression="rate(1 minute)")

    def written() -> bool:
        listed = s3.list_objects_v2(Bucket=platform["bucket"], Prefix="reports/cost/").get("Contents", [])
        return any(item["LastModified"] > began for item in listed)

    assert wait_until(written, 90)


def test_nothing_is_left_of_it(bed: Bed) -> None:
    bed.pulumi("destroy", "-s", "local")
    assert "the account is empty" in bed.shoestring("cloud", "account")
