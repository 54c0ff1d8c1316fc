"""`shoestring cost report` and `rightsize`, as they are typed, on the sample's account."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from shoestring import environment
from shoestring.base.errors import UserError
from shoestring.cli import app
from shoestring.commands import cost_report
from tests.costs.report import sample
from tests.costs.report.test_outputs import Bucket

WEEK = ("--week", "2026-W47")


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    """The sample's account under every client, and no engine."""
    bucket = Bucket()
    monkeypatch.setenv("SHOESTRING_HOME", str(tmp_path / "home"))  # no refreshed prices of the user's
    monkeypatch.setattr(boto3, "client", sample.clients(s3=bucket, sns=bucket))
    monkeypatch.setattr(cost_report, "enter", lambda name, say: None)
    monkeypatch.setattr(cost_report, "outputs", lambda stack: {"anomaly_monitor": sample.MONITOR})
    return bucket


def run(*words: str) -> Result:
    """The command; what is meant for people is raised."""
    done = CliRunner().invoke(app, ["cost", *words])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_a_week_for_people_and_for_machines() -> None:
    """The same figure."""
    assert run("report", "-e", "dev", *WEEK).stdout.startswith("shoestring dev, 2026-W47: $11.75 (billed by")
    found = json.loads(run("report", "-e", "dev", *WEEK, "--json").stdout)
    assert found["total"]["usd"].startswith("11.747") and found["month"]["limit_usd"] == "40"


def test_files_go_where_they_are_asked_for(tmp_path: Path) -> None:
    """Four of them; the folder is made."""
    run("report", "-e", "dev", *WEEK, "--out", str(tmp_path / "new"))
    assert sorted(os.listdir(tmp_path / "new")) == ["focus.csv", "report.html", "report.json", "summary.txt"]


def test_publish_writes_to_the_platforms_bucket_and_tells_its_topic(
    account: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this order; the summary ends with the address."""
    outputs = {"bucket": "shoestring-dev-1", "region": "us-east-1", "cost_topic": "arn:aws:sns:us-east-1:1:costs"}
    monkeypatch.setattr(cost_report, "outputs", lambda stack: outputs)
    said = run("report", "-e", "dev", *WEEK, "--publish").stdout
    assert [service for service, _ in account.came] == ["s3"] * 4 + ["sns"]
    assert said.splitlines()[-1] == "s3://shoestring-dev-1/reports/cost/2026/2026-W47/report.html"


def test_a_trouble_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Denied, with what to attach."""

    class Denied:
        def get_cost_and_usage(self, **arguments: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, "GetCostAndUsage")

    monkeypatch.setattr(boto3, "client", sample.clients(ce=Denied()))
    with pytest.raises(UserError, match="Cost Explorer is denied: not you") as error:
        run("report", "-e", "dev")
    assert "ce:GetCostAndUsage" in error.value.mend


@pytest.mark.parametrize("words", [("report", "-e", "nope"), ("rightsize", "-e", "nope"), ("report", "--week", "47")])
def test_bad_words_are_told_before_anything_starts(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is allowed."""

    def never(name: str, say: Any) -> None:
        raise AssertionError("entered")

    monkeypatch.setattr(cost_report, "enter", never)
    with pytest.raises(UserError) as error:
        run(*words)
    assert error.value.expected and error.value.mend


def test_project_region_and_limit_are_the_stacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From its configuration, also where the platform is down; what is not set has the platform's default."""
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    (tmp_path / "Pulumi.prod.yaml").write_text(
        "config:\n  aws:region: eu-central-1\n  shoestring:project: crm\n  shoestring:budget: {monthlyUsd: 12.50}\n"
    )
    found = cost_report.subject("prod")
    assert (found.scope.project, found.region, found.monthly_usd) == ("crm", "eu-central-1", "12.5")
    assert (found.function, found.budget) == ("shoestring-prod-inference", "shoestring-prod-costs")
    missing = cost_report.subject("dev")
    assert (missing.scope.project, missing.region, missing.monthly_usd) == ("shoestring", "us-east-1", "15")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: [1, 2]\n")
    with pytest.raises(UserError, match=r"Pulumi\.dev\.yaml"):
        cost_report.subject("dev")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {'shoestring:budget': 12}\n")
    with pytest.raises(UserError, match="shoestring:budget is 12"):
        cost_report.subject("dev")


def test_rightsize_says_what_and_how() -> None:
    """For people and for machines."""
    said = run("rightsize", "-e", "dev").stdout
    assert "machine shoestring-dev-mlflow, t4g.small: too large" in said and "instanceType t4g.micro -s dev" in said
    found = json.loads(run("rightsize", "-e", "dev", "--json").stdout)
    assert found["schema"] == "shoestring.rightsizing/1" and found["findings"][0]["verdict"] == "smaller"
