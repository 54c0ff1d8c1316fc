"""Two jobs at the same moment do not share a quota."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.protocol import ServiceError
from localcloud.refusals.account import Account
from localcloud.refusals.training import _check_quota


class Jobs:
    """SageMaker with the jobs that have arrived there."""

    def __init__(self) -> None:
        self.running: dict[str, dict[str, Any]] = {}

    def get_paginator(self, operation: str) -> Any:
        return self

    def paginate(self, StatusEquals: str) -> list[Any]:  # as boto3 calls it
        names = self.running if StatusEquals == "InProgress" else ()
        return [{"TrainingJobSummaries": [{"TrainingJobName": name} for name in names]}]

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:
        if TrainingJobName not in self.running:
            error = {"Error": {"Code": "ValidationException", "Message": "Requested resource not found."}}
            raise ClientError(error, "DescribeTrainingJob")  # type: ignore[arg-type]
        return self.running[TrainingJobName]


def job(name: str, kind: str = "ml.m5.xlarge") -> dict[str, Any]:
    return {"TrainingJobName": name, "ResourceConfig": {"InstanceType": kind, "InstanceCount": 1}}


def test_a_job_on_its_way_counts_until_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "account.json").write_text('{"quotas": {"ml.m5.xlarge for training job usage": 1}}')
    jobs = Jobs()
    account = Account(tmp_path, lambda service: jobs)
    _check_quota(job("first"), account)
    with pytest.raises(ServiceError, match="current utilization of 1 Instances and a request delta of 1"):
        _check_quota(job("second"), account)
    _check_quota(job("other", "ml.m5.large"), account)  # of another quota
    jobs.running["first"] = job("first")  # it has arrived, and counts once
    with pytest.raises(ServiceError, match="current utilization of 1 Instances"):
        _check_quota(job("second"), account)
    del jobs.running["first"]  # it has ended
    _check_quota(job("second"), account)
