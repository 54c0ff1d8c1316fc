"""The function in the emulated Lambda: from the zip in S3, invoked directly and through its URL."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest
import requests

from localcloud import supervisor
from serving.client import FunctionUrl
from serving.prepare import package
from shoestring.base.function_package import host
from tests.conftest import client as clients

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
NAME = "inference"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    described = supervisor.up(home)
    yield described
    supervisor.down(home)


@pytest.fixture(scope="module")
def function(cloud, model, tmp_path_factory):
    """A deployed function: `call` and `configure` it, its `url`, `logs` and clients."""

    s3, aws, logs = (clients(cloud, service) for service in ("s3", "lambda", "logs"))
    architecture, python = host()
    built = package.build(architecture, python, tmp_path_factory.mktemp("packages"), lambda line: None)
    s3.create_bucket(Bucket="shoestring-test")
    s3.upload_file(str(built), "shoestring-test", f"packages/{built.name}")
    for file in model.folder.iterdir():
        s3.upload_file(str(file), "shoestring-test", f"models/breast-cancer/1/{file.name}")
    role = clients(cloud, "iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]

    def variables(version):
        values = {"MODEL_BUCKET": "shoestring-test", "MODELS": json.dumps({"breast-cancer": version})}
        return {"Variables": values}

    aws.create_function(
        FunctionName=NAME, Runtime=f"python{python}", Architectures=[architecture], Role=role,
        Handler="serving.function.handler.handler", MemorySize=512, Timeout=30, Environment=variables("1"),
        Code={"S3Bucket": "shoestring-test", "S3Key": f"packages/{built.name}"},
    )  # fmt: skip
    url = aws.create_function_url_config(FunctionName=NAME, AuthType="AWS_IAM")["FunctionUrl"]

    def call(event):
        answer = aws.invoke(FunctionName=NAME, Payload=json.dumps(event))
        assert "FunctionError" not in answer
        return json.loads(answer["Payload"].read())

    def lines():
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{NAME}")["events"]
        return [event["message"] for event in events]

    def configure(version):
        aws.update_function_configuration(FunctionName=NAME, Environment=variables(version))

    return SimpleNamespace(call=call, configure=configure, lines=lines, url=url)


@pytest.fixture
def client(cloud, function, monkeypatch):
    for name, value in cloud["variables"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    return FunctionUrl(function.url, cloud["region"], cloud["aws_endpoint"])


def test_answers_direct_invocations_and_logs_each(function, model, record_testsuite_property):
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        answer = function.call({"rows": model.rows[:2]})
        seconds.append(time.perf_counter() - started)
        assert [p["label"] for p in answer["predictions"]] == ["malignant", "malignant"]
    record_testsuite_property("cold_ms", round(seconds[0] * 1000))
    record_testsuite_property("warm_ms", round(min(seconds[1:]) * 1000))
    assert min(seconds[1:]) < seconds[0]
    lines = function.lines()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert [line["event"] for line in logged].count("loaded") == 1
    assert [(line["rows"], line["status"]) for line in logged if line["event"] == "request"] == [(2, 200)] * 3
    assert sum(line.startswith("REPORT RequestId: ") for line in lines) == 3


def test_answers_through_its_url(client, model):
    status, answer = client.predict(model.rows[:1])
    assert status == 200 and answer["predictions"][0]["label"] == "malignant"
    assert client.describe()[1]["version"] == "1"
    assert client.describe("breast-cancer")[1]["version"] == "1"
    assert client.describe("iris") == (404, {"error": "no model iris is served; there are: breast-cancer"})


def test_url_answers_errors_as_they_are_meant(client, function, cloud, model):
    status, answer = client.predict([{**model.rows[0], "mean radius": "x"}])
    assert status == 400 and [p["field"] for p in answer["problems"]] == ["mean radius"]
    assert client.predict([{}] * 1001)[0] == 413
    host = function.url.removeprefix("https://").rstrip("/")
    unsigned = requests.post(cloud["aws_endpoint"], headers={"Host": host}, data="{}", timeout=30)
    assert unsigned.status_code == 403


def test_without_promoted_version_says_what_to_do(client, function, model):
    function.configure("none")
    assert function.call({"rows": model.rows[:1]})["status"] == 503
    status, answer = client.predict(model.rows[:1])
    assert status == 503 and "shoestring models promote" in answer["mend"]
    function.configure("1")
    assert client.predict(model.rows[:1])[0] == 200
