"""Measures what runs: a function's REPORT lines, CloudWatch's figures of machines, SageMaker's of its jobs."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from costs.book.prices import PriceBook
from costs.report import account, sizing
from costs.report.account import Attempts, Clients, Job, log_lines
from costs.report.explorer import Scope
from costs.report.periods import DAY, Period, Span
from costs.report.sizing import FunctionUse, JobUse, MachineUse, Sizing
from shoestring.base import names

ZERO = Decimal(0)
DAYS = 14  # looked back; CloudWatch keeps hours for 15 months, logs of the platform for 14 days
JOB_METRICS = "/aws/sagemaker/TrainingJobs"
AGENT = "CWAgent"  # the CloudWatch agent's namespace, which has the memory that EC2 does not see
TENTH = Decimal("0.1")


def of_function(logs: Any, configuration: Mapping[str, Any], span: Span, setting: str) -> FunctionUse:
    """What the REPORT lines of a function say. Raises ClientError where its log may not be read."""
    group = account.log_group_of(configuration)
    calls = 0
    peak, billed, slowest = ZERO, ZERO, ZERO
    try:
        for line in log_lines(logs, group, *span.milliseconds, "REPORT"):
            figures = account.reported(line)
            if not figures or figures.get("Memory Size") != configuration["MemorySize"]:
                continue  # what it was before its memory was changed says little of it now
            calls += 1
            peak = max(peak, figures.get("Max Memory Used", ZERO))
            billed += figures.get("Billed Duration", ZERO)
            slowest = max(slowest, figures.get("Duration", ZERO))
    except logs.exceptions.ResourceNotFoundException:
        calls = 0  # never called: Lambda makes the group with the first call
    return FunctionUse(
        name=configuration["FunctionName"],
        architecture=account.architecture_of(configuration),
        memory_mb=configuration["MemorySize"],
        timeout_seconds=configuration.get("Timeout", 3),
        calls=calls,
        peak_mb=peak,
        billed_ms=billed,
        slowest_ms=slowest,
        days=span.days,
        setting=setting,
        source=f"REPORT lines of {group}, {span.days} days",
    )


def _tenth(value: Decimal) -> Decimal:
    return value.quantize(TENTH)


def of_machine(cloudwatch: Any, instance: Mapping[str, Any], span: Span, setting: str) -> MachineUse:
    """What CloudWatch measured of an EC2 instance."""
    own = {"InstanceId": instance["InstanceId"]}
    measured = account.metric_values(
        cloudwatch,
        [
            account.metric("AWS/EC2", "CPUUtilization", own, "Maximum", 3600),
            account.metric("AWS/EC2", "CPUUtilization", own, "Average", 3600),
            account.metric("AWS/EC2", "CPUCreditBalance", own, "Minimum", 3600),
            account.metric(AGENT, "mem_used_percent", own, "Maximum", 3600),
        ],
        span,
    )
    peaks, means = measured["cpuutilization_maximum"], measured["cpuutilization_average"]
    memory, credits = measured["mem_used_percent_maximum"], measured["cpucreditbalance_minimum"]
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


# What is asked of a job → what the job itself may print of it, as `cpu_percent=182 memory_percent=22 gpu_percent=0`.
PEAKS = {"CPUUtilization": "cpu_percent", "MemoryUtilization": "memory_percent", "GPUUtilization": "gpu_percent"}
PRINTED = re.compile(rf"\b({'|'.join(PEAKS.values())})=(\d+(?:\.\d+)?)")
Peaks = dict[str, list[Decimal]]  # by the names of `PEAKS`


def _measured(cloudwatch: Any, job: Job, span: Span) -> Peaks:
    """What SageMaker measured of a job's instances."""
    peaks: Peaks = {name: [] for name in PEAKS}
    for number in range(1, job.instances + 1):
        host = {"Host": f"{job.name}/algo-{number}"}
        queries = [account.metric(JOB_METRICS, name, host, "Maximum", 60) for name in PEAKS]
        for name, values in zip(PEAKS, account.metric_values(cloudwatch, queries, span).values(), strict=True):
            peaks[name] += values
    return peaks


def _printed(logs: Any, job: Job, span: Span) -> Peaks:
    """What a job printed of itself into its log."""
    peaks: Peaks = {name: [] for name in PEAKS}
    try:
        answer = logs.describe_log_streams(logGroupName=JOB_METRICS, logStreamNamePrefix=f"{job.name}/")
    except logs.exceptions.ResourceNotFoundException:
        return peaks
    streams = [stream["logStreamName"] for stream in answer["logStreams"]][:100]
    words = {word: name for name, word in PEAKS.items()}
    lines = log_lines(logs, JOB_METRICS, *span.milliseconds, "cpu_percent", streams) if streams else iter(())
    for line in lines:
        for word, value in PRINTED.findall(line):
            peaks[words[word]].append(Decimal(value))
    return peaks


