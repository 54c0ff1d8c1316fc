"""The IAM policies: AWS's own words, no more rights than needed."""

from __future__ import annotations

import json
from typing import Any

import parliament
import pytest

from components import policies

BUCKET = "shoestring-dev-123456789012"
NETWORK: dict[str, Any] = {"subnets": ["subnet-0a"], "security_groups": ["sg-0b"]}
POLICIES = {
    "tracking": policies.tracking(BUCKET),
    "tracking with a database": policies.tracking(
        BUCKET, "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds-db-a1b2c3"
    ),
    "inference": policies.inference(
        BUCKET, "churn", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/shoestring-dev-inference"
    ),
    "training": policies.training(
        BUCKET, job="churn-0123456789ab", model="churn", region="us-east-1", account="123456789012", **NETWORK
    ),
}
# AWS knows no resources for these (docs: «Actions, resources, and condition keys»).
ANYWHERE = {"cloudwatch:PutMetricData", "ecr:GetAuthorizationToken"}


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
    for name in ("tracking", "training"):
        (listing,) = (each for each in statements(POLICIES[name]) if "s3:ListBucket" in each["Action"])
        assert listing["Condition"]["StringLike"]["s3:prefix"]


def test_without_tls_nobody_gets_at_the_bucket() -> None:
    (deny,) = statements(policies.tls_only(BUCKET))
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "s3:*")
    assert deny["Resource"] == [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
