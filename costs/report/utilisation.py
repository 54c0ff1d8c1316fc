"""Measures what runs: a function's REPORT lines, CloudWatch's figures of machines, SageMaker's of its jobs."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from costs.book.prices import PriceBook
from costs.report import sizing
from costs.report.account import Attempts, Job, log_lines, reported
from costs.report.explorer import Scope
from costs.report.periods import Period
from costs.report.sizing import Finding, FunctionUse, JobUse, MachineUse

ZERO = Decimal(0)
DAYS = 14  # looked back; CloudWatch keeps hours for 15 months, logs of the platform for 14 days
JOB_METRICS = "/aws/sagemaker/TrainingJobs"
AGENT = "CWAgent"  # the CloudWatch agent's namespace, which has the memory that EC2 does not see
TENTH = Decimal("0.1")
Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Span:
    """The time that is looked at."""

    start: datetime
    end: datetime

    @classmethod
    def until(cls, now: datetime, days: int = DAYS) -> Span:
        """The `days` days before `now`."""
        return cls(now - timedelta(days=days), now)

    @classmethod
    def of(cls, period: Period) -> Span:
        """Whole days."""
        return cls(*(datetime.combine(day, time(), UTC) for day in (period.start, period.end)))

    @property
    def days(self) -> int:
        """At least 1."""
        return max(1, round((self.end - self.start) / timedelta(days=1)))


def of_function(logs: Any, configuration: Mapping[str, Any], span: Span, setting: str) -> FunctionUse:
    """What the REPORT lines of a function say. Raises ClientError where its log may not be read."""
    name = configuration["FunctionName"]
    group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
    calls = cold = 0
    peak, billed, slowest = ZERO, ZERO, ZERO
    start, end = (int(moment.timestamp() * 1000) for moment in (span.start, span.end))
    try:
        for line in log_lines(logs, group, start, end, "REPORT"):
            figures = reported(line)
            if not figures or figures.get("Memory Size") != configuration["MemorySize"]:
                continue  # what it was before its memory was changed says little of it now
            calls, cold = calls + 1, cold + ("Init Duration" in figures)
            peak = max(peak, figures.get("Max Memory Used", ZERO))
            billed += figures.get("Billed Duration", ZERO)
            slowest = max(slowest, figures.get("Duration", ZERO))
    except logs.exceptions.ResourceNotFoundException:
        calls = 0  # never called: Lambda makes the group with the first call
    return FunctionUse(
        name=name,
        architecture=(configuration.get("Architectures") or ["x86_64"])[0],
        memory_mb=configuration["MemorySize"],
        timeout_seconds=configuration.get("Timeout", 3),
        calls=calls,
        peak_mb=peak,
        billed_ms=billed,
        slowest_ms=slowest,
        days=span.days,
        setting=setting,
        source=f"REPORT lines of {group}, {span.days} days",
        cold_starts=cold,
    )


def _metric(namespace: str, name: str, dimensions: Mapping[str, str], stat: str, period: int) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": pairs}
    return {"Id": f"{name.lower()}_{stat.lower()}", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def _values(cloudwatch: Any, queries: Sequence[dict[str, Any]], span: Span) -> dict[str, list[Decimal]]:
    """Each query's values by its id."""
    found: dict[str, list[Decimal]] = {query["Id"]: [] for query in queries}
    arguments: dict[str, Any] = {"MetricDataQueries": list(queries), "StartTime": span.start, "EndTime": span.end}
    while True:
        answer = cloudwatch.get_metric_data(**arguments)
        for result in answer["MetricDataResults"]:
            found[result["Id"]] += [Decimal(str(value)) for value in result["Values"]]
        if not answer.get("NextToken"):
            return found
        arguments["NextToken"] = answer["NextToken"]


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(TENTH)


