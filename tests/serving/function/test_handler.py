"""Every request to the function gets an answer that says what to do, and leaves one line in the log."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError

from serving.function import handler as function


class Bucket:
    """S3's client at the network's edge: `download_file` from a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.downloads = folder, 0

    def download_file(self, bucket: str, key: str, path: str) -> None:
        self.downloads += 1
        if not (self.folder / bucket / key).exists():
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
        shutil.copy(self.folder / bucket / key, path)


@pytest.fixture
def bucket(model, tmp_path, monkeypatch):
    bucket = Bucket(tmp_path)
    shutil.copytree(model.folder, tmp_path / "bucket" / "models" / "breast-cancer" / "1")
    monkeypatch.setenv("MODEL_BUCKET", "bucket")
    monkeypatch.setenv("MODELS", '{"breast-cancer": "1", "iris": "none"}')
    monkeypatch.setattr(boto3, "client", lambda service: bucket)
    function._load.cache_clear()
    yield bucket
    function._load.cache_clear()


def http(method: str = "POST", path: str = "/", body: object = None, **event: object) -> tuple[int, dict]:
    """Calls the handler as the function URL does."""
    event = {"requestContext": {"http": {"method": method, "path": path}}, "body": body, **event}
    answer = function.handler(event, SimpleNamespace(aws_request_id="r-1"))
    assert answer["headers"]["content-type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"])


def log(capsys) -> dict:
    """The last line that was logged."""
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_predicts_over_http(model, bucket, capsys):
    status, answer = http(body=json.dumps({"rows": model.rows[:2]}))
    assert status == 200
    assert [p["label"] for p in answer["predictions"]] == ["malignant", "malignant"]
    assert set(answer["predictions"][0]) == {"label", "probability", "probabilities", "warnings"}
    assert (answer["model"], answer["version"]) == ("breast-cancer", "1") and answer["latency_ms"] > 0
    line = log(capsys)
    assert {key: line[key] for key in ("request_id", "model", "version", "rows", "status")} == {
        "request_id": "r-1", "model": "breast-cancer", "version": "1", "rows": 2, "status": 200,
    }  # fmt: skip
    assert line["latency_ms"] >= answer["latency_ms"]


def test_body_may_come_in_base64(model, bucket):
    body = base64.b64encode(json.dumps({"rows": model.rows[:1]}).encode()).decode()
    assert http(body=body, isBase64Encoded=True)[0] == 200
    assert http(body="no base64", isBase64Encoded=True)[0] == 400


def test_predicts_on_direct_invocation_and_reads_the_model_once(model, bucket):
    for _ in range(3):
        answer = function.handler({"rows": model.rows[:1]}, None)
        assert answer["status"] == 200 and answer["predictions"][0]["label"] == "malignant"
    assert bucket.downloads == 3  # its three files


def test_get_describes_the_model(model, bucket):
    status, answer = http("GET")
    assert status == 200
    assert (answer["status"], answer["model"], answer["version"]) == ("ok", "breast-cancer", "1")
    assert answer["classes"] == ["malignant", "benign"]
    assert answer["features"][0] == {"name": "mean radius", "min": 6.981, "max": 28.11}
    assert answer["models"] == {"breast-cancer": "1", "iris": "none"}


def test_each_model_answers_at_its_name_and_the_first_at_the_address_itself(model, bucket, monkeypatch, capsys):
    shutil.copytree(model.folder, bucket.folder / "bucket" / "models" / "iris" / "2")
    monkeypatch.setenv("MODELS", '{"breast-cancer": "1", "iris": "2"}')
    body = json.dumps({"rows": model.rows[:1]})
    for path, name, version in (
        ("/", "breast-cancer", "1"),
        ("/breast-cancer", "breast-cancer", "1"),
        ("/iris", "iris", "2"),
    ):
        status, answer = http(path=path, body=body)
        assert (status, answer["model"], answer["version"]) == (200, name, version)
        line = log(capsys)
        assert (line["model"], line["version"]) == (name, version)
        assert http("GET", path)[1]["model"] == name
    answer = function.handler({"rows": model.rows[:1], "model": "iris"}, None)
    assert (answer["status"], answer["model"]) == (200, "iris")
    assert bucket.downloads == 6  # each model's three files, once


