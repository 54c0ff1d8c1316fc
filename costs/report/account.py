"""What the account itself knows beside its bill: finished jobs, predictions, and the budget. None of it costs a cent.

Each reading that fails leaves a note that names the IAM action; the report is made without it, and says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from typing import Any

from costs.report import records
from costs.report.explorer import CURRENCY, Scope, money
from costs.report.periods import Period, Span
from shoestring.base.errors import UserError

Clients = Callable[[str], Any]  # a boto3 client by its service's name
FINISHED = ("Completed", "Failed", "Stopped")
HASH = re.compile(r"-[0-9a-f]{12}(-\d+)?$")  # a job's name: its model's, the hash of its inputs, and which run
REPORT = re.compile(r"^REPORT RequestId: ")
FIELD = re.compile(r"([A-Z][A-Za-z ]+): ([\d.]+) (ms|MB)")
MOST_LINES = 200_000  # of a log in one report; CloudWatch's own counts take over beyond
PAGE = 10_000
MB_MS = Decimal(1024 * 1000)  # MB for a millisecond in a GB-second
READ_JOBS = "sagemaker:ListTrainingJobs, sagemaker:DescribeTrainingJob, sagemaker:ListTags"


@dataclass(frozen=True)
class Subject:
    """Whose report it is.

    Args:
        scope: the tags that tell its costs apart.
        function: the inference function, whose predictions are counted.
        budget, monthly_usd: the month's limit; `monthly_usd` counts where there is no budget.
        monitor: ARN of the anomaly monitor of the scope.
        bucket: where records of jobs lie; `{account}` in it stands for the account's number. None are read without it.
    """

    scope: Scope
    region: str
    function: str
    budget: str = ""
    monthly_usd: str = ""
    bucket: str = ""
    monitor: str = ""


@dataclass(frozen=True)
class Job:
    """A training job that ended in the period, as SageMaker describes it."""

    name: str
    model: str
    status: str
    instance_type: str
    instances: int
    volume_gb: int
    spot: bool
    training_seconds: int
    billable_seconds: int
    ended: str  # ISO 8601; nothing where it ended before it had an instance
    region: str = ""  # where it ran; unknown in the records of older versions


@dataclass(frozen=True)
class Predictions:
    """What the inference function did. `rows` counts predictions, None where nobody did; `requests` counts calls."""

    rows: int | None
    requests: int
    gb_seconds: Decimal
    architecture: str
    source: str


@dataclass(frozen=True)
class Limit:
    """What a month may cost. `spent` and `forecast` as AWS Budgets sees them, where there is a budget."""

    usd: Decimal | None
    source: str
    name: str = ""
    spent: Decimal | None = None
    forecast: Decimal | None = None


@dataclass(frozen=True)
class AccountReadings:
    """All of it; `notes` say what could not be read."""

    id: str
    region: str
    jobs: tuple[Job, ...] = ()
    predictions: Predictions | None = None
    limit: Limit = Limit(None, "no budget and no limit are set")
    notes: tuple[str, ...] = ()


def reported(line: str) -> dict[str, Decimal]:
    """The figures of one REPORT line of Lambda: `Duration`, `Billed Duration`, `Memory Size`, `Max Memory Used`, and
    `Init Duration` of a cold start; nothing for any other line."""
    if not REPORT.match(line):
        return {}
    return {field[1]: Decimal(field[2]) for field in FIELD.finditer(line.replace("\t", "\n"))}


def log_lines(logs: Any, group: str, start: int, end: int, pattern: str, streams: Sequence[str] = ()) -> Iterator[str]:
    """The messages of a log group between two moments (milliseconds), oldest first.

    A full page that names no next one is asked on from its last moment, without what was there already.
    """
    arguments: dict[str, Any] = {
        "logGroupName": group, "startTime": start, "endTime": end - 1, "filterPattern": pattern, "limit": PAGE
    }  # fmt: skip
    if streams:
        arguments["logStreamNames"] = list(streams)
    known = 0  # of the page's events, how many the page before has given
    while True:
        answer = logs.filter_log_events(**arguments)
        events = answer["events"]
        yield from (event["message"] for event in events[known:])
        if answer.get("nextToken"):
            arguments["nextToken"], known = answer["nextToken"], 0
        elif len(events) >= PAGE and len(events) > known:
            last = events[-1]["timestamp"]
            known = sum(event["timestamp"] == last for event in events)
            arguments["startTime"] = last
            arguments.pop("nextToken", None)
        else:
            return


def jobs(sagemaker: Any, scope: Scope, period: Period) -> tuple[Job, ...]:
    """The finished jobs whose tags are the scope's, and which ended in the period; the oldest first."""
    query = {"LastModifiedTimeAfter": period.moments.start, "SortBy": "CreationTime", "MaxResults": 100}
    ended_jobs: list[Job] = []
    for page in sagemaker.get_paginator("list_training_jobs").paginate(**query):
        for summary in page["TrainingJobSummaries"]:
            ended = summary.get("TrainingEndTime")
            if summary["TrainingJobStatus"] in FINISHED and ended and ended.astimezone(UTC).date() in period:
                tags = sagemaker.list_tags(ResourceArn=summary["TrainingJobArn"])["Tags"]
                if scope.has({tag["Key"]: tag["Value"] for tag in tags}):
                    described = sagemaker.describe_training_job(TrainingJobName=summary["TrainingJobName"])
                    ended_jobs.append(job_of(described))
    return together(ended_jobs)