def of_machine(cloudwatch: Any, instance: Mapping[str, Any], span: Span, setting: str) -> MachineUse:
    """What CloudWatch measured of an EC2 instance."""
    own = {"InstanceId": instance["InstanceId"]}
    found = _values(
        cloudwatch,
        [
            _metric("AWS/EC2", "CPUUtilization", own, "Maximum", 3600),
            _metric("AWS/EC2", "CPUUtilization", own, "Average", 3600),
            _metric("AWS/EC2", "CPUCreditBalance", own, "Minimum", 3600),
            _metric(AGENT, "mem_used_percent", own, "Maximum", 3600),
        ],
        span,
    )
    peaks, means = found["cpuutilization_maximum"], found["cpuutilization_average"]
    memory, credits = found["mem_used_percent_maximum"], found["cpucreditbalance_minimum"]
    return MachineUse(
        name=machine_name(instance),
        type=instance["InstanceType"],
        spot=instance.get("InstanceLifecycle") == "spot",
        hours=len(peaks),
        peak_cpu=_tenth(max(peaks, default=ZERO)),
        mean_cpu=_tenth(sum(means, ZERO) / len(means)) if means else ZERO,
        peak_memory=_tenth(max(memory)) if memory else None,
        least_credits=_tenth(min(credits)) if credits else None,
        setting=setting,
        source=f"CloudWatch's CPUUtilization by the hour, {span.days} days",
    )


PEAKS = {"cpuutilization_maximum": "cpu_percent", "memoryutilization_maximum": "memory_percent",
         "gpuutilization_maximum": "gpu_percent"}  # fmt: skip
SAID = re.compile(rf"\b({'|'.join(PEAKS.values())})=(\d+(?:\.\d+)?)")
Measured = dict[str, list[Decimal]]


def _measured(cloudwatch: Any, job: Job, span: Span) -> Measured:
    """What SageMaker measured of a job's instances, by query."""
    found: Measured = {name: [] for name in PEAKS}
    for number in range(1, job.instances + 1):
        host = {"Host": f"{job.name}/algo-{number}"}
        names = ("CPUUtilization", "MemoryUtilization", "GPUUtilization")
        queries = [_metric(JOB_METRICS, name, host, "Maximum", 60) for name in names]
        for name, values in _values(cloudwatch, queries, span).items():
            found[name] += values
    return found


def _said(logs: Any, job: Job, span: Span) -> Measured:
    """What a job said of itself: `cpu_percent=182 memory_percent=22 gpu_percent=0` on lines of its log."""
    found: Measured = {name: [] for name in PEAKS}
    try:
        answer = logs.describe_log_streams(logGroupName=JOB_METRICS, logStreamNamePrefix=f"{job.name}/")
    except logs.exceptions.ResourceNotFoundException:
        return found
    streams = [stream["logStreamName"] for stream in answer["logStreams"]][:100]
    start, end = (int(moment.timestamp() * 1000) for moment in (span.start, span.end))
    words = {word: name for name, word in PEAKS.items()}
    lines = log_lines(logs, JOB_METRICS, start, end, "cpu_percent", streams) if streams else iter(())
    for line in lines:
        for word, value in SAID.findall(line):
            found[words[word]].append(Decimal(value))
    return found


def of_jobs(cloudwatch: Any, jobs: Iterable[Job], span: Span, logs: Any = None) -> list[JobUse]:
    """The use of finished jobs, by model and instance type: the highest of all of them.

    Args:
        logs: where jobs that SageMaker did not measure may have said it themselves; None: not looked at.
    """
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.model, job.instance_type), []).append(job)
    made = []
    for (model, kind), group in sorted(groups.items()):
        points: Measured = {name: [] for name in PEAKS}
        own_words = False
        for job in group:
            measured = _measured(cloudwatch, job, span)
            if logs is not None and not any(measured.values()):
                measured = _said(logs, job, span)
                own_words = own_words or any(measured.values())
            for name, values in measured.items():
                points[name] += values
        cpu, memory, gpu = (_tenth(max(values)) if values else None for values in points.values())
        said = ", and what jobs said in their logs" if own_words else ""
        made.append(
            JobUse(
                model=model,
                type=kind,
                points=len(points["cpuutilization_maximum"]),
                peak_cpu=cpu,
                peak_memory=memory,
                peak_gpu=gpu,
                billed_seconds=sum(job.billable_seconds * job.instances for job in group),
                days=span.days,
                setting=f"instance_type: {{size}}    (in the job file of {model})",
                source=f"CloudWatch's {JOB_METRICS}{said}, {span.days} days",
            )
        )
    return made


