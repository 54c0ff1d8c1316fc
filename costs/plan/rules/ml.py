"""SageMaker: jobs that run and end, endpoints and notebooks that stay."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.book.price import HOURS_A_MONTH
from costs.plan.charges import Basis
from costs.plan.rules.base import HOURS, SECONDS_AN_HOUR, UNKNOWN, Pricing

CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
DEFAULT_RUN, LONGEST_RUN = 86_400, 2_419_200  # seconds: what SageMaker takes where nothing is said, and its limit
INSTANCES, JOBS = (1, 20), (1, 750)  # as SageMaker allows without asking


def _run(p: Pricing, stopping: Any) -> Range:
    """Hours of one run: up to its limit; at the least what the usage file says."""
    longest = p.amount("maxRuntimeInSeconds", DEFAULT_RUN, (1, LONGEST_RUN), stopping)
    least = p.use("training", "run_seconds") if _given(p) else longest.low
    return Range(min(least, longest.low), longest.high) / SECONDS_AN_HOUR


def _given(p: Pricing) -> bool:
    return p.world.usage.value(p.resource.urn, p.resource.name, "training", "run_seconds")[1]


def _job(p: Pricing, resources: Any, stopping: Any, spot: bool | None, jobs: Range = ONE) -> None:
    """The charges of jobs on the instances of `resources`, at the longest, and of their disks."""
    run = _run(p, stopping)
    groups = p.items("instanceGroups", of=resources) or p.items("instanceConfigs", of=resources) or [resources]
    if p.get("trainingPlanArn", None, resources) is not None:
        p.note("a training plan is paid for beforehand: its hours are counted at the price on demand")
    for each in groups:
        count = p.amount("instanceCount", 1, INSTANCES, each)
        kind = p.get("instanceType", UNKNOWN, each)
        size = p.amount("volumeSizeInGb", p.get("volumeSizeInGb", 0, resources), (1, 16384), each)
        hours = count * run * jobs
        p.machines("sagemaker-training", [kind], hours, spot=spot, basis=Basis.RUN, rate=count, at_worst_on_demand=True)
        rate = size * count / HOURS_A_MONTH
        p.add("disks", rate * run * jobs, "sagemaker", "training-storage", Basis.RUN, rate=rate)
    warm = p.amount("keepAlivePeriodInSeconds", 0, (0, 3600), resources)
    if warm.high:
        hours = p.amount("instanceCount", 1, INSTANCES, resources) * warm / SECONDS_AN_HOUR
        p.machines("sagemaker-training", [p.get("instanceType", UNKNOWN, resources)], hours, basis=Basis.RUN)
        p.note(f"kept warm for {_plain(warm.high)} s after it")
    words = f"{_plain(run.high * SECONDS_AN_HOUR)} s at the longest"
    p.note(f"{'up to ' + _plain(jobs.high) + ' jobs of ' if jobs.high > 1 else ''}{words}")
    if spot is not False:
        p.note("spot; the worst case is the price on demand")


def training_job(p: Pricing) -> None:
    """A training job: instances × longest run × price; its worst case is the price on demand, also on spot."""
    p.ephemeral = True
    if p.get("serverlessJobConfig") is not None:
        p.unpriced("serverless training jobs are billed by tokens, which no plan knows")
        return
    _job(p, p.get("resourceConfig", {}), p.get("stoppingCondition", {}), p.flag("enableManagedSpotTraining"))


def tuning_job(p: Pricing) -> None:
    """A tuning job: as many training jobs as it may start."""
    p.ephemeral = True
    limits = p.get("config.resourceLimits", {})
    jobs = p.amount("maxNumberOfTrainingJobs", 1, JOBS, limits)
    definitions = p.items("trainingJobDefinitions") or p.items("trainingJobDefinition")
    if not definitions:
        p.unpriced("its training job's definition is unknown")
        return
    slices = []
    for each in definitions:
        resources = p.get("hyperParameterTuningResourceConfig", p.get("resourceConfig", {}, each), each)
        before, p.charges = p.charges, []
        _job(p, resources, p.get("stoppingCondition", {}, each), p.flag("enableManagedSpotTraining", of=each), jobs)
        slices.append(p.charges)
        p.charges = before
    p.charges += max(slices, key=lambda charges: sum(charge.usd.high for charge in charges))
    if len(slices) > 1:
        p.note(f"of its {len(slices)} definitions the dearest is counted for all jobs")


def _plain(value: Decimal) -> str:
    return f"{value.quantize(Decimal(1)):f}"


def variants(p: Pricing, inputs: Mapping[str, Any]) -> None:
    """What an endpoint runs on: instances all month, or serverless capacity by its calls."""
    every = [*p.items("productionVariants", of=inputs), *p.items("shadowProductionVariants", of=inputs)]
    if p.get("productionVariants", of=inputs) is UNKNOWN:
        every.append(UNKNOWN)
    for each in every:
        if each is UNKNOWN:
            p.note(f"one of its variants is unknown: serverless, to {INSTANCES[1]} instances")
            p.machines("sagemaker-endpoint", [UNKNOWN], HOURS * Range(Decimal(0), Decimal(INSTANCES[1])))
            continue
        serverless = p.get("serverlessConfig", None, each)
        if serverless is not None:
            _serverless(p, serverless)
            continue
        scaling = p.get("managedInstanceScaling", {}, each)
        count = p.amount("initialInstanceCount", 1, INSTANCES, each)
        if p.get("maxInstanceCount", None, scaling) is not None:
            least = p.amount("minInstanceCount", 1, INSTANCES, scaling).low
            most = p.amount("maxInstanceCount", 1, INSTANCES, scaling).high
            count = Range(min(least, most), most)
        p.machines("sagemaker-endpoint", [p.get("instanceType", UNKNOWN, each)], HOURS * count)
        p.add("disks", p.amount("volumeSizeInGb", 0, (1, 512), each) * count, "sagemaker", "endpoint-storage")


def _serverless(p: Pricing, settings: Any) -> None:
    memory = p.amount("memorySizeInMb", 2048, (1024, 6144), settings) / 1024
    seconds = p.use("predictions", "predictions") * p.use("predictions", "mean_ms") / 1000
    p.add("predictions", memory * seconds, "sagemaker", "serverless-inference", Basis.USAGE)
    warm = p.amount("provisionedConcurrency", 0, (0, 200), settings)
    seconds_a_month = HOURS * SECONDS_AN_HOUR
    p.add("kept warm", memory * warm * seconds_a_month, "sagemaker", "serverless-inference-provisioned")


def endpoint(p: Pricing) -> None:
    """An endpoint: what its configuration says, all month."""
    found = p.referred("endpointConfigName", CONFIGURATION)
    if not found:
        p.unpriced("its endpoint configuration is not in the plan")
        return
    if len(found) > 1:
        p.unpriced("which endpoint configuration it has is not known")
        return
    variants(p, found[0].inputs)


def notebook(p: Pricing) -> None:
    """A notebook: all month, unless someone stops it."""
    p.machines("sagemaker-notebook", [p.get("instanceType", UNKNOWN)], HOURS, prefix="ml.")
    p.add("disk", p.amount("volumeSize", 5, (5, 16384)), "sagemaker", "notebook-storage")
    p.note("never stopped; a stopped one costs its disk alone")


TABLE = {
    "aws:sagemaker/endpoint:Endpoint": endpoint,
    "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob": tuning_job,
    "aws:sagemaker/notebookInstance:NotebookInstance": notebook,
    "aws:sagemaker/trainingJob:TrainingJob": training_job,
}
