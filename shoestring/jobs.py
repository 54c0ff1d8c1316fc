"""Training jobs: what SageMaker says of them, what their logs say, what they cost, and what is kept of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from costs.book.prices import PriceBook
from costs.report import records
from costs.report.account import FINISHED
from shoestring.base import aws
from shoestring.base.errors import UserError

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
ABSENT = ("ValidationException", "ResourceNotFound")  # SageMaker's codes for a job that is not there
Line = tuple[float | None, str]  # of a log: its moment in seconds since 1970, where that was kept, and its text
book = functools.cache(PriceBook.current)


def find(name: str) -> dict[str, Any] | None:
    """DescribeTrainingJob's answer; None for a job that SageMaker does not have."""
    sagemaker = aws.client("sagemaker")
    try:
        return dict(sagemaker.describe_training_job(TrainingJobName=name))
    except sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ABSENT:
            raise
        return None


def describe(name: str) -> dict[str, Any]:
    """DescribeTrainingJob's answer; raises UserError for a job that is not there."""
    if described := find(name):
        return described
    raise UserError(f"there is no training job {name}", "one that is listed", "shoestring jobs list")


def stop(name: str) -> bool:
    """Has a job stopped; False for one that has ended, or is not there."""
    described = find(name)
    if described is None or described["TrainingJobStatus"] in FINISHED:
        return False
    if described["TrainingJobStatus"] == "InProgress":
        aws.client("sagemaker").stop_training_job(TrainingJobName=name)
    return True


def recent(bucket: str, limit: int = 20) -> list[dict[str, Any]]:
    """The newest jobs: those in SageMaker's list, and those whose windows are gone, as `bucket` keeps them.

    Each has `name`, `status`, `created`, `ended` (ISO 8601), `cost_usd`, `metrics` and `window`: `up`, or `gone` with
    the job. What is not known is None.
    """
    query = {"MaxResults": limit, "SortBy": "CreationTime", "SortOrder": "Descending"}
    answer = aws.client("sagemaker").list_training_jobs(**query)
    listed = [(summary, "up") for summary in answer["TrainingJobSummaries"]]
    there = {(summary["TrainingJobName"], _iso(summary["CreationTime"])) for summary, _ in listed}
    kept = records.newest(aws.client("s3"), bucket, limit) if bucket else []
    known = {(record["TrainingJobName"], _iso(record.get("CreationTime"))): record for record in kept}
    listed += [(record, "gone") for run, record in known.items() if run not in there]
    jobs = []
    for job, window in listed:
        name, created = job["TrainingJobName"], _iso(job.get("CreationTime"))
        facts = known.get((name, created), {}).get("Facts", {})
        jobs.append(
            {
                "name": name,
                "status": job["TrainingJobStatus"],
                "created": created,
                "ended": _iso(job.get("TrainingEndTime")),
                "window": window,
                "cost_usd": facts.get("cost_usd"),
                "metrics": facts.get("metrics", {}),
            }
        )
    return sorted(jobs, key=lambda job: job["created"] or job["ended"] or "", reverse=True)[:limit]


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def record(name: str, bucket: str) -> dict[str, Any]:
    """What is kept of a job's last run. Raises UserError for a job of which nothing is known."""
    if bucket and (kept := records.last_run(aws.client("s3"), bucket, name)):
        return kept
    raise UserError(f"nothing is known of a training job {name}", "one that is listed", "shoestring jobs list")


def log(name: str, bucket: str) -> list[Line]:
    """All that a job has said: from CloudWatch Logs while it is there, otherwise as `bucket` keeps it.

    Where the bucket has none of it, it is what CloudWatch Logs has of all that ran under the name.

    Raises:
        UserError: nothing is known of such a job.
    """
    if described := find(name):
        return list(Log(name, described["CreationTime"]).events())
    s3 = aws.client("s3")
    kept = records.last_run(s3, bucket, name) if bucket else None
    if kept and (text := records.log(s3, bucket, kept)):
        return [(None, line) for line in text.splitlines()]
    if lines := list(Log(name).events()):
        return lines
    record(name, bucket)
    return []


class Log:
    """A job's lines in CloudWatch Logs, each given once; of the run that was created at `since`, or of all."""

    def __init__(self, job: str, since: datetime | None = None) -> None:
        self.client, self.job = aws.client("logs"), job
        self.since = since.timestamp() * 1000 // 1 if since else 0
        self.tokens: dict[str, str] = {}

    def events(self) -> Iterator[Line]:
        """The lines since the last call, in the order of the streams."""
        try:
            streams = self.client.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self.job}/")
        except self.client.exceptions.ResourceNotFoundException:
            return
        for stream in streams["logStreams"]:
            if stream.get("creationTime", self.since) < self.since:
                continue  # of an earlier run under the same name
            name = stream["logStreamName"]
            while True:
                more = {"nextToken": self.tokens[name]} if name in self.tokens else {}
                answer = self.client.get_log_events(
                    logGroupName=LOG_GROUP, logStreamName=name, startFromHead=True, **more
                )
                yield from ((event["timestamp"] / 1000, event["message"]) for event in answer["events"])
                if self.tokens.get(name) == answer["nextForwardToken"]:
                    break
                self.tokens[name] = answer["nextForwardToken"]


def keep(described: dict[str, Any], bucket: str, facts: Mapping[str, Any], log: str) -> None:
    """Keeps a finished job in the state bucket: SageMaker knows no job whose window is gone."""
    tags = aws.client("sagemaker").list_tags(ResourceArn=described["TrainingJobArn"])["Tags"]
    records.write(aws.client("s3"), bucket, described, {tag["Key"]: tag["Value"] for tag in tags}, facts, log)