def machines(ec2: Any, scope: Scope) -> list[dict[str, Any]]:
    """The running instances with the scope's tags."""
    filters = [
        {"Name": "tag:Project", "Values": [scope.project]},
        {"Name": "tag:Environment", "Values": [scope.environment]},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return [instance for page in pages for group in page["Reservations"] for instance in group["Instances"]]


def functions(lambda_: Any, scope: Scope) -> list[str]:
    """Names of the functions with the scope's tags."""
    found = []
    for page in lambda_.get_paginator("list_functions").paginate():
        for configuration in page["Functions"]:
            tags = lambda_.list_tags(Resource=configuration["FunctionArn"])["Tags"]
            if tags.get("Project") == scope.project and tags.get("Environment") == scope.environment:
                found.append(configuration["FunctionName"])
    return sorted(found)


def function_setting(name: str, environment: str) -> str:
    """The line that changes a function's memory; the platform's own has a setting."""
    if name == f"shoestring-{environment}-inference":
        return f"pulumi config set --path shoestring:inference.memoryMb {{size}} -s {environment}"
    return f"aws lambda update-function-configuration --function-name {name} --memory-size {{size}}"


def machine_name(instance: Mapping[str, Any]) -> str:
    """Its Name tag, or its role's (the tracking server has no other name), or its id."""
    named = next((tag["Value"] for tag in instance.get("Tags", []) if tag["Key"] == "Name"), "")
    role = instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2]
    return str(named or role or instance["InstanceId"])


def machine_setting(instance: Mapping[str, Any], environment: str) -> str:
    """The line that changes a machine's type; the tracking server has a setting."""
    if machine_name(instance) == f"shoestring-{environment}-mlflow":
        return f"pulumi config set --path shoestring:mlflow.instanceType {{size}} -s {environment}"
    return (
        f"aws ec2 modify-instance-attribute --instance-id {instance['InstanceId']} --instance-type {{size}}    "
        "(while it is stopped)"
    )


def measure(
    clients: Clients,
    scope: Scope,
    span: Span,
    jobs: Sequence[Job],
    jobs_span: Span,
    region: str,
    book: PriceBook,
    functions: Sequence[str] = (),
    job_logs: bool = False,
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Findings on functions, machines and jobs of the scope, and notes on what could not be read.

    Args:
        jobs: what ended within `jobs_span`.
        functions: names of those to look at.
        job_logs: also read what jobs said of themselves, where SageMaker measured nothing.
    """
    attempts, found = Attempts(), list[Finding]()

    def one_function(name: str) -> list[Finding]:
        configuration = clients("lambda").get_function_configuration(FunctionName=name)
        use = of_function(clients("logs"), configuration, span, function_setting(name, scope.environment))
        return [sizing.function(use, region, book)]

    def all_machines() -> list[Finding]:
        cloudwatch = clients("cloudwatch")
        uses = [
            of_machine(cloudwatch, each, span, machine_setting(each, scope.environment))
            for each in machines(clients("ec2"), scope)
        ]
        return [sizing.machine(use, region, book) for use in uses]

    def all_jobs() -> list[Finding]:
        uses = of_jobs(clients("cloudwatch"), jobs, jobs_span, clients("logs") if job_logs else None)
        return [sizing.job(use, region, book) for use in uses]

    reading = "lambda:GetFunctionConfiguration, logs:FilterLogEvents"
    for name in functions:
        found += attempts.of(f"use of {name}", reading, functools.partial(one_function, name), [])
    found += attempts.of("use of machines", "ec2:DescribeInstances, cloudwatch:GetMetricData", all_machines, [])
    if jobs:
        found += attempts.of("use of training jobs", "cloudwatch:GetMetricData", all_jobs, [])
    return tuple(found), tuple(attempts.notes)
