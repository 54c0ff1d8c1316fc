"""SageMaker: quotas of training instances, and the role of a job."""

from __future__ import annotations

import time

from botocore.exceptions import ClientError

from costs.book.quotas import of_training
from localcloud.aws.row import Json, absent
from localcloud.protocol import ServiceError, invalid
from localcloud.refusals.account import TAGS, Account, Check, check_tags
from localcloud.refusals.roles import check_role
from localcloud.requests import Model

LISTED_SECONDS = 10.0  # after which a job that was let through is listed, or was refused behind

MODEL = Model("sagemaker", ("CreateTrainingJob",))


def _check_shape(request: Json, account: Account) -> None:
    """AWS looks at the request itself before it looks at what the request names."""
    MODEL.check("CreateTrainingJob", request)


def _check_quota(request: Json, account: Account) -> None:
    name, resources = request["TrainingJobName"], request.get("ResourceConfig", {})
    kind, spot = resources.get("InstanceType"), bool(request.get("EnableManagedSpotTraining"))
    quota = of_training(kind, spot) if kind else None
    if quota is None:
        return
    wanted = resources.get("InstanceCount", 1)
    with account.lock:
        pending = _pending(account, quota.code)  # first: what appears meanwhile is not counted twice
        used = _used(account, kind, spot, pending) + len(pending)
        limit = account.limit(quota)
        if used + wanted > limit:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{quota.name}' is {limit:.0f} Instances, with current utilization of "
                f"{used} Instances and a request delta of {wanted} Instances. Please use AWS Service Quotas to request "
                "an increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an "
                "increase for this quota.",
            )
        account.admitted[name] = (quota.code, time.monotonic())


def _used(account: Account, kind: str, spot: bool, but: set[str]) -> int:
    """Instances of a type that jobs hold now, without those of some jobs."""
    sagemaker, used = account.client("sagemaker"), 0
    for status in ("InProgress", "Stopping"):
        for page in sagemaker.get_paginator("list_training_jobs").paginate(StatusEquals=status):
            for name in {job["TrainingJobName"] for job in page["TrainingJobSummaries"]} - but:
                described = sagemaker.describe_training_job(TrainingJobName=name)
                resources = described["ResourceConfig"]
                if resources.get("InstanceType") == kind and bool(described.get("EnableManagedSpotTraining")) == spot:
                    used += resources.get("InstanceCount", 1)
    return used


def _pending(account: Account, code: str) -> set[str]:
    """Jobs that were let through a moment ago under a quota, and that the account does not have yet."""
    now = time.monotonic()
    for job, (_, moment) in list(account.admitted.items()):
        if now - moment > LISTED_SECONDS or _there(account, job):
            del account.admitted[job]
    return {job for job, (quota, _) in account.admitted.items() if quota == code}


def _there(account: Account, job: str) -> bool:
    try:
        account.client("sagemaker").describe_training_job(TrainingJobName=job)
    except ClientError as error:
        if not absent(error):
            raise
        return False
    return True


_check_role = check_role(
    "sagemaker",
    "RoleArn",
    "sagemaker.amazonaws.com",
    lambda role: invalid(
        f"Could not assume role {role}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    ),
)
_check_tags = check_tags(
    lambda: invalid(  # 50 is the model's; nobody has published the words, which are here as those of IAM
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: "
        f"Member must have length less than or equal to {TAGS}"
    )
)

CHECKS: dict[tuple[str, str], tuple[Check, ...]] = {
    ("sagemaker", "CreateTrainingJob"): (_check_tags, _check_shape, _check_role, _check_quota),
}
