"""A training window: what comes up, works, and is destroyed. While it is down it costs nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
from pulumi_aws import _utilities
from pulumi_aws.get_caller_identity import get_caller_identity_output
from pulumi_aws.s3.bucket_objectv2 import BucketObjectv2

from components.spot_training_job import SpotTrainingJob, SpotTrainingJobArgs
from costs import gate
from shoestring.base import names
from shoestring.base.errors import UserError
from shoestring.base.paths import home
from stacks.account import check_quotas, outputs_before
from stacks.settings import WindowSettings
from stacks.tags import tag_everything
from stacks.zones import offering_jobs, warn_of_jobs
from training import variables
from training.prepare import bundle, data, jobfile, wheels

NEEDED = ("bucket", "mlflow_url", "subnet_ids", "vpc_id", "mlflow_security_group_id", "window_gate")
AS_IN_THE_FILE = {"instance_type", "volume_gb", "hyperparameters", "metrics", "spot", "max_run", "max_wait"}


def check_platform(environment: str, outputs: Mapping[str, Any]) -> None:
    """Raises UserError where the platform is not up."""
    missing = [key for key in NEEDED if not outputs.get(key)]
    if missing:
        raise UserError(
            f"the platform {environment} is not up, or older than this program: it has no {', '.join(missing)}",
            "the stack with the state and the tracking server that the jobs use",
            f"pulumi up --stack {environment}",
        )


def check_region(environment: str, region: str, of_platform: str | None) -> None:
    """Raises UserError where window and platform are in different regions: bucket and subnets are the platform's."""
    stack = names.window(environment)
    if of_platform and of_platform != region:
        raise UserError(
            f"aws:region of {stack} is {region}, and the platform {environment} is in {of_platform}",
            "one region for both",
            f"pulumi config set aws:region {of_platform} --stack {stack}",
        )


def check_gate(environment: str, value: str, now: datetime) -> None:
    """Raises UserError where the environment is closed to new windows, for its budget is spent or somebody said so."""
    reopen = f'shoestring budget reopen -e {environment} --why "..."'
    try:
        state = gate.read(value)
    except ValueError as problem:
        raise UserError(f"the parameter {names.window_gate(environment)}: {problem}", "", reopen) from None
    if not state.closed_at(now):
        return
    spent = (
        f"{state.spent_usd:f} of {state.limit_usd or 0:f} dollars are spent in {state.period}"
        if state.spent_usd is not None
        else f"closed for {state.period}"
    )
    raise UserError(
        f"{environment} takes no new training window: {spent} (closed at {state.at}: {state.why})",
        "an open gate; it opens by itself with the next month, and a higher limit is shoestring:budget.monthlyUsd",
        reopen,
    )


def lease(settings: WindowSettings, earlier: object, now: datetime) -> str:
    """When this window may be removed by anyone, in UTC: as configured, as before, or some hours from now."""
    if settings.lease_until:
        end = settings.lease_until
    elif isinstance(earlier, str) and datetime.fromisoformat(earlier) > now:
        return earlier
    else:
        end = now.replace(second=0, microsecond=0) + timedelta(hours=settings.lease_hours)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ")


NO_PARAMETER = re.compile(r"ParameterNotFound|couldn't find resource|empty result")


async def gate_value(environment: str) -> str:
    """What the gate's parameter holds now. Raises UserError where there is none."""
    name = names.window_gate(environment)
    try:
        options = _utilities.get_invoke_opts_defaults()  # the version: without it, the engine starts a second provider
        answer = await pulumi.runtime.invoke_async("aws:ssm/getParameter:getParameter", {"name": name}, options)
    except Exception as error:  # the SDK raises nothing narrower
        if not NO_PARAMETER.search(str(error)):
            raise
        raise UserError(
            f"there is no parameter {name}",
            f"the gate that the platform {environment} makes",
            f"pulumi up --refresh --stack {environment}",
        ) from None
    return str(answer["value"])