def recorded(s3: Any, bucket: str, scope: Scope, period: Period) -> tuple[Job, ...]:
    """The jobs of the scope that ended in the period, by their records: those of windows that are gone, too."""
    billed = (record for record in records.read(s3, bucket, period) if record.get("TrainingEndTime"))
    return tuple(job_of(record) for record in billed if scope.has(record["Tags"]))


def together(*sources: Sequence[Job]) -> tuple[Job, ...]:
    """Each run once, the oldest first: a name that ran again has another end."""
    runs = {(job.name, job.ended): job for jobs in sources for job in jobs}
    return tuple(sorted(runs.values(), key=lambda job: job.ended))


def job_of(described: Mapping[str, Any]) -> Job:
    """A finished job from DescribeTrainingJob's answer, or from its record."""
    resources, ended = described.get("ResourceConfig", {}), described.get("TrainingEndTime")
    return Job(
        name=described["TrainingJobName"],
        model=HASH.sub("", described["TrainingJobName"]),
        status=described["TrainingJobStatus"],
        instance_type=resources.get("InstanceType", ""),
        instances=resources.get("InstanceCount", 1),
        volume_gb=resources.get("VolumeSizeInGB", 0),
        spot=bool(described.get("EnableManagedSpotTraining")),
        training_seconds=described.get("TrainingTimeInSeconds", 0),
        billable_seconds=described.get("BillableTimeInSeconds", 0),
        ended=ended.astimezone(UTC).isoformat(timespec="seconds") if ended else "",
        region=described.get("TrainingJobArn", ":::").split(":")[3],
    )


def predictions(clients: Clients, function: str, period: Period) -> Predictions:
    """What the function answered, from its own log; from CloudWatch's count of calls where the log is gone or too long.

    Raises:
        ClientError: there is no such function, or it may not be read.
    """
    configuration = clients("lambda").get_function_configuration(FunctionName=function)
    group = log_group_of(configuration)
    logs, (start, end) = clients("logs"), period.moments.milliseconds
    try:
        used, calls = Decimal(0), 0
        for line in log_lines(logs, group, start, end, "REPORT"):
            if figures := reported(line):
                calls += 1
                used += figures.get("Billed Duration", Decimal(0)) * figures.get("Memory Size", Decimal(0)) / MB_MS
            if calls > MOST_LINES:
                return _counted(clients("cloudwatch"), configuration, period, f"over {MOST_LINES} lines in its log")
        rows = sum(map(_predicted, log_lines(logs, group, start, end, '{ $.event = "request" }')))
    except logs.exceptions.ResourceNotFoundException:
        return _counted(clients("cloudwatch"), configuration, period, f"it has no log group {group}")
    return Predictions(rows, calls, used, architecture_of(configuration), f"counted in its log {group}")


def log_group_of(configuration: Mapping[str, Any]) -> str:
    """Where a function writes its log."""
    return str(configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}")


def architecture_of(configuration: Mapping[str, Any]) -> str:
    """What processor a function runs on."""
    return str((configuration.get("Architectures") or ["x86_64"])[0])


def _predicted(line: str) -> int:
    """How many predictions one line of the function's log tells of."""
    try:
        entry = json.loads(line)
    except ValueError:
        return 0  # what Lambda itself writes between
    if not isinstance(entry, dict) or entry.get("event") != "request" or entry.get("status") != 200:
        return 0
    return int(entry.get("rows") or 0)


def metric(namespace: str, name: str, dimensions: Mapping[str, str], stat: str, period: int) -> dict[str, Any]:
    """A query of CloudWatch, by the id `<metric>_<stat>` in lower case; `period` is in seconds."""
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    measured = {"Namespace": namespace, "MetricName": name, "Dimensions": pairs}
    return {"Id": f"{name}_{stat}".lower(), "MetricStat": {"Metric": measured, "Period": period, "Stat": stat}}


