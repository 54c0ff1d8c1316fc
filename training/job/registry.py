"""Registers a finished job's model: a version in MLflow, and the files that serving reads in S3.

At the end of a job, or at any later time from its unpacked `model.tar.gz`, which carries the tracking journal.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.job import tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient

SERVED = ("model.onnx", "signature.json", "model.json")  # the last one is written last: it says that all are there
ARTIFACTS = "model"  # folder of the run's artifacts
LOCATION_TAG = "shoestring.location"


class RegistrationError(Exception):
    """The model could not be registered; the message says why. Nothing is lost: register it again."""


@dataclass(frozen=True)
class Registered:
    """A model's version, and where serving finds it; `new` is False when the job had been registered before."""

    name: str
    version: str
    run_id: str
    location: str
    new: bool


def register(folder: Path, uri: str, bucket: str) -> Registered:
    """Registers the model in `folder`; of one job there is one version, however often this is called.

    Args:
        folder: model.onnx, signature.json, model.json and tracking.jsonl, as a job leaves them.
        uri: the MLflow server.
        bucket: takes `models/<name>/<version>/`.

    Raises:
        RegistrationError: a file is missing, or MLflow or S3 does not answer.
    """
    missing = [name for name in (*SERVED, tracking.JOURNAL) if not (folder / name).is_file()]
    if missing:
        raise RegistrationError(f"{folder} is not a job's model: {', '.join(missing)} missing")
    if not uri or not bucket:
        raise RegistrationError(f"no {'bucket' if uri else 'MLflow server'} to register the model in")
    model = json.loads((folder / "model.json").read_text())
    try:
        sender = tracking.Sender(folder / tracking.JOURNAL, uri)
        sender.send()
        version, new = _version(sender.client, sender.run_id, folder, model)
        model |= {"version": version, "run_id": sender.run_id}
        location = _store(folder, bucket, model)
        sender.client.set_model_version_tag(model["name"], version, LOCATION_TAG, location)
    except tracking.errors() as error:
        raise RegistrationError(f"mlflow at {uri}: {tracking.first_line(error)}") from error
    return Registered(model["name"], version, sender.run_id, location, new)


def _version(client: MlflowClient, run_id: str, folder: Path, model: dict[str, Any]) -> tuple[str, bool]:
    """The job's version, and whether it was made now."""
    from mlflow.exceptions import MlflowException  # here, as all of MLflow, for it is heavy

    name, job = model["name"], model["job"]
    versions = client.search_model_versions(f"name = '{name}' and tags.`{tracking.JOB_TAG}` = '{job}'")
    if versions:
        return str(min(int(version.version) for version in versions)), False
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    with tempfile.TemporaryDirectory() as temporary:
        packed = Path(temporary) / ARTIFACTS
        _pack(folder, packed, model)
        client.log_artifacts(run_id, str(packed), ARTIFACTS)
    created = client.create_model_version(
        name, f"runs:/{run_id}/{ARTIFACTS}", run_id, tags=tags(model), await_creation_for=0
    )
    return str(created.version), True


def tags(model: dict[str, Any]) -> dict[str, str]:
    """The tags of a version: which job, data and code it comes from, and its metrics."""
    origin = {key: str(model[key]) for key in ("job", "data_sha256", "code_sha256", "environment") if model.get(key)}
    metrics = {key: f"{value:.6g}" for key, value in model["metrics"].items()}
    return {f"shoestring.{key}": value for key, value in {**origin, **metrics}.items()}


def _pack(folder: Path, target: Path, model: dict[str, Any]) -> None:
    """An MLflow model: the ONNX file with its signature and environment, beside Shoestring's own two files."""
    import mlflow.onnx  # here, as the others, for it is heavy
    import numpy
    import onnx
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    features, classes = len(model["features"]), len(model["classes"])
    signature = ModelSignature(
        inputs=Schema([TensorSpec(numpy.dtype("float32"), (-1, features), "input")]),
        outputs=Schema(
            [
                TensorSpec(numpy.dtype("int64"), (-1,), "label"),
                TensorSpec(numpy.dtype("float32"), (-1, classes), "probabilities"),
            ]
        ),
    )
    needed = [f"{name}=={model['packages'][name]}" for name in ("numpy", "onnx", "onnxruntime")]
    mlflow.onnx.save_model(
        onnx.load(folder / "model.onnx"),
        str(target),
        signature=signature,
        pip_requirements=needed,
        onnx_execution_providers=["CPUExecutionProvider"],
    )
    for name in ("signature.json", "model.json"):
        (target / name).write_bytes((folder / name).read_bytes())


def _store(folder: Path, bucket: str, model: dict[str, Any]) -> str:
    """Copies what serving reads to the version's prefix, unless it is there; returns the prefix."""
    import boto3  # here, for it is heavy
    from botocore.exceptions import BotoCoreError, ClientError

    prefix = f"models/{model['name']}/{model['version']}"
    try:
        s3 = boto3.client("s3")
        if s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/model.json").get("KeyCount"):
            return f"s3://{bucket}/{prefix}/"
        for name in SERVED:
            body = json.dumps(model, indent=2).encode() if name == "model.json" else (folder / name).read_bytes()
            s3.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=body)
    except (ClientError, BotoCoreError) as error:
        raise RegistrationError(f"s3://{bucket}/{prefix}/: {error}") from error
    return f"s3://{bucket}/{prefix}/"