async def _admitted(environment: str, region: str, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The platform's outputs. Raises RunError where it is not up, in the window's region, and open to new windows."""
    try:
        check_platform(environment, outputs)
        check_region(environment, region, outputs.get("region"))
        check_gate(environment, await gate_value(environment), datetime.now(UTC))
    except UserError as error:
        raise pulumi.RunError(str(error)) from None
    return outputs


def build(settings: WindowSettings) -> None:
    """Everything of the stack `<environment>-window`."""
    runs = json.loads(os.environ.get(names.RUNS, "{}"))
    jobs = [jobfile.load(jobfile.find(name)) for name in settings.jobs]
    jobs = [job for job in jobs if not runs or job.name in runs]
    check_quotas(settings)
    offers = offering_jobs(job.instance_type for job in jobs)
    project = f"{pulumi.get_organization()}/{pulumi.get_project()}"
    platform: pulumi.Output[Mapping[str, Any]] = pulumi.StackReference(
        f"{project}/{settings.environment}"
    ).outputs.apply(  # type: ignore[assignment]
        lambda outputs: _admitted(settings.environment, settings.region, outputs)
    )
    earlier = outputs_before()
    # All tags wait for the checks of platform and gate, so that nothing is made before it.
    lease_end = platform.apply(lambda _: lease(settings, earlier.get("lease"), datetime.now(UTC)))
    tag_everything({**settings.tags(), names.LEASE_TAG: lease_end})
    platform.apply(lambda outputs: warn_of_jobs(offers, outputs.get("zones") or ()))
    account = get_caller_identity_output().account_id

    uploads = Uploads(platform.apply(lambda outputs: str(outputs["bucket"])))
    components = [_job(settings, job, runs.get(job.name, 1), platform, account, uploads) for job in jobs]
    pulumi.export(
        "jobs",
        [
            {"name": component.job_name, "model": job.name, "arn": component.arn}
            for job, component in zip(jobs, components, strict=True)
        ],
    )
    pulumi.export("lease", lease_end)
    pulumi.export("region", settings.region)


class Uploads:
    """Files in the bucket, one resource for each key: jobs with the same code share it, and an old job that goes takes
    nothing away from the one in its place."""

    def __init__(self, bucket: pulumi.Output[str]) -> None:
        self.bucket = bucket
        self._uris: dict[str, pulumi.Output[str]] = {}

    def uri(self, key: str, path: Path) -> pulumi.Output[str]:
        """The `s3://` URI of `path` under `key`, known once it is there."""
        if key not in self._uris:
            file = BucketObjectv2(key, bucket=self.bucket, key=key, source=pulumi.FileAsset(str(path)))
            self._uris[key] = pulumi.Output.concat("s3://", file.bucket, "/", file.key)
        return self._uris[key]

    def folder(self, prefix: str, path: Path, pattern: str) -> pulumi.Output[str]:
        """The `s3://` URI of `prefix`, known once all files of the folder `path` that fit `pattern` are below it."""
        uris = [self.uri(f"{prefix}{file.name}", file) for file in sorted(path.glob(pattern))]
        return pulumi.Output.all(self.bucket, *uris).apply(lambda parts: f"s3://{parts[0]}/{prefix}")


def _job(
    settings: WindowSettings,
    job: jobfile.JobFile,
    run: int,
    platform: pulumi.Output[Mapping[str, Any]],
    account: pulumi.Output[str],
    uploads: Uploads,
) -> SpotTrainingJob:
    """One job of the window, from its file."""
    folder = home() / "packages"
    training_set = data.prepare(job, folder)
    # The local cloud runs jobs in this machine's own Python environment, which has all that they need.
    packages = None if settings.environment == "local" else wheels.build(job, folder, pulumi.log.info)
    code = bundle.build(job, folder, packages)
    image = job.image_uri(settings.region)
    name = bundle.job_name(job, code=code.sha256, data=training_set.sha256, image=image, run=run)
    return SpotTrainingJob(
        name,
        SpotTrainingJobArgs(
            job_name=name,
            model=job.name,
            bucket=uploads.bucket,
            data_uri=uploads.uri(f"{names.DATA}{job.name}/{training_set.sha256}/train.csv", training_set.path),
            code_uri=uploads.uri(f"{names.CODE}{code.sha256}/sourcedir.tar.gz", code.path),
            wheels_uri=uploads.folder(f"{names.WHEELS}{packages.sha256}/", packages.path, "*.whl")
            if packages
            else None,
            program=job.entry_path.name,
            image=image,
            region=settings.region,
            account=account,
            subnet_ids=platform.apply(lambda outputs: list(outputs["subnet_ids"])),
            vpc_id=platform.apply(lambda outputs: str(outputs["vpc_id"])),
            tracking_security_group_id=platform.apply(lambda outputs: str(outputs["mlflow_security_group_id"])),
            environment={
                variables.MLFLOW: platform.apply(lambda outputs: str(outputs["mlflow_url"])),
                variables.BUCKET: uploads.bucket,
                variables.ENVIRONMENT: settings.environment,
                variables.DATA_SHA256: training_set.sha256,
                variables.CODE_SHA256: code.sha256,
                variables.MODEL: job.name,
                variables.TARGET: job.data.target,
                variables.CHECKPOINT_SECONDS: str(job.checkpoint_every),
            },
            **job.model_dump(include=AS_IN_THE_FILE),
        ),
    )