def test_a_model_that_cannot_be_served_leaves_the_others_alone(model, bucket):
    body = json.dumps({"rows": model.rows[:1]})
    assert http(path="/iris", body=body)[0] == 503
    assert http(path="/breast-cancer", body=body)[0] == 200


def test_a_model_that_is_not_served_is_answered_with_those_that_are(bucket):
    status, answer = http(path="/churn")
    assert (status, answer["error"]) == (404, "no model churn is served; there are: breast-cancer, iris")
    assert function.handler({"rows": [{}], "model": ["churn"]}, None)["status"] == 404


def test_fields_at_fault_are_named_all_at_once(model, bucket, capsys):
    status, answer = http(body=json.dumps({"rows": [{**model.rows[0], "mean radius": "x", "colour": 1}]}))
    assert status == 400
    assert [(p["row"], p["field"]) for p in answer["problems"]] == [(0, "mean radius"), (0, "colour")]
    assert answer["problem_count"] == 2
    assert log(capsys)["status"] == 400


def test_answer_with_many_problems_is_cut_and_counted(bucket):
    status, answer = http(body=json.dumps({"rows": [{}] * 1000}))
    assert (status, len(answer["problems"]), answer["problem_count"]) == (400, 100, 30_000)


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"rows": []}',
        '{"rows": {}}',
        '{"rows": [{}], "row": 1}',
        "[" * 100_000,
        "\ud800",
    ],
)
def test_body_of_another_shape_is_refused(bucket, body):
    status, answer = http(body=body)
    assert status == 400 and ("rows" in answer["error"] or "not JSON" in answer["error"])


@pytest.mark.parametrize("event", [None, [], "text", {}, {"rows": None}])
def test_direct_invocation_of_another_shape_is_refused(bucket, event):
    assert function.handler(event, None)["status"] == 400


def test_too_many_rows_are_refused(model, bucket):
    status, answer = http(body=json.dumps({"rows": [{}] * 1001}))
    assert status == 413 and "1001 rows, expected 1000 at most" in answer["error"]


def test_other_paths_and_methods_are_refused(bucket):
    assert http("POST", "/predict")[0] == 404
    assert http("DELETE")[0] == 405
    answer = function.handler({"requestContext": {"http": {"method": "PUT", "path": "/"}}}, None)
    assert answer["headers"]["allow"] == "GET, POST"


def test_says_how_to_promote_while_no_version_is_promoted(model, bucket, monkeypatch):
    monkeypatch.setenv("MODELS", '{"breast-cancer": "none"}')
    for status, answer in (http(body=json.dumps({"rows": model.rows[:1]})), http("GET")):
        assert status == 503
        assert "no version of breast-cancer is promoted" in answer["error"]
        assert "shoestring models promote breast-cancer" in answer["mend"] and "pulumi up -s" in answer["mend"]
    assert bucket.downloads == 0


def test_version_that_is_not_in_the_bucket_is_said_and_tried_again(model, bucket, monkeypatch, capsys):
    monkeypatch.setenv("MODELS", '{"breast-cancer": "2"}')
    status, answer = http("GET")
    assert status == 503 and "version 2 of breast-cancer cannot be loaded" in answer["error"]
    assert "models/breast-cancer/2/model.onnx" in capsys.readouterr().out
    shutil.copytree(model.folder, bucket.folder / "bucket" / "models" / "breast-cancer" / "2")
    assert http("GET")[0] == 200


def test_changed_model_is_not_served(bucket):
    (bucket.folder / "bucket" / "models" / "breast-cancer" / "1" / "signature.json").write_text("{}")
    assert http("GET")[0] == 503


def test_caller_never_sees_a_traceback_but_the_log_does(model, bucket, monkeypatch, capsys):
    monkeypatch.delenv("MODEL_BUCKET")
    status, answer = http(body=json.dumps({"rows": model.rows[:1]}))
    assert status == 500 and answer["request_id"] == "r-1"
    assert "Traceback" not in json.dumps(answer)
    assert "KeyError: 'MODEL_BUCKET'" in log(capsys)["traceback"]
