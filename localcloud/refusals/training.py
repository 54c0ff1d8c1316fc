"""SageMaker: quotas of training instances, and the role of a job."""

from __future__ import annotations

import time

from costs.book.quotas import of_training
from localcloud.aws.row import Json
from localcloud.protocol import ServiceError, invalid
from localcloud.refusals.account import TAGS, Account, Check, check_tags
from localcloud.refusals.identities import check_role

LISTED_SECONDS = 10.0  # after which a job that was let through is listed, or was refused behind


def _check_quota(request: Json, account: Account) -> None:
    name, resources = request["TrainingJobName"], request.get("ResourceConfig", {})
    kind, spot = resources.get("InstanceType"), bool(request.get("EnableManagedSpotTraining"))
    quota = of_training(kind, spot) if kind else None
    if quota is None:
        return
    wanted = resources.get("InstanceCount", 1)
    with account.lock:
        used = _used(account, kind, spot, name)
        limit = account.limit(quota)
        if used + wanted > limit:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{quota.name}' is {limit:.0f} Instances, with current utilization of "
                f"{used} Instances and a request delta of {wanted} Instances. Please use AWS Service Quotas to request "
                "an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an "
                "increase for this quota.",
            )
        account.admitted[name] = time.monotonic()


def _used(account: Account, kind: str, spot: bool, name: str) -> int:
    """Instances of a type that jobs hold now, and those that were let through a moment ago."""
    sagemaker, now, used = account.client("sagemaker"), time.monotonic(), 0
    listed = set[str]()
    for status in ("InProgress", "Stopping"):
        for page in sagemaker.get_paginator("list_training_jobs").paginate(StatusEquals=status):
            listed |= {job["TrainingJobName"] for job in page["TrainingJobSummaries"]}
    for job in listed:
        described = sagemaker.describe_training_job(TrainingJobName=job)
        resources = described["ResourceConfig"]
        if resources.get("InstanceType") == kind and bool(described.get("EnableManagedSpotTraining")) == spot:
            used += resources.get("InstanceCount", 1)
    for job, moment in list(account.admitted.items()):
        if job in listed or now - moment > LISTED_SECONDS:
            del account.admitted[job]
    return used + sum(1 for job in account.admitted if job != name)


_check_role = check_role(
    "RoleArn",
    "sagemaker.amazonaws.com",
    lambda role: invalid(
        f"Could not assume role {role}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    ),
)
_check_tags = check_tags(
    lambda: invalid(
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: "
        f"Member must have length less than or equal to {TAGS}"
    )
)

CHECKS: dict[tuple[str, str], tuple[Check, ...]] = {
    ("sagemaker", "CreateTrainingJob"): (_check_tags, _check_role, _check_quota),
}
