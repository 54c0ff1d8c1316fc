"""The Lambda function: answers its function URL (payload format 2.0) and direct invocations.

    POST /MODEL   {"rows": [{"mean radius": 14.1, …}, …]}  →  {"predictions": [{"label", "probability", …}], …}
    GET  /MODEL   what is served: model, version, features, classes

The first of its models answers at / too. A direct invocation sends the body of the POST as its event, with `model` in
it where another than the first is asked, and gets the same answer with `status` in it. It reads MODEL_BUCKET and MODELS
(the version of each model, `none` until one is promoted), and each model from `s3://<bucket>/models/<name>/<version>/`
once for each cold start. Each request leaves one line of JSON in the log.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

from serving.predictor import FILES, BadModel, InvalidInput, Predictor

MAX_ROWS = 1000
MAX_PROBLEMS = 100  # in one answer: Lambda's answers end at 6 MB
Answer = tuple[int, dict[str, Any]]


class Refused(Exception):
    """A request that gets an error as its answer."""

    def __init__(self, status: int, error: str, **facts: Any) -> None:
        self.answer: Answer = status, {"error": error, **facts}
        super().__init__(error)


def _log(**facts: Any) -> None:
    print(json.dumps(facts, default=str), flush=True)


def _milliseconds(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


def _served() -> dict[str, str]:
    """The version of each model by name, the first one first."""
    return dict(json.loads(os.environ["MODELS"]))


def _model(name: Any) -> dict[str, Any]:
    """Name and version of one of the models; of the first where no name is given."""
    served = _served()
    name = str(name or next(iter(served)))
    if name not in served:
        raise Refused(404, f"no model {name} is served; there are: {', '.join(served)}")
    return {"model": name, "version": served[name]}


@functools.cache
def _load(bucket: str, name: str, version: str) -> Predictor:
    import boto3  # here, for it is heavy: a function without a promoted model does without
    from botocore.exceptions import BotoCoreError, ClientError

    started = time.perf_counter()
    s3 = boto3.client("s3")
    with tempfile.TemporaryDirectory() as folder:
        for file in FILES:
            key = f"models/{name}/{version}/{file}"
            try:
                s3.download_file(bucket, key, str(Path(folder, file)))
            except (BotoCoreError, ClientError) as error:
                raise BadModel(f"s3://{bucket}/{key}: {error}") from error
        predictor = Predictor.load(Path(folder))
    _log(event="loaded", model=name, version=version, latency_ms=_milliseconds(started))
    return predictor


def _predictor(name: str, version: str) -> Predictor:
    promote = f"shoestring models promote {name} VERSION, then pulumi up -s ENVIRONMENT"
    if version == "none":
        raise Refused(503, f"no version of {name} is promoted in this environment", mend=promote)
    try:
        return _load(os.environ["MODEL_BUCKET"], name, version)
    except BadModel as error:
        _log(event="bad model", model=name, version=version, error=str(error))
        raise Refused(503, f"version {version} of {name} cannot be loaded; the log says why", mend=promote) from error


def _described(line: dict[str, Any]) -> dict[str, Any]:
    model, version = line["model"], line["version"]
    predictor = _predictor(model, version)
    features = [asdict(feature) for feature in predictor.features]
    return {
        "model": model,
        "version": version,
        "status": "ok",
        "features": features,
        "classes": predictor.classes,
        "facts": predictor.facts,
        "models": _served(),
    }


def _rows(body: Any) -> list[Any]:
    if not isinstance(body, dict) or set(body) != {"rows"} or not isinstance(body["rows"], list) or not body["rows"]:
        raise Refused(400, 'expected {"rows": [{field: number, …}, …]} with at least one row')
    if len(body["rows"]) > MAX_ROWS:
        raise Refused(413, f"{len(body['rows'])} rows, expected {MAX_ROWS} at most")
    return body["rows"]


def _predicted(body: Any, line: dict[str, Any]) -> dict[str, Any]:
    rows = _rows(body)
    line["rows"] = len(rows)
    predictor = _predictor(line["model"], line["version"])
    started = time.perf_counter()
    try:
        predictions = [asdict(prediction) for prediction in predictor.predict(rows)]
    except InvalidInput as error:
        shown = [asdict(problem) for problem in error.problems[:MAX_PROBLEMS]]
        raise Refused(
            400, "the rows do not fit the model", model=line["model"], problems=shown, problem_count=len(error.problems)
        ) from error
    return {
        "predictions": predictions,
        "model": line["model"],
        "version": line["version"],
        "latency_ms": _milliseconds(started),
    }


def _body(event: dict[str, Any]) -> Any:
    text = event.get("body") or ""
    try:
        return json.loads(base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON: {error}") from error


def _http(event: dict[str, Any], line: dict[str, Any]) -> dict[str, Any]:
    http = event["requestContext"]["http"]
    line |= _model(http["path"].strip("/"))
    if http["method"] == "GET":
        return _described(line)
    if http["method"] != "POST":
        raise Refused(405, f"{http['method']} is not allowed; POST predicts, GET describes the model")
    return _predicted(_body(event), line)


def _direct(event: Any, line: dict[str, Any]) -> dict[str, Any]:
    body = dict(event) if isinstance(event, dict) else event
    line |= _model(body.pop("model", "") if isinstance(body, dict) else "")
    return _predicted(body, line)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry point; every outcome is an answer, never an exception."""
    started = time.perf_counter()
    request = getattr(context, "aws_request_id", "")
    line: dict[str, Any] = {"event": "request", "request_id": request, "rows": 0}
    is_http = isinstance(event, dict) and "requestContext" in event
    try:
        status, body = 200, _http(event, line) if is_http else _direct(event, line)
    except Refused as refused:
        status, body = refused.answer
        line["error"] = body["error"]
    except Exception:
        status, body = 500, {"error": "internal error; the log has it under this request", "request_id": request}
        line["traceback"] = traceback.format_exc()
    _log(**line, status=status, latency_ms=_milliseconds(started))
    if not is_http:
        return {"status": status, **body}
    headers = {"content-type": "application/json"} | ({"allow": "GET, POST"} if status == 405 else {})
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def _warm() -> None:
    """Loads the models while the function starts, when Lambda gives it a full core; a failure is answered later."""
    for model, version in _served().items():
        try:
            _predictor(model, version)
        except Exception as error:
            _log(event="not warmed", model=model, version=version, error=repr(error))


if {"AWS_LAMBDA_FUNCTION_NAME", "MODELS"} <= os.environ.keys():
    _warm()
