"""The report on a local cloud: real resources, a real job, real calls, and the meter's bill of them."""

from __future__ import annotations

import csv
import io
import json
import os
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest

from costs.book.prices import PriceBook
from costs.function import weekly_report as handler
from costs.report.explorer import Scope
from costs.value.rightsizing import measure
from localcloud.processes import wait_until
from shoestring.environment import local_environment, process_environment
from tests.conftest import role
from tests.costs.report.focus_validator import problems
from tests.localcloud.sagemaker.test_sagemaker import create, ended

TAGS = {"Project": "shoestring", "Environment": "local"}
PAIRS = [{"Key": key, "Value": value} for key, value in TAGS.items()]
FUNCTION = "shoestring-local-inference"
CODE = """
import json
def handler(event, context):
    print(json.dumps({"event": "request", "status": 200, "rows": event["rows"]}))
"""
KEEPS = "import os, pathlib, time; time.sleep(3); pathlib.Path(os.environ['SM_MODEL_DIR'], 'm').write_text('m')\n"


def make(cloud: dict[str, Any]) -> None:
    """An instance, a job on spot, a function that was called three times, a bucket, a topic with a queue, a budget."""
    boto3.client("ec2").run_instances(
        ImageId="ami-1", InstanceType="m5.xlarge", MinCount=1, MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": PAIRS}],
    )  # fmt: skip
    boto3.client("s3").create_bucket(Bucket="state")
    boto3.client("s3").put_object(Bucket="state", Key="data/train.csv", Body=b"a,b\n")
    create(cloud, "state", "churn-0f3a91c2b7de", KEEPS, spot=True, Tags=PAIRS)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", CODE)
    client = boto3.client("lambda")
    client.create_function(
        FunctionName=FUNCTION, Runtime="python3.11", Handler="f.handler", Code={"ZipFile": packed.getvalue()},
        Role=role(boto3.client("iam"), "f", "lambda.amazonaws.com"), MemorySize=512, Architectures=["arm64"], Tags=TAGS,
    )  # fmt: skip
    for rows in (1, 20, 300):
        client.invoke(FunctionName=FUNCTION, Payload=json.dumps({"rows": rows}))
    topic = boto3.client("sns").create_topic(Name="costs")["TopicArn"]
    queue = boto3.client("sqs").create_queue(QueueName="mail")["QueueUrl"]
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    budget = {"BudgetName": "shoestring-local-costs", "BudgetLimit": {"Amount": "12", "Unit": "USD"},
              "TimeUnit": "MONTHLY", "BudgetType": "COST"}  # fmt: skip
    boto3.client("budgets").create_budget(AccountId="000000000000", Budget=budget)
    ended(cloud, "churn-0f3a91c2b7de")
    os.environ["REPORT_TOPIC_ARN"] = topic


