"""Registered models: what versions there are, which one is served, and a job's model that is not registered yet."""

from __future__ import annotations

import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from shoestring.base import aws, names
from shoestring.base.errors import UserError
from training.job import registry


def versions(bucket: str, model: str) -> list[dict[str, Any]]:
    """The versions of `model` that serving can load, oldest first: what each one's `model.json` says."""
    s3, described = aws.client("s3"), []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{names.MODELS}{model}/"):
        for item in page.get("Contents", []):
            if item["Key"].endswith("/model.json"):
                described.append(json.loads(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()))
    return sorted(described, key=lambda version: int(version["version"]))


def champion(environment: str, model: str) -> str:
    """The version that is served, or `none`; raises UserError where the platform has no such model."""
    name = names.champion(environment, model)
    ssm = aws.client("ssm")
    try:
        return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound as error:
        raise UserError(
            f"the platform {environment} serves no model {model}: there is no parameter {name}",
            "the name in shoestring:inference.model of a platform that is up",
            f"pulumi up --stack {environment} --policy-pack policies",
        ) from error


def promote(environment: str, bucket: str, model: str, version: str) -> str:
    """Makes `version` (a number, or `latest`) the one that the next `pulumi up` serves; returns it."""
    before = champion(environment, model)
    known = [str(described["version"]) for described in versions(bucket, model)]
    chosen = known[-1] if version == "latest" and known else version
    if chosen not in known:
        raise UserError(
            f"model {model} has no version {version}", f"one of {', '.join(known) or 'none yet'}", "shoestring train"
        )
    if chosen != before:
        name = names.champion(environment, model)
        aws.client("ssm").put_parameter(Name=name, Value=chosen, Overwrite=True)
    return chosen


def record_cost(job: str, usd: float, uri: str) -> bool:
    """Notes on a job's registered version what AWS billed for it, known only when the job is over.

    Returns:
        False where MLflow does not answer at `uri`, or has no version of this job.
    """
    import requests  # here, for it is heavy: most commands, and every `--help`, do without

    api = f"{uri}/api/2.0/mlflow/model-versions"
    try:
        query = {"filter": f"tags.`shoestring.job` = '{job}'"}
        registered = requests.get(f"{api}/search", params=query, timeout=10).json().get("model_versions", [])
        for version in registered:
            tag = {"key": "shoestring.cost_usd", "value": f"{usd:.8f}"}
            tagged = {"name": version["name"], "version": version["version"], **tag}
            requests.post(f"{api}/set-tag", json=tagged, timeout=10).raise_for_status()
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
