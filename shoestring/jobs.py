"""Training jobs: what they are doing, what their logs say, and what they cost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from costs.book.prices import PriceBook
from costs.report import records
from costs.report.account import FINISHED, job_of
from costs.report.unit_costs import training
from shoestring.base import aws
from shoestring.base.errors import UserError, of_aws

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
STEP = re.compile(r"^step=(\d+)\b(.*)")
RESUMED = re.compile(r"^resumed_from_step=(\d+)")
METRIC = re.compile(r"(\w+)=(\S+)")
PATIENCE = 600.0  # seconds for which a job is followed on though AWS does not answer, or credentials have expired
POLL = 0.3  # seconds between two looks on the local cloud; ten times that on AWS, which limits the calls


def describe(name: str) -> dict[str, Any]:
    """DescribeTrainingJob's answer; raises UserError for a job that is not there."""
    sagemaker = aws.client("sagemaker")
    try:
        return dict(sagemaker.describe_training_job(TrainingJobName=name))
    except sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        reason = error.response["Error"]["Message"]
        raise UserError(f"training job {name}: {reason}", mend="shoestring jobs list") from error


def recent(limit: int = 20) -> list[dict[str, Any]]:
    """The newest jobs: name, status, and when each was made."""
    answer = aws.client("sagemaker").list_training_jobs(MaxResults=limit, SortBy="CreationTime")
    return [
        {"name": job["TrainingJobName"], "status": job["TrainingJobStatus"], "created": job["CreationTime"].isoformat()}
        for job in answer["TrainingJobSummaries"]
    ]


class Log:
    """A job's lines in CloudWatch Logs, each given once."""

    def __init__(self, job: str) -> None:
        self.client, self.job = aws.client("logs"), job
        self.tokens: dict[str, str] = {}

    def new(self) -> Iterator[str]:
        """The lines since the last call, in the order of the streams."""
        try:
            streams = self.client.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self.job}/")
        except self.client.exceptions.ResourceNotFoundException:
            return
        for stream in streams["logStreams"]:
            name = stream["logStreamName"]
            while True:
                more = {"nextToken": self.tokens[name]} if name in self.tokens else {}
                answer = self.client.get_log_events(
                    logGroupName=LOG_GROUP, logStreamName=name, startFromHead=True, **more
                )
                yield from (event["message"] for event in answer["events"])
                if self.tokens.get(name) == answer["nextForwardToken"]:
                    break
                self.tokens[name] = answer["nextForwardToken"]


@dataclass
class JobProgress:
    """What a job's log has told so far."""

    name: str
    status: str = ""
    secondary: str = ""
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    resumed_from_step: int = 0
    interruptions: int = 0
    lines: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        """Notes a line of its log."""
        self.lines.append(line)
        if step := STEP.match(line):
            self.step = int(step[1])
            for name, value in METRIC.findall(step[2]):
                try:
                    self.metrics[name] = float(value)
                except ValueError:
                    continue  # a word of the author's own, not a metric
        elif resumed := RESUMED.match(line):
            self.resumed_from_step = int(resumed[1])


class LostSight(UserError):
    """A job cannot be followed any more: it goes on, for nothing is known of it but that."""


def watch(name: str, on_progress: Callable[[JobProgress], None], poll: float = POLL) -> JobProgress:
    """Follows a job to its end; `on_progress` is called at each look.

    Raises:
        LostSight: AWS has not answered for `PATIENCE` seconds, or refuses who asks.
    """
    progress, log, seen = JobProgress(name), Log(name), time.monotonic()
    while True:
        try:
            _look(progress, log)
            seen = time.monotonic()
        except Exception as error:
            refusal = of_aws(error)
            if refusal is None:
                raise
            if time.monotonic() - seen > PATIENCE:
                raise LostSight(
                    f"{name} cannot be followed any more: {refusal.found}", refusal.expected, refusal.mend
                ) from error
        on_progress(progress)
        if progress.status in FINISHED:
            return progress
        time.sleep(poll)


def _look(progress: JobProgress, log: Log) -> None:
    """One look at a job and its log."""
    described = describe(progress.name)
    for line in log.new():
        progress.take(line)
    progress.status, progress.secondary = described["TrainingJobStatus"], described["SecondaryStatus"]
    transitions = described["SecondaryStatusTransitions"]
    progress.interruptions = sum(transition["Status"] == "Interrupted" for transition in transitions)


def keep(described: dict[str, Any], bucket: str) -> None:
    """Keeps what a finished job was billed for in the state bucket: the report finds no job whose window is gone."""
    tags = aws.client("sagemaker").list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    records.write(aws.client("s3"), bucket, described, {tag["Key"]: tag["Value"] for tag in tags})


def facts(described: dict[str, Any], progress: JobProgress) -> dict[str, Any]:
    """A finished job for machines; `cost_usd` is at list prices, None where there are none, as `cost_source` says."""
    job = job_of(described)
    priced = training(job, job.region, PriceBook.current())
    return {
        "name": progress.name,
        "status": progress.status,
        "interruptions": progress.interruptions,
        "resumed_from_step": progress.resumed_from_step,
        "steps": progress.step,
        "metrics": progress.metrics,
        "training_seconds": job.training_seconds,
        "billable_seconds": job.billable_seconds,
        "cost_usd": None if priced.usd is None else float(priced.usd),
        "on_demand_cost_usd": None if priced.on_demand_usd is None else float(priced.on_demand_usd),
        "cost_source": priced.source,
        **({"failure": described["FailureReason"]} if described.get("FailureReason") else {}),
    }


def cost(facts: Mapping[str, Any]) -> str:
    """What a finished job cost, in words."""
    if facts["cost_usd"] is None:
        return f"its cost is not known: {facts['cost_source']}"
    return f"${facts['cost_usd']:.5f}, on demand ${facts['on_demand_cost_usd']:.5f}"
