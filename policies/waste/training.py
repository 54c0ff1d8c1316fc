"""The rules `spot-training` and `training-bounds`: jobs run on spare capacity, end some time, and lose little."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from costs.amounts import dollars
from policies.money import cost
from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.values import UNKNOWN, at, items, known, off, on, text

JOB = "aws:sagemaker/trainingJob:TrainingJob"
TUNING = "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob"
SPOT = "enableManagedSpotTraining"


def definitions(job: Resource) -> Iterator[tuple[str, Any]]:
    """Where a resource says how its jobs run (a path with its dot, or nothing), and what it says."""
    if job.type == JOB:
        yield "", job.props
        return
    alone = at(job.props, "trainingJobDefinition")
    if known(alone):
        yield "training_job_definition.", alone
    for place, definition in enumerate(items(at(job.props, "trainingJobDefinitions"))):
        yield f"training_job_definitions[{place}].", definition


def kinds(definition: Any) -> list[str]:
    """The machines of a job, where they are known: of each of its groups, where it has several."""
    resources = at(definition, "resourceConfig")
    written = [
        at(resources, "instanceType"),
        *(at(group, "instanceType") for group in items(at(resources, "instanceGroups"))),
    ]
    return [kind for kind in map(text, written) if kind]


def _name(job: Resource) -> str:
    return text(at(job.props, "trainingJobName")) or text(at(job.props, "name")) or job.name


def _run(job: Resource, context: Context) -> str:
    """What a run costs on demand, and on spot."""
    on_demand, spot = cost(_with_spot(job, False), context), cost(_with_spot(job, True), context)
    if on_demand.status == "unpriced" or not on_demand.charges:
        return on_demand.reason
    dated = on_demand.charges[0].price.as_of
    expected = spot.run.expected
    less = f"from {dollars(spot.run.low)}" if expected is None else f"{dollars(expected)} expected"
    return f"up to {dollars(on_demand.run.high)} a run on demand (list prices of {dated}), on spot {less}"


def _with_spot(job: Resource, spot: bool) -> Resource:
    """A job with all of its definitions on spot capacity, or on demand."""
    if job.type == JOB:
        return replace(job, props={**job.props, SPOT: spot})
    props = dict(job.props)
    if isinstance(props.get("trainingJobDefinition"), Mapping):
        props["trainingJobDefinition"] = {**props["trainingJobDefinition"], SPOT: spot}
    several = props.get("trainingJobDefinitions")
    if isinstance(several, list):
        props["trainingJobDefinitions"] = [
            {**definition, SPOT: spot} if isinstance(definition, Mapping) else definition for definition in several
        ]
    return replace(job, props=props)


def check_spot(job: Resource, context: Context) -> Iterator[Violation]:
    """A violation for each definition of jobs that run on demand."""
    allow = [text(word) for word in context.config["allow"]]
    for path, definition in definitions(job):
        machines = kinds(definition)
        if any(fnmatchcase(_name(job), word) for word in allow) or (
            machines and all(kind in allow for kind in machines)
        ):
            continue
        value = at(definition, SPOT)
        if off(value):
            named = " or ".join(map(repr, [_name(job), *machines]))
            yield Violation(
                f"{path}enable_managed_spot_training", value,
                f"{path}enable_managed_spot_training=True with {path}stopping_condition.max_wait_time_in_seconds and "
                f"{path}checkpoint_config, or {named} in `allow` of the policy configuration",
                _run(job, context),
            )  # fmt: skip


def check_bounds(job: Resource, context: Context) -> Iterator[Violation]:
    """Violations for what a job lacks: an end, an end of its waiting, a place for its checkpoints."""
    for path, definition in definitions(job):
        stop = at(definition, "stoppingCondition")
        spot = on(at(definition, SPOT))
        longest, waits = at(stop, "maxRuntimeInSeconds"), at(stop, "maxWaitTimeInSeconds")
        if longest is None:
            dear = _run(job, context)
            yield Violation(
                f"{path}stopping_condition.max_runtime_in_seconds", None,
                f"{path}stopping_condition.max_runtime_in_seconds=3600", f"AWS stops it after 24 h: {dear}",
            )  # fmt: skip
        if spot and waits is None:
            yield Violation(
                f"{path}stopping_condition.max_wait_time_in_seconds", None,
                f"{path}stopping_condition.max_wait_time_in_seconds=7200 (run and waiting for capacity together)",
                "nothing while it waits, but the window, its lease and whoever follows it wait too",
            )  # fmt: skip
        if spot and not at(definition, "checkpointConfig") and at(definition, "checkpointConfig") is not UNKNOWN:
            yield Violation(
                f"{path}checkpoint_config", None, f'{path}checkpoint_config={{"s3_uri": "s3://BUCKET/checkpoints/NAME/"}}',
                f"an interruption repeats the whole run: {_run(job, context)} each time",
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
    return declare(JOB, "churn", **{key: value for key, value in {**props, **changes}.items() if value is not None})


SPOT_TRAINING = Rule(
    name="spot-training",
    group="waste",
    description="Training runs on managed spot capacity.",
    why="Spot capacity is the same instance for less (AWS advertises up to 90 %); with checkpoints an "
    "interruption costs minutes.",
    change="Turn managed spot training on, with a longest wait and checkpoints; what cannot be interrupted goes into "
    "the allow list.",
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