@pytest.fixture(scope="module")
def published(cloud: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The report's files and message, by the function itself, with what it answered."""
    with pytest.MonkeyPatch.context() as patch:
        for key, value in process_environment(local_environment(cloud)).items():
            patch.setenv(key, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the keys that it was made with
        patch.setenv("REPORT_TOPIC_ARN", "")
        for key, value in (("BUCKET", "state"), ("PROJECT", "shoestring"), ("ENVIRONMENT", "local"),
                           ("BUDGET_NAME", "shoestring-local-costs")):  # fmt: skip
            patch.setenv(f"REPORT_{key}", value)
        make(cloud)
        answers: list[dict[str, Any]] = []

        def billed() -> bool:
            """Whether the meter has seen all three; it looks every few moments."""
            answers.append(handler.handler({}, None))
            services = _read("report.json", answers[-1])["services"]["items"]
            return len({"AWS Lambda", "Amazon SageMaker"} & {each["name"] for each in services}) == 2

        wait_until(billed, 30)
        yield answers[-1]


def _read(name: str, answer: dict[str, Any]) -> Any:
    key = answer["report"].removeprefix("s3://state/").replace("report.html", name)
    text = boto3.client("s3").get_object(Bucket="state", Key=key)["Body"].read().decode()
    return json.loads(text) if name.endswith("json") else text


def test_the_bill_is_not_nothing_and_its_sums_agree(published: dict[str, Any]) -> None:
    """Services, days, the project's share of the account, and the FOCUS rows come to the same."""
    found = _read("report.json", published)
    usd = Decimal(found["total"]["usd"])
    assert usd > 0
    near = Decimal("1E-15")  # sums of quotients, in another order
    assert abs(sum(Decimal(each["usd"]) for each in found["services"]["items"]) - usd) < near
    assert abs(sum(Decimal(each["usd"]) for each in found["days"]) - usd) < near
    (own,) = [each for each in found["projects"]["items"] if each["name"] == "shoestring"]
    assert Decimal(own["usd"]) >= usd  # it was asked a moment later
    text = _read("focus.csv", published)
    assert problems(text) == []
    assert abs(sum(Decimal(each["BilledCost"]) for each in csv.DictReader(io.StringIO(text))) - usd) < near


def test_what_was_bought_is_counted(published: dict[str, Any]) -> None:
    """321 predictions in three calls; a retraining on spot that cost what SageMaker billed."""
    found = _read("report.json", published)
    answered = found["predictions"]
    assert (answered["predictions"], answered["requests"]) == (321, 3)
    assert answered["counted"] == f"counted in its log /aws/lambda/{FUNCTION}"
    assert Decimal(answered["per_thousand_usd"]) > 0
    (job,) = found["retraining"]["jobs"]
    described = boto3.client("sagemaker").describe_training_job(TrainingJobName="churn-0f3a91c2b7de")
    assert (job["model"], job["status"]) == ("churn", "Completed")
    assert job["billable_seconds"] == described["BillableTimeInSeconds"]
    hours = Decimal(job["billable_seconds"]) / 3600
    volume = (
        Decimal(job["training_seconds"]) / 3600 / 730 * 5 * PriceBook.load().price("sagemaker", "training-storage").usd
    )
    assert abs(Decimal(job["usd"]) - hours * Decimal("0.115") - volume) < Decimal("1E-20")
    assert Decimal(found["spot"]["saved_usd"]) > 0


def test_the_budget_and_what_the_report_cost(published: dict[str, Any]) -> None:
    """The limit is the budget's; a running day is in no comparison."""
    found = _read("report.json", published)
    assert (found["month"]["limit_usd"], found["month"]["budget"]) == ("12", "shoestring-local-costs")
    assert found["reading"]["cost_explorer_requests"] <= 8
    assert found["days"][-1]["state"] == "running" and found["comparison"]["why_not"]


def test_the_topic_was_told_where_it_is(published: dict[str, Any]) -> None:
    """With a subject that the budget's guard knows."""
    queue = boto3.client("sqs").get_queue_url(QueueName="mail")["QueueUrl"]
    messages = boto3.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    body = json.loads(messages[0]["Body"])
    assert body["Subject"].startswith("Shoestring costs: local ")
    assert published["report"] in body["Message"]


def test_the_page_was_written(published: dict[str, Any]) -> None:
    """With the meter's figures."""
    page = _read("report.html", published)
    assert "Amazon SageMaker" in page and "321" in page


def test_too_little_was_measured_to_recommend_anything(published: dict[str, Any]) -> None:
    """Three calls of a hundred, no hour of the machine, none of the job: it says so, for each."""
    found = measure(boto3.client, Scope("shoestring", "local"), "us-east-1", PriceBook.load())
    kinds = {each.kind: each for each in found.sizings}
    assert set(kinds) == {"function", "machine", "job"} and {each.verdict for each in kinds.values()} == {"unknown"}
    assert kinds["function"].measured.startswith("3 calls seen, 100 wanted")
    assert found.saves.high == 0 and found.notes == ()