def metric_values(cloudwatch: Any, queries: Sequence[dict[str, Any]], span: Span) -> dict[str, list[Decimal]]:
    """Each query's values by its id."""
    values: dict[str, list[Decimal]] = {query["Id"]: [] for query in queries}
    pages = cloudwatch.get_paginator("get_metric_data")
    for page in pages.paginate(MetricDataQueries=list(queries), StartTime=span.start, EndTime=span.end):
        for result in page["MetricDataResults"]:
            values[result["Id"]] += [Decimal(str(value)) for value in result["Values"]]
    return values


def _counted(cloudwatch: Any, configuration: Mapping[str, Any], period: Period, why: str) -> Predictions:
    function = {"FunctionName": configuration["FunctionName"]}
    queries = [metric("AWS/Lambda", name, function, "Sum", 86400) for name in ("Invocations", "Duration")]
    calls, used = (sum(sums, Decimal(0)) for sums in metric_values(cloudwatch, queries, period.moments).values())
    source = f"CloudWatch's count of calls, each taken for one prediction, as {why}"
    gb_seconds = used * configuration["MemorySize"] / MB_MS
    return Predictions(None, int(calls), gb_seconds, architecture_of(configuration), source)


def limit(clients: Clients, account: str, budget: str, monthly_usd: str) -> Limit:
    """The month's limit: the budget's where there is one, else the environment's own.

    Raises:
        UserError: either is in another currency, or no number.
    """
    if budget:
        client = clients("budgets")
        try:
            described = client.describe_budget(AccountId=account, BudgetName=budget)["Budget"]
        except client.exceptions.NotFoundException:
            described = {}
        if described.get("BudgetLimit"):
            where, spend = f"budget {budget}", described.get("CalculatedSpend", {})
            spent, forecast = (
                money(spend[key], where) if spend.get(key) else None for key in ("ActualSpend", "ForecastedSpend")
            )
            return Limit(money(described["BudgetLimit"], where), f"AWS budget {budget}", budget, spent, forecast)
    if monthly_usd:
        source = "the environment's monthly limit" + (f"; there is no budget {budget}" if budget else "")
        return Limit(money({"Amount": monthly_usd, "Unit": CURRENCY}, "the monthly limit"), source)
    return Limit(
        None, f"there is no budget {budget}, and no limit is set" if budget else "no budget and no limit are set"
    )


class Attempts:
    """Calls that may fail: what fails becomes a note, with the IAM action where AWS denies it."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def of(self, what: str, actions: str, call: Callable[[], Any], otherwise: Any) -> Any:
        """What the call gives, or `otherwise`."""
        from botocore.exceptions import BotoCoreError, ClientError  # heavy, and there where AWS is asked

        try:
            return call()
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
            needs = f"; allow {actions} to who asks" if "Denied" in code or "Unauthorized" in code else ""
            self.notes.append(f"{what} cannot be read: {message or code}{needs}")
        except (BotoCoreError, ValueError) as error:
            self.notes.append(f"{what} cannot be read: {error}")
        return otherwise


def read(clients: Clients, subject: Subject, period: Period) -> AccountReadings:
    """Jobs, predictions and limit; what is denied or missing becomes a note."""
    attempts, scope, function = Attempts(), subject.scope, subject.function
    own = attempts.of("the account's number", "sts:GetCallerIdentity", lambda: clients("sts").get_caller_identity(), {})
    account = own.get("Account", "")
    if not account:
        raise UserError("AWS does not say which account this is: " + attempts.notes[-1], "credentials that work",
                          "aws sts get-caller-identity    (for local: shoestring cloud up)")  # fmt: skip
    listed = attempts.of("training jobs", READ_JOBS, lambda: jobs(clients("sagemaker"), scope, period), ())
    bucket, kept = subject.bucket.format(account=account), ()
    if bucket:
        needs = "s3:ListBucket, s3:GetObject"
        kept = attempts.of("records of jobs", needs, lambda: recorded(clients("s3"), bucket, scope, period), ())
    reading = "lambda:GetFunctionConfiguration, logs:FilterLogEvents, cloudwatch:GetMetricData"
    predicted = attempts.of(f"predictions of {function}", reading, lambda: predictions(clients, function, period), None)
    budget = attempts.of(
        "the budget", "budgets:ViewBudget", lambda: limit(clients, account, subject.budget, subject.monthly_usd), None
    )
    if budget is None and subject.monthly_usd:
        budget = limit(clients, account, "", subject.monthly_usd)
    budget = budget or Limit(None, "the budget cannot be read")
    return AccountReadings(account, subject.region, together(kept, listed), predicted, budget, tuple(attempts.notes))
