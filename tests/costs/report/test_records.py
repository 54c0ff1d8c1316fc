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


def test_a_job_that_never_had_an_instance_is_known_and_not_billed() -> None:
    s3, one = S3(), described(datetime(2026, 11, 18, tzinfo=UTC))
    for name in ("TrainingEndTime", "TrainingTimeInSeconds", "BillableTimeInSeconds", "ResourceConfig"):
        del one[name]
    one |= {"TrainingJobStatus": "Failed", "FailureReason": "CapacityError: no capacity"}
    one["LastModifiedTime"] = datetime(2026, 11, 18, 9, tzinfo=UTC)
    key = records.write(s3, "b", one, TAGS)
    assert key == "reports/jobs/2026-11-18/churn-0f3a91c2b7de-090000.json"
    (kept,) = records.newest(s3, "b", 5)
    assert kept["FailureReason"] == "CapacityError: no capacity"
    job = account.job_of(kept)
    assert (job.training_seconds, job.billable_seconds, job.ended) == (0, 0, "")
    assert account.recorded(s3, "b", SCOPE, WEEK) == ()


def test_the_newest_records_come_first_with_log_and_facts() -> None:
    s3 = S3()
    for day, name in ((17, "a-000000000000"), (19, "b-000000000000"), (18, "a-000000000000")):
        ended = datetime(2026, 11, day, 12, tzinfo=UTC)
        records.write(s3, "b", described(ended, name), TAGS, {"steps": day}, f"step={day}")
    newest = records.newest(s3, "b", 2)
    assert [(record["TrainingJobName"], record["Facts"]["steps"]) for record in newest] == [
        ("b-000000000000", 19),
        ("a-000000000000", 18),
    ]
    last = records.last_run(s3, "b", "a-000000000000")
    assert last and records.log(s3, "b", last) == "step=18"
    assert records.last_run(s3, "b", "a") is None
    assert len(records.read(s3, "b", WEEK)) == 3


def test_a_run_has_the_model_of_the_others() -> None:
    named = {"TrainingJobName": "churn-0f3a91c2b7de-2", "TrainingJobStatus": "Completed"}
    assert account.job_of(named).model == "churn"


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", json.dumps({"TrainingEndTime": "2026-11-18T00:00:00+00:00"}).encode()]
)
def test_a_record_that_is_none_is_named(body: bytes) -> None:
    s3 = S3()
    s3.objects["reports/jobs/2026-11-18/x-000000.json"] = body
    with pytest.raises(ValueError, match=r"s3://b/reports/jobs/2026-11-18/x-000000\.json is no record"):
        records.read(s3, "b", WEEK)
