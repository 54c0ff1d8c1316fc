"""What stays of a training job when its window is gone: a destroyed window takes its jobs out of SageMaker's list.

Whoever follows a job to its end writes one small record of it into the state bucket, below the day on which it ended;
the report reads those of its days. A record is SageMaker's own description, cut to what is billed, with the job's tags.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from costs.report.periods import Period
from shoestring.base.names import JOB_RECORDS

KEPT = ("TrainingJobName", "TrainingJobStatus", "ResourceConfig", "EnableManagedSpotTraining", "TrainingTimeInSeconds",
        "BillableTimeInSeconds", "TrainingJobArn")  # fmt: skip


def key(name: str, ended: datetime) -> str:
    """Where the record of a run lies; a name that runs again has another end."""
    moment = ended.astimezone(UTC)
    return f"{JOB_RECORDS}{moment:%Y-%m-%d}/{name}-{moment:%H%M%S}.json"


def write(s3: Any, bucket: str, described: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """Keeps what DescribeTrainingJob answered of a finished job; repeatable.

    Returns:
        The record's key; nothing for a job that ended before it had an instance, and was billed for nothing.

    Raises:
        ClientError: the bucket refuses.
    """
    if "TrainingEndTime" not in described:
        return ""
    ended = described["TrainingEndTime"].astimezone(UTC)
    record = {name: described[name] for name in KEPT if name in described}
    record |= {"TrainingEndTime": ended.isoformat(), "Tags": dict(tags)}
    where = key(described["TrainingJobName"], ended)
    s3.put_object(Bucket=bucket, Key=where, Body=json.dumps(record, indent=2).encode(), ContentType="application/json")
    return where


def read(s3: Any, bucket: str, period: Period) -> list[dict[str, Any]]:
    """The records of a period: descriptions with `Tags`, and `TrainingEndTime` as a moment again.

    Raises:
        ClientError: the bucket refuses.
        ValueError: a record is none.
    """
    records = []
    for day in period:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{JOB_RECORDS}{day}/"):
            for item in page.get("Contents", []):
                body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
                try:
                    record = json.loads(body)
                    record["TrainingEndTime"] = datetime.fromisoformat(record["TrainingEndTime"])
                    if not {"Tags", *KEPT[:3]} <= record.keys():
                        raise KeyError("Tags, " + ", ".join(KEPT[:3]))
                except (ValueError, KeyError, TypeError) as error:
                    raise ValueError(f"s3://{bucket}/{item['Key']} is no record of a job: {error!r}") from error
                records.append(record)
    return records
