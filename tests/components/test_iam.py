"""The IAM policies: AWS's own words, no more rights than needed."""

from __future__ import annotations

import json
from typing import Any

import parliament
import pytest

from components import iam

BUCKET = "shoestring-dev-123456789012"
PACKAGE = "packages/mlflow-0123456789abcdef.zip"
PROFILE = "arn:aws:iam::123456789012:instance-profile/shoestring-dev-mlflow"
GATE = "arn:aws:ssm:us-east-1:123456789012:parameter/shoestring/dev/window-gate"
MONITOR = "arn:aws:ce::123456789012:anomalymonitor/4f9f7a3e-0000-4000-8000-000000000000"
BUDGET = "arn:aws:budgets::123456789012:budget/shoestring-dev-costs"
TOPIC = "arn:aws:sns:us-east-1:123456789012:shoestring-dev-costs"
LOGS = "arn:aws:logs:us-east-1:123456789012:log-group"
NETWORK: dict[str, Any] = {"subnets": ["subnet-0a"], "security_groups": ["sg-0b"]}
POLICIES = {
    "tracking": iam.tracking(BUCKET, PACKAGE, PROFILE),
    "tracking with a database": iam.tracking(
        BUCKET, PACKAGE, PROFILE, "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds-db-a1b2c3"
    ),
    "inference": iam.logging(iam.inference(BUCKET, ["churn"]), f"{LOGS}:/aws/lambda/shoestring-dev-inference"),
    "training": iam.training(
        BUCKET, job="churn-0123456789ab", model="churn", region="us-east-1", account="123456789012", **NETWORK
    ),
    "guard": iam.logging(iam.guard(GATE, BUDGET), f"{LOGS}:/aws/lambda/shoestring-dev-costs"),
    "report": iam.logging(
        iam.report(
            bucket=BUCKET,
            topic=TOPIC,
            budget=BUDGET,
            monitor=MONITOR,
            region="us-east-1",
            account="123456789012",
            function="arn:aws:lambda:us-east-1:123456789012:function:shoestring-dev-inference",
            requests=f"{LOGS}:/aws/lambda/shoestring-dev-inference",
        ),
        f"{LOGS}:/aws/lambda/shoestring-dev-cost-report",
    ),
    "schedule": iam.scheduled("arn:aws:lambda:us-east-1:123456789012:function:shoestring-dev-cost-report"),
}
# AWS knows no resources for these (docs: «Actions, resources, and condition keys»).
ANYWHERE = {
    "ce:GetCostAndUsage",
    "ce:GetCostForecast",
    "cloudwatch:GetMetricData",
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "sagemaker:ListTrainingJobs",
}


def statements(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)["Statement"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("name", POLICIES)
def test_parliament_finds_nothing(name: str) -> None:
    findings = parliament.analyze_policy_string(POLICIES[name]).findings
    assert [str(finding) for finding in findings] == []


@pytest.mark.parametrize("name", POLICIES)
def test_actions_are_named(name: str) -> None:
    assert not [action for each in statements(POLICIES[name]) for action in each["Action"] if "*" in action]


@pytest.mark.parametrize("name", POLICIES)
def test_only_what_has_no_resources_is_allowed_everywhere(name: str) -> None:
    everywhere = {action for each in statements(POLICIES[name]) if each["Resource"] == "*" for action in each["Action"]}
    assert {action for action in everywhere - ANYWHERE if not action.startswith("ec2:Describe")} == set()


def test_metrics_go_to_sagemakers_namespace_only() -> None:
    (metrics,) = (each for each in statements(POLICIES["training"]) if "cloudwatch:PutMetricData" in each["Action"])
    assert "/aws/sagemaker/TrainingJobs" in metrics["Condition"]["StringEquals"]["cloudwatch:namespace"]


@pytest.mark.parametrize(
    ("name", "prefixes"),
    [
        ("tracking", {"artifacts/", "mlflow/"}),
        ("inference", set()),
        ("guard", set()),
        ("report", {"reports/cost/"}),
        ("training", {"checkpoints/churn-0123456789ab/", "jobs/churn-0123456789ab/", "models/churn/"}),
    ],
)
def test_who_writes_where(name: str, prefixes: set[str]) -> None:
    writes = [each["Resource"] for each in statements(POLICIES[name]) if "s3:PutObject" in each["Action"]]
    assert {arn for arns in writes for arn in arns} == {f"arn:aws:s3:::{BUCKET}/{prefix}*" for prefix in prefixes}


def test_a_job_reads_its_own_data_only() -> None:
    (read,) = (each for each in statements(POLICIES["training"]) if each["Sid"] == "Read")
    assert read["Resource"] == [f"arn:aws:s3:::{BUCKET}/{prefix}*" for prefix in ("data/churn/", "code/", "wheels/")]


def test_listing_is_bound_to_prefixes() -> None:
    for name in ("tracking", "report"):
        (listing,) = (each for each in statements(POLICIES[name]) if "s3:ListBucket" in each["Action"])
        assert listing["Condition"]["StringLike"]["s3:prefix"]


def test_a_job_may_be_checked_for_the_place_of_its_output() -> None:
    """CreateTrainingJob may ask for the bucket without a prefix."""
    (listing,) = (each for each in statements(POLICIES["training"]) if "s3:ListBucket" in each["Action"])
    assert listing["Resource"] == [f"arn:aws:s3:::{BUCKET}"] and "Condition" not in listing


def test_the_report_reads_the_anomalies_of_its_own_monitor() -> None:
    (anomalies,) = (each for each in statements(POLICIES["report"]) if "ce:GetAnomalies" in each["Action"])
    assert anomalies["Resource"] == [MONITOR]


def test_without_tls_nobody_gets_at_the_bucket() -> None:
    (deny,) = statements(iam.tls_only(BUCKET))
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*")
    assert deny["Resource"] == [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_budgets_and_anomalies_of_this_account_publish_alarms() -> None:
    (alarms,) = statements(iam.alarms(TOPIC, "123456789012"))
    assert (alarms["Effect"], alarms["Action"], alarms["Resource"]) == ("Allow", "sns:Publish", TOPIC)
    assert alarms["Principal"] == {"Service": ["budgets.amazonaws.com", "costalerts.amazonaws.com"]}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_guard_writes_its_gate_and_its_log_and_nothing_else() -> None:
    guard = statements(iam.logging(iam.guard(GATE, BUDGET), f"{LOGS}:/aws/lambda/g"))
    writes = {action: each["Resource"] for each in guard for action in each["Action"] if "Put" in action}
    assert writes == {"ssm:PutParameter": [GATE], "logs:PutLogEvents": [f"{LOGS}:/aws/lambda/g:*"]}


def test_a_role_for_a_schedule_is_taken_on_behalf_of_the_account_only() -> None:
    (trust,) = statements(iam.trust("scheduler.amazonaws.com", "123456789012"))
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert "Condition" not in statements(iam.trust("lambda.amazonaws.com"))[0]