def of_jobs(cloudwatch: Any, jobs: Iterable[Job], span: Span, logs: Any = None) -> list[JobUse]:
    """The use of finished jobs, by model and instance type: the highest of all of them.

    Args:
        logs: where jobs that SageMaker did not measure may have said it themselves; None: not looked at.
    """
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault((job.model, job.instance_type), []).append(job)
    uses = []
    for (model, kind), group in sorted(groups.items()):
        peaks: Peaks = {name: [] for name in PEAKS}
        printed = ""
        for job in group:
            measured = _measured(cloudwatch, job, span)
            if logs is not None and not any(measured.values()):
                measured = _printed(logs, job, span)
                printed = ", and what jobs said in their logs" if any(measured.values()) else printed
            for name, values in measured.items():
                peaks[name] += values
        cpu, memory, gpu = (_tenth(max(values)) if values else None for values in peaks.values())
        uses.append(
            JobUse(
                model=model,
                type=kind,
                points=len(peaks["CPUUtilization"]),
                peak_cpu=cpu,
                peak_memory=memory,
                peak_gpu=gpu,
                billed_seconds=sum(job.billable_seconds * job.instances for job in group),
                days=span.days,
                setting=f"instance_type: {{size}}    (in the job file of {model})",
                source=f"CloudWatch's {JOB_METRICS}{printed}, {span.days} days",
            )
        )
    return uses


def machines(ec2: Any, scope: Scope) -> list[dict[str, Any]]:
    """The running instances with the scope's tags."""
    tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in scope.tags.items()]
    filters = [*tags, {"Name": "instance-state-name", "Values": ["running"]}]
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return [instance for page in pages for group in page["Reservations"] for instance in group["Instances"]]


def functions(lambda_: Any, scope: Scope) -> list[str]:
    """Names of the functions with the scope's tags."""
    pages = lambda_.get_paginator("list_functions").paginate()
    return sorted(
        configuration["FunctionName"]
        for page in pages
        for configuration in page["Functions"]
        if scope.has(lambda_.list_tags(Resource=configuration["FunctionArn"])["Tags"])
    )


def function_setting(name: str, environment: str) -> str:
    """The line that changes a function's memory; the platform's own has a setting."""
    if name == names.resource(environment, names.INFERENCE):
        return f"pulumi config set --path shoestring:inference.memoryMb {{size}} -s {environment}"
    return f"aws lambda update-function-configuration --function-name {name} --memory-size {{size}}"


def machine_name(instance: Mapping[str, Any]) -> str:
    """Its Name tag, or its role's (the tracking server has no other name), or its id."""
    named = next((tag["Value"] for tag in instance.get("Tags", []) if tag["Key"] == "Name"), "")
    role = instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2]
    return str(named or role or instance["InstanceId"])


def machine_setting(instance: Mapping[str, Any], environment: str) -> str:
    """The line that changes a machine's type; the tracking server has a setting."""
    if machine_name(instance) == names.resource(environment, names.TRACKING_SERVER):
        return f"pulumi config set --path shoestring:mlflow.instanceType {{size}} -s {environment}"
    return (
        f"aws ec2 modify-instance-attribute --instance-id {instance['InstanceId']} --instance-type {{size}}    "
        "(while it is stopped)"
    )


def measure(
    clients: Clients,
    scope: Scope,
    now: datetime,
    jobs: Sequence[Job],
    jobs_period: Period,
    region: str,
    book: PriceBook,
    functions: Sequence[str] = (),
    job_logs: bool = False,
) -> tuple[tuple[Sizing, ...], tuple[str, ...]]:
    """Functions, machines and jobs of the scope against what they need, and notes on what could not be read.

    Args:
        now: functions and machines are looked at over the `DAYS` days before it.
        jobs: what ended within `jobs_period`.
        functions: names of those to look at.
        job_logs: also read what jobs said of themselves, where SageMaker measured nothing.
    """
    attempts, sizings, span = Attempts(), list[Sizing](), Span(now - DAYS * DAY, now)

    def one_function(name: str) -> list[Sizing]:
        configuration = clients("lambda").get_function_configuration(FunctionName=name)
        use = of_function(clients("logs"), configuration, span, function_setting(name, scope.environment))
        return [sizing.function(use, region, book)]

    def all_machines() -> list[Sizing]:
        cloudwatch = clients("cloudwatch")
        return [
            sizing.machine(
                of_machine(cloudwatch, instance, span, machine_setting(instance, scope.environment)), region, book
            )
            for instance in machines(clients("ec2"), scope)
        ]

    def all_jobs() -> list[Sizing]:
        uses = of_jobs(clients("cloudwatch"), jobs, jobs_period.moments, clients("logs") if job_logs else None)
        return [sizing.job(use, region, book) for use in uses]

    reading = "lambda:GetFunctionConfiguration, logs:FilterLogEvents"
    for name in functions:
        sizings += attempts.of(f"use of {name}", reading, functools.partial(one_function, name), [])
    sizings += attempts.of("use of machines", "ec2:DescribeInstances, cloudwatch:GetMetricData", all_machines, [])
    if jobs:
        sizings += attempts.of("use of training jobs", "cloudwatch:GetMetricData", all_jobs, [])
    return tuple(sizings), tuple(attempts.notes)
