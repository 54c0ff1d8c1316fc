"""Spot savings, retraining, a thousand predictions: recomputed by hand from the price book."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.book.prices import PriceBook
from costs.report import account, records, unit_costs
from costs.report.account import Job, Predictions, Subject, log_lines, reported
from costs.report.explorer import BilledRow, Scope
from costs.report.periods import chosen
from shoestring.base.errors import UserError
from tests.costs.report import sample

BOOK = PriceBook.load()
WEEK = chosen(sample.TODAY)
SCOPE = Scope(sample.PROJECT, sample.ENVIRONMENT)
ZERO = Decimal(0)
JOB = Job("churn-0f3a91c2b7de", "churn", "Completed", "ml.g4dn.xlarge", 1, 0, True, 7200, 2160, "2026-11-16T14:00:00Z")
ON_DEMAND = replace(JOB, instance_type="ml.m5.large", spot=False, training_seconds=3600, billable_seconds=3600)


def priced(*jobs: Job) -> tuple[unit_costs.Training, ...]:
    """At list price in us-east-1."""
    return tuple(unit_costs.training(job, "us-east-1", BOOK) for job in jobs)


def test_a_retraining_costs_its_billable_seconds() -> None:
    """2,160 of 7,200 seconds on ml.g4dn.xlarge at 0.7364 an hour: 0.44184, instead of 1.4728."""
    (found,) = priced(JOB)
    assert (found.usd, found.on_demand_usd) == (Decimal("0.44184"), Decimal("1.4728"))
    assert found.source == "billable seconds at list price of 2026-01-01"


def test_a_job_on_demand_is_billed_by_the_second_with_its_disk() -> None:
    """An hour on ml.m5.large at 0.115 an hour, with 730 GB for it at 0.14 a GB and month."""
    (cost,) = priced(replace(ON_DEMAND, volume_gb=730))
    assert cost.usd == cost.on_demand_usd == Decimal("0.115") + Decimal("0.14")
    (second,) = priced(replace(ON_DEMAND, training_seconds=1, billable_seconds=1))
    assert second.usd * 3600 == pytest.approx(Decimal("0.115"), abs=Decimal("1e-20"))  # type: ignore[operator]


@given(training=st.integers(0, 10**6), share=st.floats(0, 1), volume=st.integers(0, 1000))
def test_saving_on_the_instance_is_that_of_the_seconds(training: int, share: float, volume: int) -> None:
    """The disk is paid for whether the instance is spot or not."""
    billable = int(training * share)
    job = replace(ON_DEMAND, spot=True, training_seconds=training, billable_seconds=billable, volume_gb=volume)
    (cost,) = priced(job)
    assert cost.usd is not None and cost.on_demand_usd is not None and cost.usd <= cost.on_demand_usd
    saved = Decimal(training - billable) / 3600 * Decimal("0.115")
    assert cost.on_demand_usd - cost.usd == pytest.approx(saved, abs=Decimal("1e-15"))


def test_a_job_in_a_region_without_prices_is_named_with_it() -> None:
    """Not taken for that of another region."""
    cost = unit_costs.training(JOB, "eu-west-9", BOOK)
    assert cost.usd is None and "ml.g4dn.xlarge in eu-west-9" in cost.source


def test_a_job_is_priced_where_it_ran() -> None:
    """Whatever region the report is of; also from its record."""
    described = {
        "TrainingJobName": JOB.name, "TrainingJobStatus": "Completed",
        "TrainingJobArn": f"arn:aws:sagemaker:eu-west-9:123456789012:training-job/{JOB.name}",
        "ResourceConfig": {"InstanceType": JOB.instance_type, "InstanceCount": 1, "VolumeSizeInGB": 1},
    }  # fmt: skip
    assert "TrainingJobArn" in records.KEPT
    cost = unit_costs.training(account.job_of(described), "us-east-1", BOOK)
    assert cost.usd is None and "in eu-west-9" in cost.source
    assert unit_costs.training(JOB, "us-east-1", BOOK).usd is not None


def test_instances_count() -> None:
    """Four cost four times as much."""
    (one,), (four,) = priced(JOB), priced(replace(JOB, instances=4))
    assert four.usd == one.usd * 4  # type: ignore[operator]


def test_the_mean_is_of_what_completed() -> None:
    """What failed is told beside it."""
    models = unit_costs.models(priced(JOB, replace(JOB, billable_seconds=4320), replace(JOB, status="Failed")))
    (churn,) = models
    assert (churn.completed, churn.not_completed, churn.wasted_usd) == (2, 1, Decimal("0.44184"))
    assert churn.mean_usd == unit_costs.mean(models) == Decimal("0.66276")


def test_only_failures_have_no_mean() -> None:
    """Nothing is divided by nothing."""
    (churn,) = unit_costs.models(priced(replace(JOB, status="Failed")))
    assert churn.mean_usd is None and unit_costs.mean((churn,)) is None


def test_a_job_without_a_price_is_named_and_in_no_sum() -> None:
    """Not zero."""
    found = priced(JOB, replace(JOB, instance_type="ml.unheard.of"))
    assert found[1].usd is None and "ml.unheard.of" in found[1].source
    saved = unit_costs.spot(found, (), "us-east-1", BOOK)
    assert [each.name for each in saved.savings] == ["SageMaker ml.g4dn.xlarge"] and len(saved.unpriced) == 1


def bought(purchase: str, kind: str, hours: str, usd: str) -> BilledRow:
    """A row by purchase type."""
    return BilledRow(date(2026, 11, 16), (purchase, kind), Decimal(usd), Decimal(usd), Decimal(hours), "Hrs", False)


def test_spot_instances_are_held_against_the_list() -> None:
    """5 hours of g4dn.xlarge at 0.526 are 2.63; 0.789 was paid."""
    rows = [
        bought("Spot Instances", "g4dn.xlarge", "5", "0.789"),
        bought("On Demand Instances", "t4g.nano", "24", "0.1"),
        bought("Spot Instances", "NoInstanceType", "1", "0.01"),
    ]
    found = unit_costs.spot((), rows, "us-east-1", BOOK)
    assert (found.on_demand_usd, found.saved_usd) == (Decimal("2.630"), Decimal("1.841"))


def test_a_thousand_predictions() -> None:
    """1,000 calls of 20 ms at 512 MB on arm64 for 5,000 rows: 10 GB-seconds at 0.0000133334, and 0.0002 for calls."""
    used = Predictions(5000, 1000, Decimal(10), "arm64", "log")
    found = unit_costs.per_thousand(used, Decimal("0.0123"), "us-east-1", BOOK)
    assert found.usd == Decimal("0.000133334") + Decimal("0.0002")
    assert found.per_thousand_usd == found.usd / 5
    assert found.lambda_billed_per_thousand_usd == Decimal("0.00246")


@pytest.mark.parametrize(
    ("used", "why"),
    [
        (None, "cannot be read"),
        (Predictions(0, 0, ZERO, "arm64", "log"), "nothing was predicted"),
        (Predictions(5, 5, ZERO, "sparc", "log"), "no list price"),
    ],
)
def test_without_predictions_there_is_no_price_of_them(used: Predictions | None, why: str) -> None:
    """And it is said why."""
    found = unit_costs.per_thousand(used, ZERO, "us-east-1", BOOK)
    assert found.per_thousand_usd is None and why in found.why_not


def test_the_free_tier_is_no_upper_bound() -> None:
    """Cost Explorer shows nothing for Lambda: nothing is said, rather than 0."""
    used = Predictions(5000, 1000, Decimal(10), "arm64", "log")
    assert unit_costs.per_thousand(used, ZERO, "us-east-1", BOOK).lambda_billed_per_thousand_usd is None


def test_a_report_line_of_lambda() -> None:
    """A cold one; what is none has no figures."""
    line = (
        "REPORT RequestId: 8f5\tDuration: 12.34 ms\tBilled Duration: 913 ms\tMemory Size: 512 MB\t"
        "Max Memory Used: 171 MB\tInit Duration: 900.10 ms\t\n"
    )
    assert reported(line) == {
        "Duration": Decimal("12.34"), "Billed Duration": Decimal(913), "Memory Size": Decimal(512),
        "Max Memory Used": Decimal(171), "Init Duration": Decimal("900.10"),
    }  # fmt: skip
    assert reported('{"event": "request", "text": "REPORT RequestId: 1 Duration: 5 ms"}') == {}


class Paged:
    """A log that gives `size` lines at a time, by token or without one."""

    def __init__(self, lines: list[tuple[int, str]], size: int, tokens: bool) -> None:
        self.lines, self.size, self.tokens = lines, size, tokens

    def filter_log_events(self, **arguments: Any) -> dict[str, Any]:
        inside = [pair for pair in self.lines if arguments["startTime"] <= pair[0] <= arguments["endTime"]]
        start = int(arguments.get("nextToken", 0))
        found = inside[start : start + self.size]
        more = {"nextToken": str(start + self.size)} if self.tokens and start + self.size < len(inside) else {}
        return {"events": [{"timestamp": at, "message": text} for at, text in found], **more}


@pytest.mark.parametrize("tokens", [True, False])
def test_every_line_of_a_log_comes_once(monkeypatch: pytest.MonkeyPatch, tokens: bool) -> None:
    """Also where a full page names no next one, and several lines share a moment."""
    monkeypatch.setattr(account, "PAGE", 3)
    lines = [(at // 2, f"line {at}") for at in range(11)]
    assert list(log_lines(Paged(lines, 3, tokens), "g", 0, 100, "")) == [text for _, text in lines]


def test_predictions_are_the_rows_of_requests_that_were_answered() -> None:
    """Refused ones, and what Lambda writes between, do not count."""

    class Logs(sample.Logs):
        def filter_log_events(self, **arguments: Any) -> dict[str, Any]:
            said = [
                {"event": "request", "status": 200, "rows": 3},
                {"event": "request", "status": 400, "rows": 9},
                {"event": "loaded"},
            ]
            texts = [json.dumps(each) for each in said] + ["START RequestId: 1", "[]"]
            if arguments["filterPattern"] == "REPORT":
                texts = ["REPORT RequestId: 1\tDuration: 2.1 ms\tBilled Duration: 3 ms\tMemory Size: 512 MB\t"]
            return {"events": [{"timestamp": 0, "message": text} for text in texts]}

    found = account.predictions(sample.clients(logs=Logs()), "f", WEEK)
    assert (found.rows, found.requests, found.gb_seconds) == (3, 1, Decimal("0.0015"))  # 3 ms with 512 MB
    assert found.source == "counted in its log /aws/lambda/f"


def test_without_a_log_cloudwatch_counts() -> None:
    """And the report says that a call was taken for a prediction."""

    class Logs(sample.Logs):
        def filter_log_events(self, **arguments: Any) -> dict[str, Any]:
            raise sample._Missing()

    class CloudWatch(sample.Paged):
        def get_metric_data(self, **arguments: Any) -> dict[str, Any]:
            values = {"invocations_sum": [7.0, 5.0], "duration_sum": [2.5]}
            return {"MetricDataResults": [{"Id": name, "Values": numbers} for name, numbers in values.items()]}

    found = account.predictions(sample.clients(logs=Logs(), cloudwatch=CloudWatch()), "f", WEEK)
    assert (found.rows, found.requests, found.gb_seconds) == (None, 12, Decimal("0.00125"))  # 2.5 ms with 512 MB
    assert "each taken for one prediction" in found.source


def test_jobs_of_others_and_of_other_weeks_are_left_out() -> None:
    """By tag and by the day that they ended."""

    class SageMaker(sample.SageMaker):
        def list_training_jobs(self, **arguments: Any) -> dict[str, Any]:
            late = sample._described("late-0f3a91c2b7de", 23, 60, 60)
            other = sample._described("other-0f3a91c2b7de", 18, 60, 60)
            running = {**sample._described("running-0f3a91c2b7de", 18, 60, 60), "TrainingJobStatus": "InProgress"}
            del running["TrainingEndTime"]
            return {"TrainingJobSummaries": [late, other, running, sample.JOBS[0]]}

        def list_tags(self, ResourceArn: str) -> dict[str, Any]:
            environment = "prod" if "other" in ResourceArn else "dev"
            return {"Tags": [{"Key": "Project", "Value": "shoestring"}, {"Key": "Environment", "Value": environment}]}

    (found,) = account.jobs(SageMaker(), SCOPE, WEEK)
    assert (found.name, found.model, found.ended) == ("churn-0f3a91c2b7de", "churn", "2026-11-16T14:00:00+00:00")


def test_a_limit_in_another_currency_is_refused() -> None:
    """As sums are in dollars."""

    class Budgets(sample.Budgets):
        def describe_budget(self, **arguments: Any) -> dict[str, Any]:
            return {"Budget": {"BudgetName": "b", "BudgetLimit": {"Amount": "25", "Unit": "EUR"}}}

    with pytest.raises(UserError, match="budget b is in 'EUR'"):
        account.limit(sample.clients(budgets=Budgets()), "1", "b", "25")


def test_without_a_budget_the_environments_limit_counts() -> None:
    """And it is said that there is none."""

    class Budgets(sample.Budgets):
        def describe_budget(self, **arguments: Any) -> dict[str, Any]:
            raise sample._Missing("NotFoundException")

    clients = sample.clients(budgets=Budgets())
    found = account.limit(clients, "1", "shoestring-dev-costs", "15")
    assert (found.usd, found.name) == (Decimal(15), "")
    assert found.source == "the environment's monthly limit; there is no budget shoestring-dev-costs"
    assert account.limit(clients, "1", "b", "").usd is None


def test_what_is_denied_becomes_a_note_with_the_action() -> None:
    """The report is made without it."""

    class Denied:
        def __getattr__(self, name: str) -> Any:
            def refuse(*operation: str, **arguments: Any) -> Any:
                raise sample._Missing("AccessDeniedException")

            return refuse

    clients = sample.clients(sagemaker=Denied(), lambda_=Denied())
    found = account.read(clients, Subject(Scope("p", "e"), "us-east-1", "f", "b", "15"), WEEK)
    assert found.jobs == () and found.predictions is None and found.limit.usd == 40
    assert ["sagemaker:ListTags" in found.notes[0], "logs:FilterLogEvents" in found.notes[1]] == [True, True]


def test_moments_are_counted_in_utc() -> None:
    """As CloudWatch Logs counts."""
    assert WEEK.moments.milliseconds[0] == datetime(2026, 11, 16, tzinfo=UTC).timestamp() * 1000
