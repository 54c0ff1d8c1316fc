"""The rules `spot-training` and `training-bounds`: jobs run on spare capacity, end some time, and lose little."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from policies.rule import Context, Example, Finding, Resource, Rule, resource, usd
from policies.values import UNKNOWN, at, each, known, number, off, on, text

JOB = "aws:sagemaker/trainingJob:TrainingJob"
TUNING = "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob"
LONGEST = 24 * 3600  # seconds; what AWS takes where a job says nothing


def definitions(job: Resource) -> Iterator[tuple[str, Any]]:
    """Where a resource says how its jobs run (a path with its dot, or nothing), and what it says."""
    if job.type == JOB:
        yield "", job.props
        return
    one = at(job.props, "trainingJobDefinition")
    if known(one):
        yield "training_job_definition.", one
    for number_, several in enumerate(each(at(job.props, "trainingJobDefinitions"))):
        yield f"training_job_definitions[{number_}].", several


def kind(definition: Any) -> str:
    """The machine of a job, where it is known."""
    found = at(definition, "resourceConfig", "instanceType")
    return text(found) or text(at(definition, "resourceConfig", "instanceGroups", 0, "instanceType"))


def _name(job: Resource) -> str:
    return text(at(job.props, "trainingJobName")) or text(at(job.props, "name")) or job.name


def _worst(job: Resource, definition: Any, context: Context) -> str:
    """What a run costs on demand, and on spot."""
    price = context.price("sagemaker-training", kind(definition), job.region)
    seconds = number(at(definition, "stoppingCondition", "maxRuntimeInSeconds")) or LONGEST
    count = number(at(definition, "resourceConfig", "instanceCount")) or 1
    if price is None:
        return f"no list price of {kind(definition) or 'its instance type'} is known"
    run = price.usd * seconds / 3600 * count
    share = context.prices.spot("sagemaker-training", kind(definition), job.region or context.region).share
    return (
        f"up to {usd(run)} a run on demand (list price of {price.as_of}), on spot {usd(run * share.low)} "
        f"to {usd(run * share.high)}"
    )


def check_spot(job: Resource, context: Context) -> Iterator[Finding]:
    """A finding for each definition of jobs that run on demand."""
    for path, definition in definitions(job):
        machine = kind(definition)
        if any(fnmatchcase(_name(job), word) or machine == word for word in context.config["allow"]):
            continue
        value = at(definition, "enableManagedSpotTraining")
        if off(value):
            yield Finding(
                f"{path}enable_managed_spot_training",
                value,
                f"{path}enable_managed_spot_training=True with {path}stopping_condition.max_wait_time_in_seconds and "
                f"{path}checkpoint_config, or {_name(job)!r} or {machine!r} in `allow` of the policy configuration",
                _worst(job, definition, context),
            )


def check_bounds(job: Resource, context: Context) -> Iterator[Finding]:
    """Findings for what a job lacks: an end, an end of its waiting, a place for its checkpoints."""
    for path, definition in definitions(job):
        stop = at(definition, "stoppingCondition")
        spot = on(at(definition, "enableManagedSpotTraining"))
        longest, waits = at(stop, "maxRuntimeInSeconds"), at(stop, "maxWaitTimeInSeconds")
        if longest is None:
            dear = _worst(job, definition, context)
            yield Finding(
                f"{path}stopping_condition.max_runtime_in_seconds", None,
                f"{path}stopping_condition.max_runtime_in_seconds=3600", f"AWS stops it after 24 h: {dear}",
            )  # fmt: skip
        if spot and waits is None:
            yield Finding(
                f"{path}stopping_condition.max_wait_time_in_seconds", None,
                f"{path}stopping_condition.max_wait_time_in_seconds=7200 (run and waiting for capacity together)",
                "nothing while it waits, but the window, its lease and whoever follows it wait too",
            )  # fmt: skip
        if spot and not at(definition, "checkpointConfig") and at(definition, "checkpointConfig") is not UNKNOWN:
            yield Finding(
                f"{path}checkpoint_config", None, f'{path}checkpoint_config={{"s3_uri": "s3://BUCKET/checkpoints/NAME/"}}',
                f"an interruption repeats the whole run: {_worst(job, definition, context)} each time",
            )  # fmt: skip


def _job(**changes: Any) -> Resource:
    props = {
        "trainingJobName": "churn-3f9a",
        "roleArn": "arn:aws:iam::123456789012:role/churn",
        "resourceConfig": {"instanceType": "ml.g4dn.xlarge", "instanceCount": 1, "volumeSizeInGb": 30},
        "stoppingCondition": {"maxRuntimeInSeconds": 3600, "maxWaitTimeInSeconds": 7200},
        "checkpointConfig": {"s3Uri": "s3://models/checkpoints/churn-3f9a/"},
        "enableManagedSpotTraining": True,
    }
    return resource(JOB, "churn", **{key: value for key, value in {**props, **changes}.items() if value is not None})


SPOT_TRAINING = Rule(
    name="spot-training",
    group="waste",
    description="Training runs on managed spot capacity.",
    why="Spot capacity costs up to 90 % less for the same instance; with checkpoints an interruption costs minutes.",
    change="Turn managed spot training on, with a longest wait and checkpoints; what cannot be interrupted goes into "
    "the "
    "allow list.",
    types=(JOB, TUNING),
    config={
        "allow": {
            "type": "array", "items": {"type": "string"}, "default": [],
            "description": "Jobs that may run on demand: names, with * and ? as wildcards, and instance types.",
        }
    },
    check=check_spot,
    fails=Example((_job(enableManagedSpotTraining=None, stoppingCondition={"maxRuntimeInSeconds": 3600}),)),
    passes=Example((_job(),)),
)  # fmt: skip
TRAINING_BOUNDS = Rule(
    name="training-bounds",
    group="waste",
    description="Jobs say how long they may run and wait, and spot jobs where their checkpoints go.",
    why="A job without an end of its own runs for a day; one without checkpoints begins again at each interruption.",
    change="Set stopping_condition and checkpoint_config.",
    types=(JOB, TUNING),
    check=check_bounds,
    fails=Example((_job(stoppingCondition={"maxRuntimeInSeconds": 3600}, checkpointConfig=None),)),
    passes=Example((_job(),)),
)
