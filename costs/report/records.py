"""What stays of a training job when its window is gone: a destroyed window takes its jobs out of SageMaker's list.

Whoever follows a job to its end writes one small record of it into the state bucket, below the day on which it ended,
and its log beside it; the report reads the records of its days, `shoestring jobs` all of them. A record is SageMaker's
own description, cut to how the job went and what is billed, with the job's tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from costs.report.periods import Period
from shoestring.base.names import JOB_RECORDS

NEEDED = ("TrainingJobName", "TrainingJobStatus")
MOMENTS = ("CreationTime", "TrainingStartTime", "TrainingEndTime")
KEPT = (*NEEDED, *MOMENTS, "TrainingJobArn", "SecondaryStatus", "FailureReason", "ResourceConfig",
        "StoppingCondition", "EnableManagedSpotTraining", "TrainingTimeInSeconds", "BillableTimeInSeconds")  # fmt: skip
RECORD, LOG = ".json", ".log"


def key(name: str, ended: datetime) -> str:
    """Where the record of a run lies; a name that runs again has another end."""
    moment = ended.astimezone(UTC)
    return f"{JOB_RECORDS}{moment:%Y-%m-%d}/{name}-{moment:%H%M%S}{RECORD}"


def write(
    s3: Any,
    bucket: str,
    described: Mapping[str, Any],
    tags: Mapping[str, str],
    facts: Mapping[str, Any] | None = None,
    log: str = "",
) -> str:
    """Keeps what DescribeTrainingJob answered of a finished job, and its `log`; repeatable.

    Args:
        facts: what was seen of it, for `shoestring jobs show`.

    Returns:
        The record's key.

    Raises:
        ClientError: the bucket refuses.
    """
    record = {name: described[name] for name in KEPT if name in described}
    ended = record.get("TrainingEndTime") or described.get("LastModifiedTime") or datetime.now(UTC)
    moments = {name: record[name].astimezone(UTC).isoformat() for name in MOMENTS if name in record}
    record |= {**moments, "Tags": dict(tags), "Facts": dict(facts or {})}
    where = key(described["TrainingJobName"], ended)
    if log:  # first: a record says that all is there
        text = log.encode()
        s3.put_object(Bucket=bucket, Key=where.removesuffix(RECORD) + LOG, Body=text, ContentType="text/plain")
    s3.put_object(Bucket=bucket, Key=where, Body=json.dumps(record, indent=2).encode(), ContentType="application/json")
    return where


def read(s3: Any, bucket: str, period: Period) -> list[dict[str, Any]]:
    """The records of a period: descriptions with `Tags` and `Facts`, and their moments as such again.

    Raises:
        ClientError: the bucket refuses.
        ValueError: a record is none.
    """
    return [_record(s3, bucket, key) for day in period for key in _keys(s3, bucket, f"{JOB_RECORDS}{day}/")]


def newest(s3: Any, bucket: str, limit: int) -> list[dict[str, Any]]:
    """The last records, the newest first; `Key` says where each lies. Raises as `read` does."""
    keys = sorted(_keys(s3, bucket, JOB_RECORDS), key=_moment, reverse=True)[:limit]
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda key: {**_record(s3, bucket, key), "Key": key}, keys))


def last_run(s3: Any, bucket: str, name: str) -> dict[str, Any] | None:
    """The record of a job's last run, as `newest` has it; None where there is none."""
    keys = [key for key in _keys(s3, bucket, JOB_RECORDS) if key.rpartition("/")[2].rpartition("-")[0] == name]
    return {**_record(s3, bucket, latest), "Key": latest} if (latest := max(keys, key=_moment, default="")) else None


def log(s3: Any, bucket: str, record: Mapping[str, Any]) -> str:
    """The log that was kept with a record of `newest` or `last_run`; empty where there is none."""
    try:
        found = s3.get_object(Bucket=bucket, Key=record["Key"].removesuffix(RECORD) + LOG)
    except s3.exceptions.NoSuchKey:
        return ""
    return str(found["Body"].read().decode())


def _moment(key: str) -> str:
    """A key's day and time, by which records are ordered."""
    day, _, name = key.removeprefix(JOB_RECORDS).partition("/")
    return day + name.rpartition("-")[2]


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (item["Key"] for item in page.get("Contents", []) if item["Key"].endswith(RECORD))


def _record(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        record = dict(json.loads(body))
        record |= {name: datetime.fromisoformat(record[name]) for name in MOMENTS if name in record}
        if missing := {"Tags", *NEEDED} - record.keys():
            raise KeyError(*missing)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"s3://{bucket}/{key} is no record of a job: {error!r}") from error
    return record
