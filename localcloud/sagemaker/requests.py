"""What of SageMaker is played, and the rules of its requests that botocore's model does not hold."""

from __future__ import annotations

from typing import Any

from localcloud.protocol import invalid
from localcloud.requests import Model

SUPPORTED = (
    "CreateTrainingJob",
    "DescribeTrainingJob",
    "ListTrainingJobs",
    "StopTrainingJob",
    "DeleteTrainingJob",
    "AddTags",
    "ListTags",
    "DeleteTags",
)
MODEL = Model("sagemaker", SUPPORTED)


def check_training_job(request: dict[str, Any]) -> None:
    """The rules between members of CreateTrainingJob that the model does not hold."""
    stopping = request["StoppingCondition"]
    spot = request.get("EnableManagedSpotTraining", False)
    run, wait = stopping.get("MaxRuntimeInSeconds", 86400), stopping.get("MaxWaitTimeInSeconds")
    if wait is not None and not spot:
        raise invalid("MaxWaitTimeInSeconds must not be set when EnableManagedSpotTraining is false.")
    if spot and wait is None:
        raise invalid("MaxWaitTimeInSeconds must be set when EnableManagedSpotTraining is true.")
    if wait is not None and wait < run:
        raise invalid(f"MaxWaitTimeInSeconds {wait} must be at least MaxRuntimeInSeconds {run}.")
