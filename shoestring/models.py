"""Registered models: what versions there are, which one is served, and a job's model that is not registered yet."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoestring import tracking
from shoestring.base import aws, names
from shoestring.base import champions as written
from shoestring.base.errors import UserError, suggestion
from training.job import registry

if TYPE_CHECKING:
    from stacks.settings import Inference


def versions(bucket: str, model: str = "") -> list[dict[str, Any]]:
    """The versions of `model`, by default of all models, which serving can load, oldest first: their `model.json`."""
    s3, described = aws.client("s3"), []
    prefix = f"{names.MODELS}{model}/" if model else names.MODELS
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if item["Key"].endswith("/model.json"):
                described.append(json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()))
    return sorted(described, key=lambda version: (version["name"], int(version["version"])))


def champions(environment: str) -> dict[str, str]:
    """The promoted version of each model; raises UserError where the platform has no such parameter."""
    return _pointers(environment)[0]


def _pointers(environment: str) -> tuple[dict[str, str], int]:
    """The promoted version of each model, and how often the parameter was written."""
    name, ssm = names.champions(environment), aws.client("ssm")
    try:
        parameter = ssm.get_parameter(Name=name)["Parameter"]
    except ssm.exceptions.ParameterNotFound as error:
        raise UserError(
            f"there is no parameter {name}: the platform {environment} is not up, or of an earlier release",
            "the promoted versions, which the platform keeps there",
            f"pulumi up --refresh --stack {environment} --policy-pack policies",
        ) from error
    return written.read(name, parameter["Value"]), int(parameter["Version"])


def promote(environment: str, bucket: str, model: str, version: str) -> str:
    """Makes `version` (a number, or `latest`) of any registered model its champion; returns it.

    Raises:
        UserError: there is no such model or version; names those that there are.
    """
    known = [str(described["version"]) for described in versions(bucket, model)]
    chosen = known[-1] if version == "latest" and known else version
    if not known:
        registered = sorted({described["name"] for described in versions(bucket)})
        raise UserError(
            f"there is no model {model} in {environment}; "
            + (suggestion(model, registered) if registered else "none is registered yet"),
            "a model that a training job has registered",
            f"shoestring models list -e {environment}" if registered else f"shoestring train -e {environment}",
        )
    if chosen not in known:
        raise UserError(
            f"model {model} has no version {version}",
            f"one of {', '.join(known)}",
            f"shoestring models list {model} -e {environment}",
        )
    while (before := _pointers(environment))[0].get(model) != chosen:
        _write(environment, {**before[0], model: chosen}, before[1])
    return chosen


def _write(environment: str, chosen: dict[str, str], read: int) -> None:
    """Writes the promoted versions that were read as the parameter's version `read`.

    Systems Manager writes without a condition. Where somebody promoted meanwhile, theirs is put back, and the caller,
    who finds its own gone, writes again.
    """
    name, ssm = names.champions(environment), aws.client("ssm")
    wrote = ssm.put_parameter(Name=name, Value=written.written(chosen), Overwrite=True)["Version"]
    if wrote != read + 1:
        between = ssm.get_parameter(Name=f"{name}:{wrote - 1}")["Parameter"]["Value"]
        ssm.put_parameter(Name=name, Value=between, Overwrite=True)


def to_publish(stack: str, model: str, version: str, served: Mapping[str, str], configured: Inference) -> str:
    """What is left to do until `version` of a model is served, in words; empty where it is.

    Args:
        served: the version of each model, as the platform's last update published them.
        configured: what the next one publishes.
    """
    up = f"pulumi up -s {stack} --policy-pack policies"
    if model not in (configured.model, *configured.additional_models):
        place = f"pulumi config set -s {stack} --path"
        beside = f"'shoestring:inference.additionalModels[{len(configured.additional_models)}]'"
        return (
            f"it is not among the models that {stack} serves; serve it\n"
            f"  in the place of {configured.model}:  {place} shoestring:inference.model {model}\n"
            f"  or beside it:  {place} {beside} {model}\n"
            f"then publish it:  {up}"
        )
    return "" if served.get(model) == version else f"publish it:  {up}"


def record_cost(job: str, usd: float, uri: str) -> bool:
    """Notes on a job's registered version what AWS billed for it, known only when the job is over.

    Returns:
        False where MLflow does not answer at `uri`, or has no version of this job.
    """
    import requests  # here, for it is heavy: most commands, and every `--help`, do without

    api = f"{uri}/api/2.0/mlflow/model-versions"
    session = requests.Session()
    if token := tracking.token():
        session.headers["Authorization"] = f"Bearer {token}"
    try:
        query = {"filter": f"tags.`shoestring.job` = '{job}'"}
        registered = session.get(f"{api}/search", params=query, timeout=10).json().get("model_versions", [])
        for version in registered:
            tag = {"key": "shoestring.cost_usd", "value": f"{usd:.8f}"}
            tagged = {"name": version["name"], "version": version["version"], **tag}
            session.post(f"{api}/set-tag", json=tagged, timeout=10).raise_for_status()
    except (requests.RequestException, ValueError):
        return False
    return bool(registered)


def register(job: str, uri: str, bucket: str) -> registry.Registered:
    """Registers a finished job's model from its `model.tar.gz`; a job that is registered stays as it is.

    Raises:
        UserError: the job has no model, or MLflow does not answer.
    """
    key = f"{names.JOBS}{job}/output/model.tar.gz"  # stays when the window, and with it the job, is gone
    with tempfile.TemporaryDirectory() as scratch:
        archive, folder = Path(scratch, "model.tar.gz"), Path(scratch, "model")
        s3 = aws.client("s3")
        try:
            s3.download_file(bucket, key, str(archive))
        except s3.exceptions.ClientError as error:
            raise UserError(
                f"{job} left no model: s3://{bucket}/{key}: {error.response['Error']['Message']}",
                "the name of a training job that completed, as shoestring train printed it",
                "shoestring models list MODEL    (names the jobs of a model's versions)",
            ) from error
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        try:
            return registry.register(folder, uri, bucket)
        except registry.RegistrationError as error:
            raise UserError(str(error), "an MLflow server that answers", f"shoestring models register {job}") from error
