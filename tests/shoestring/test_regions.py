"""An environment's region is asked, whatever profile and variables say; a job that started is never stopped."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from costs.plan.preview import PlannedResource, Preview
from shoestring import following, jobs, plans, updates, windows
from shoestring.base import aws
from shoestring.base.errors import UserError, of_aws
from shoestring.commands import prices
from shoestring.environment import local_environment
from shoestring.screen import Screen
from tests.conftest import client
from tests.localcloud.sagemaker.test_sagemaker import create

SHOESTRING = str(Path(sys.executable).with_name("shoestring"))
HERE, OTHER = "us-east-1", "eu-west-1"  # of the stacks as they are shipped, and one that has nothing
REGIONS: list[dict[str, str]] = [
    {},
    {"AWS_REGION": OTHER, "AWS_DEFAULT_REGION": OTHER},
    {"AWS_PROFILE": "work"},
]


def account(cloud: dict[str, Any], folder: Path) -> dict[str, str]:
    """A user's variables where the local cloud stands for AWS: keys, but no region."""
    (folder / "config").write_text(f"[profile work]\nregion = {OTHER}\n")
    key, secret = (cloud["variables"][name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    (folder / "keys").write_text(f"[work]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
    ours = {name: value for name, value in local_environment(cloud).items() if "REGION" not in name}
    files = {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "keys")}
    return {**own, **ours, **files}


def variables(base: dict[str, str], region: dict[str, str]) -> dict[str, str]:
    keyless = {name: value for name, value in base.items() if not ("PROFILE" in str(region) and "KEY" in name)}
    return {**keyless, **region}


@pytest.fixture(scope="module")
def user(cloud: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return account(cloud, tmp_path_factory.mktemp("user"))


@pytest.fixture(scope="module")
def bucket(cloud: dict[str, Any]) -> str:
    s3 = client(cloud, "s3")
    s3.create_bucket(Bucket="state")
    s3.put_object(Bucket="state", Key="data/train.csv", Body=b"a,b\n")
    return "state"


@pytest.mark.parametrize("region", REGIONS, ids=["no region", "another", "profile of another"])
def test_jobs_are_listed_and_read_where_the_stack_is(cloud, bucket, user, region):
    name = f"listed-{len(str(region))}"
    create(cloud, bucket, name, "print('hello')")

    def shoestring(*words: str) -> str:
        completed = subprocess.run(
            [SHOESTRING, *words, "-e", "dev"], env=variables(user, region), capture_output=True, text=True, timeout=60
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    assert name in [job["name"] for job in json.loads(shoestring("jobs", "list", "--json"))]
    assert wait_for(lambda: "hello" in shoestring("jobs", "logs", name))


def wait_for(condition: Any, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.3)
    return False


@contextlib.contextmanager
def environment(values: dict[str, str], patch: pytest.MonkeyPatch) -> Any:
    """This process as a user's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in values.items():
        if name.startswith("AWS_"):
            patch.setenv(name, value)
    patch.setattr(boto3, "DEFAULT_SESSION", None)
    patch.setattr(aws, "_entered", [])
    yield


class Engine:
    """The engine of a window whose one job is started when the window comes up."""

    def __init__(self, start: Any, job: str) -> None:
        self.start, self.job, self.operations = start, job, list[str]()

    def run(self, operation: str, stack: str, *words: str, on_event: Any = None) -> updates.Outcome:
        self.operations.append(operation)
        if operation == "up":
            self.start()
        return updates.Outcome()

    def deployment(self, stack: str) -> dict[str, Any]:
        return {"resources": [{}]} if "up" in self.operations else {}

    def outputs(self, stack: str) -> dict[str, Any]:
        aws.use_region(HERE)
        return {"jobs": [{"name": self.job}]} if stack.endswith("-window") else {"bucket": "state", "region": HERE}


@pytest.fixture
def engine(cloud, bucket, monkeypatch):
    def made(job: str, program: str) -> Engine:
        engine = Engine(lambda: create(cloud, bucket, job, program), job)
        monkeypatch.setattr(updates, "run", engine.run)
        monkeypatch.setattr(updates, "outputs", engine.outputs)
        monkeypatch.setattr(updates, "deployment", engine.deployment)
        inputs = {"trainingJobName": job, "environment": {"SHOESTRING_MODEL": job}}
        planned = PlannedResource(f"urn::{windows.JOB}::{job}", windows.JOB, job, inputs)
        preview = Preview("preview", "dev-window", "shoestring", {}, (planned,))
        monkeypatch.setattr(plans, "preview", lambda *words, **more: preview)
        monkeypatch.setattr(plans, "summary", lambda plan: "")
        monkeypatch.setattr(windows, "price_plan", lambda preview, book: None)
        monkeypatch.setattr(windows.models, "record_cost", lambda *words: True)
        return engine

    return made


@pytest.mark.parametrize("region", REGIONS, ids=["no region", "another", "profile of another"])
def test_train_follows_its_job_to_the_end(user, engine, region, monkeypatch):
    job = f"followed-{len(str(region))}"
    brought_up = engine(job, "print('done')")
    with environment(variables(user, region), monkeypatch):
        aws.use_region(HERE)
        (finished,) = windows.train("dev", "state", Screen(error=True), 0.2, "http://127.0.0.1:9")
    assert finished["status"] == "Completed"
    assert brought_up.operations == ["up", "destroy"]


def test_nothing_comes_up_where_aws_cannot_be_asked(user, engine, monkeypatch):
    nobody = {name: value for name, value in user.items() if "KEY" not in name and "CREDENTIALS" not in name}
    brought_up = engine("never", "print('no')")
    with environment({**nobody, "AWS_EC2_METADATA_DISABLED": "true"}, monkeypatch):
        aws.use_region(HERE)
        with pytest.raises(Exception, match="credentials") as caught:
            windows.train("dev", "state", Screen(error=True), 0.2, "http://127.0.0.1:9")
    assert of_aws(caught.value)
    assert brought_up.operations == []  # and what never came up does not go down


@pytest.mark.parametrize("refusal", ["ExpiredTokenException", "AccessDeniedException", ""])
def test_job_that_cannot_be_followed_goes_on(cloud, user, engine, refusal, monkeypatch):
    job = f"unseen-{refusal or 'silence'}".lower()
    brought_up = engine(job, "import time; time.sleep(8)")
    ask, started = jobs.describe, threading.Event()

    def describe(name: str) -> dict[str, Any]:
        if started.is_set():
            if refusal:
                raise ClientError({"Error": {"Code": refusal, "Message": "no"}}, "DescribeTrainingJob")
            raise EndpointConnectionError(endpoint_url="https://api.sagemaker.us-east-1.amazonaws.com/")
        started.set()
        return ask(name)

    monkeypatch.setattr(jobs, "describe", describe)
    monkeypatch.setattr(following, "PATIENCE", 1.0)
    with environment(user, monkeypatch):
        aws.use_region(HERE)
        with pytest.raises(UserError, match="stays up, so that its jobs go on") as caught:
            windows.train("dev", "state", Screen(error=True), 0.2, "http://127.0.0.1:9")
        assert "pulumi destroy --stack dev-window" in caught.value.mend
        assert ask(job)["TrainingJobStatus"] == "InProgress"
    assert brought_up.operations == ["up"]


def test_short_silence_does_not_end_the_following(user, engine, monkeypatch):
    engine("silence", "print('done')")
    ask, looks = jobs.describe, [0]

    def describe(name: str) -> dict[str, Any]:
        looks[0] += 1
        if looks[0] == 1:
            raise EndpointConnectionError(endpoint_url="https://api.sagemaker.us-east-1.amazonaws.com/")
        return ask(name)

    monkeypatch.setattr(jobs, "describe", describe)
    with environment(user, monkeypatch):
        aws.use_region(HERE)
        (finished,) = windows.train("dev", "state", Screen(error=True), 0.2, "http://127.0.0.1:9")
    assert finished["status"] == "Completed"


@pytest.mark.parametrize(
    ("region", "asked"), [({}, HERE), ({"AWS_REGION": OTHER}, OTHER), ({"AWS_PROFILE": "work"}, OTHER)]
)
def test_prices_are_refreshed_for_the_users_own_region(user, region, asked, monkeypatch):
    with environment(variables(user, region), monkeypatch):
        assert prices._own_region() == asked


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ExpiredToken", "credentials that have not expired"),
        ("UnrecognizedClientException", "credentials that AWS knows"),
        ("AccessDeniedException", "that right for who asks"),
        ("ThrottlingException", "an answer of AWS"),
    ],
)
def test_what_aws_refuses_is_told_by_its_kind(code, expected):
    error = ClientError({"Error": {"Code": code, "Message": "no"}}, "ListTrainingJobs")
    refusal = of_aws(error)
    assert refusal and refusal.found.startswith("AWS: ") and refusal.expected.startswith(expected) and refusal.mend
