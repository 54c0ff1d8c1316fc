"""SageMaker: jobs that run and end, endpoints and notebooks that stay."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.book.price import HOURS_A_MONTH, SECONDS_AN_HOUR
from costs.plan.charges import Basis
from costs.plan.rules.base import HOURS, UNKNOWN, Pricing, plain

CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
DEFAULT_RUN, LONGEST_RUN = 86_400, 2_419_200  # seconds: what SageMaker takes where nothing is said, and its limit
LONGEST_TUNING = 15_768_000  # seconds
INSTANCES, JOBS, PARALLEL = (1, 20), (1, 750), (1, 100)  # as SageMaker allows without asking


def _run(p: Pricing, stopping: Any) -> Range:
    """Hours of one run: up to its limit; at the least what the usage file says."""
    longest = p.amount("maxRuntimeInSeconds", DEFAULT_RUN, (1, LONGEST_RUN), stopping)
    least = p.use("training", "run_seconds") or longest.low
    return Range(min(least, longest.low), longest.high) / SECONDS_AN_HOUR


def _job(p: Pricing, resources: Any, hours: Range, spot: bool | None, parallel: Range = ONE) -> None:
    """The charges of jobs on the instances of `resources`, and of their disks: `hours` of all jobs together, of which
    `parallel` run at once."""
    if p.get("trainingPlanArn", None, resources) is not None:
        p.note("a training plan is paid for beforehand: its hours are counted at the price on demand")
    alternatives = p.items("instanceConfigs", of=resources) or [resources]  # each job takes one of them
    for machines in [[group] for group in p.items("instanceGroups", of=resources)] or [alternatives]:
        kinds = [p.get("instanceType", UNKNOWN, machine) for machine in machines]
        count = Range.spanning(p.amount("instanceCount", 1, INSTANCES, machine) for machine in machines)
        usual = p.get("volumeSizeInGb", 0, resources)
        size = Range.spanning(p.amount("volumeSizeInGb", usual, (1, 16384), machine) for machine in machines)
        p.machines("sagemaker-training", kinds, count * hours, spot=spot, basis=Basis.RUN, rate=count * parallel,
                   at_worst_on_demand=True, first=kinds[0])  # fmt: skip
        disks = size * count / HOURS_A_MONTH
        p.add("disks", disks * hours, "sagemaker", "training-storage", Basis.RUN, rate=disks * parallel)
    warm = p.amount("keepAlivePeriodInSeconds", 0, (0, 3600), resources)
    if warm.high:
        kept = p.amount("instanceCount", 1, INSTANCES, resources) * warm * parallel / SECONDS_AN_HOUR
        p.machines("sagemaker-training", [p.get("instanceType", UNKNOWN, resources)], kept, basis=Basis.RUN)
        p.note(f"kept warm for {plain(warm.high)} s after it")
    if spot is not False:
        p.note("the worst case is the price on demand")


def training_job(p: Pricing) -> None:
    """A training job: instances × longest run × price; its worst case is the price on demand, also on spot."""
    p.ephemeral = True
    if p.get("serverlessJobConfig") is not None:
        p.unpriced("serverless training jobs are billed by tokens, which no plan knows")
        return
    run = _run(p, p.get("stoppingCondition", {}))
    p.note(f"{_seconds(run)} s at the longest")
    _job(p, p.get("resourceConfig", {}), run, p.flag("enableManagedSpotTraining"))


def tuning_job(p: Pricing) -> None:
    """A tuning job: as many training jobs as it may start, and no more hours of them than its own time allows to those
    that run at once."""
    p.ephemeral = True
    limits, resources = p.get("config.resourceLimits", {}), "hyperParameterTuningResourceConfig"
    jobs = p.amount("maxNumberOfTrainingJobs", JOBS[1], JOBS, limits)
    if p.get("maxNumberOfTrainingJobs", of=limits) is None:
        jobs = Range.of(*JOBS)
        p.note("no maximum of jobs: as many as its time allows")
    at_once = p.amount("maxParallelTrainingJobs", 1, PARALLEL, limits)
    limit = p.amount("maxRuntimeInSeconds", LONGEST_TUNING, (120, LONGEST_TUNING), limits) / SECONDS_AN_HOUR
    parallel = Range(min(at_once.low, jobs.low), min(at_once.high, jobs.high))
    definitions = p.items("trainingJobDefinitions") or p.items("trainingJobDefinition")
    if not definitions:
        p.unpriced("its training job's definition is unknown")
        return
    slices = []
    for definition in definitions:
        run = _run(p, p.get("stoppingCondition", {}, definition))
        most = min(jobs.high * run.high, parallel.high * limit.high)
        hours = Range(min(jobs.low * run.low, most), most)
        before, p.charges = p.charges, []
        machines = p.get(resources, p.get("resourceConfig", {}, definition), definition)
        _job(p, machines, hours, p.flag("enableManagedSpotTraining", of=definition), parallel)
        slices.append(p.charges)
        p.charges = before
        p.note(f"{_seconds(hours)} s of its jobs at the longest, {plain(parallel.high)} at once")
    p.charges += max(slices, key=lambda charges: sum(charge.usd.high for charge in charges))
    if len(slices) > 1:
        p.note(f"of its {len(slices)} definitions the dearest is counted for all jobs")


def _seconds(hours: Range) -> str:
    return f"{(hours.high * SECONDS_AN_HOUR).quantize(Decimal(1)):f}"


def variants(p: Pricing, inputs: Mapping[str, Any]) -> None:
    """What an endpoint runs on: instances all month, as many as scaling allows, or serverless capacity by its calls."""
    every = [*p.items("productionVariants", of=inputs), *p.items("shadowProductionVariants", of=inputs)]
    if p.get("productionVariants", of=inputs) is UNKNOWN:
        every.append(UNKNOWN)
    for variant in every:
        if variant is UNKNOWN:
            p.note(f"one of its variants is unknown: serverless, to {INSTANCES[1]} instances")
            p.machines("sagemaker-endpoint", [UNKNOWN], HOURS * Range(Decimal(0), Decimal(INSTANCES[1])))
            continue
        name, several = p.get("variantName", "", variant), len(every) > 1
        name = name if isinstance(name, str) else ""
        serverless = p.get("serverlessConfig", None, variant)
        if serverless is not None:
            _serverless(p, serverless, name, several)
            continue
        scaling = p.get("managedInstanceScaling", {}, variant)
        count = p.amount("initialInstanceCount", 1, INSTANCES, variant)
        if p.get("maxInstanceCount", None, scaling) is not None:
            bounds = p.span("minInstanceCount", "maxInstanceCount", INSTANCES, scaling, (1, 1))
            count = bounds.around(count.expected)
        count = p.scaled(count, "sagemaker:variant:DesiredInstanceCount", name, several)
        p.machines("sagemaker-endpoint", [p.get("instanceType", UNKNOWN, variant)], HOURS * count)
        p.add("disks", p.amount("volumeSizeInGb", 0, (1, 512), variant) * count, "sagemaker", "endpoint-storage")


def _serverless(p: Pricing, settings: Any, name: str, several: bool) -> None:
    memory = p.amount("memorySizeInMb", 2048, (1024, 6144), settings) / 1024
    seconds = p.use("predictions", "predictions") * p.use("predictions", "mean_ms") / 1000
    p.add("predictions", memory * seconds, "sagemaker", "serverless-inference", Basis.USAGE)
    warm = p.amount("provisionedConcurrency", 0, (0, 200), settings)
    warm = p.scaled(warm, "sagemaker:variant:DesiredProvisionedConcurrency", name, several)
    seconds_a_month = HOURS * SECONDS_AN_HOUR
    p.add("kept warm", memory * warm * seconds_a_month, "sagemaker", "serverless-inference-provisioned")


def endpoint(p: Pricing) -> None:
    """An endpoint: what its configuration says, all month."""
    configurations = p.referred("endpointConfigName", CONFIGURATION)
    if len(configurations) != 1:
        which = "which endpoint configuration it has is not known" if configurations else (
            "its endpoint configuration is not in the plan")  # fmt: skip
        p.unpriced(which)
        return
    variants(p, configurations[0].inputs)
    p.traffic("data in and out", "predictions", "data_gb", "sagemaker", "endpoint-data")


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
