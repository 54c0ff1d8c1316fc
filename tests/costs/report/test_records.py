"""A job is in the report also when its window, and the job with it, is gone."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from costs.report import account, records
from costs.report.explorer import Scope
from costs.report.periods import Period

WEEK = Period(date(2026, 11, 16), date(2026, 11, 23))
SCOPE = Scope("shoestring", "dev")
TAGS = {"Project": "shoestring", "Environment": "dev"}


class S3:
    """A bucket in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.objects[Key] = Body

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[Key])}

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}]


def described(ended: datetime, name: str = "churn-0f3a91c2b7de") -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobStatus": "Completed",
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "EnableManagedSpotTraining": True,
        "TrainingTimeInSeconds": 600,
        "BillableTimeInSeconds": 180,
        "TrainingEndTime": ended,
        "Environment": {"A": "secret"},
    }


def test_what_was_written_is_read_as_the_job_that_it_was() -> None:
    s3, ended = S3(), datetime(2026, 11, 18, 14, 5, 6, tzinfo=UTC)
    key = records.write(s3, "b", described(ended), TAGS)
    assert (
        records.write(s3, "b", described(ended), TAGS)
        == key
        == "reports/jobs/2026-11-18/churn-0f3a91c2b7de-140506.json"
    )
    assert "secret" not in s3.objects[key].decode()
    (job,) = account.recorded(s3, "b", SCOPE, WEEK)
    assert (job.model, job.spot, job.training_seconds, job.billable_seconds) == ("churn", True, 600, 180)
    assert job == account.job_of(described(ended))


def test_runs_are_told_apart_and_none_counts_twice() -> None:
    s3 = S3()
    for hour in (9, 15):
        records.write(s3, "b", described(datetime(2026, 11, 18, hour, tzinfo=UTC)), TAGS)
    kept = account.recorded(s3, "b", SCOPE, WEEK)
    still_listed = account.job_of(described(datetime(2026, 11, 18, 15, tzinfo=UTC)))
    assert [job.ended[11:13] for job in account.together(kept, (still_listed,))] == ["09", "15"]


def test_other_weeks_and_other_environments_are_left_out() -> None:
    s3 = S3()
    records.write(s3, "b", described(datetime(2026, 11, 23, tzinfo=UTC)), TAGS)
    records.write(s3, "b", described(datetime(2026, 11, 18, tzinfo=UTC)), {**TAGS, "Environment": "prod"})
    assert account.recorded(s3, "b", SCOPE, WEEK) == ()


def test_a_job_that_never_had_an_instance_leaves_no_record() -> None:
    s3, one = S3(), described(datetime(2026, 11, 18, tzinfo=UTC))
    del one["TrainingEndTime"]
    assert records.write(s3, "b", one, TAGS) == "" and not s3.objects


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", json.dumps({"TrainingEndTime": "2026-11-18T00:00:00+00:00"}).encode()]
)
def test_a_record_that_is_none_is_named(body: bytes) -> None:
    s3 = S3()
    s3.objects["reports/jobs/2026-11-18/x-000000.json"] = body
    with pytest.raises(ValueError, match=r"s3://b/reports/jobs/2026-11-18/x-000000\.json is no record"):
        records.read(s3, "b", WEEK)
