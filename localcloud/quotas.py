"""Service Quotas, with the requests for more; `account.json` says what the account begins with (`AccountSettings`)."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from costs.book.quotas import Quota, quotas
from localcloud import ACCOUNT, REGION
from localcloud.aws.row import Json
from localcloud.protocol import ServiceError
from localcloud.requests import Model, operations, page
from localcloud.settings import AccountSettings
from shoestring.base.paths import write_atomically

TARGET = "ServiceQuotasV20190624"  # what its operations begin with in `X-Amz-Target`
SERVICES = {
    "ec2": "Amazon Elastic Compute Cloud (Amazon EC2)",
    "lambda": "AWS Lambda",
    "sagemaker": "Amazon SageMaker",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
}
OPEN = ("PENDING", "CASE_OPENED")


class Quotas:
    """The quotas of the account below `<home>/cloud`, with the requests for more."""

    def __init__(self, cloud: Path) -> None:
        self.cloud, self.path = cloud, cloud / "data" / "quota-requests.json"

    def requests(self) -> dict[str, Json]:
        """Every request for more, by id, in the order in which they were made."""
        return dict(json.loads(self.path.read_text())) if self.path.exists() else {}

    def value(self, quota: Quota) -> float:
        """What the account may have now."""
        granted = [
            request["DesiredValue"]
            for request in self.requests().values()
            if request["QuotaCode"] == quota.code and request["Status"] == "APPROVED"
        ]
        begun: Mapping[str, float] = AccountSettings.read(self.cloud).quotas
        return float(granted[-1] if granted else begun.get(quota.code, begun.get(quota.name, quota.local)))


class Service:
    """The operations of Service Quotas."""

    def __init__(self, cloud: Path) -> None:
        self.quotas = Quotas(cloud)

    def call(self, name: str, request: Json) -> Json:
        """Checks and carries out one operation. Raises ServiceError."""
        MODEL.check(name, request)
        if AccountSettings.read(self.quotas.cloud).hide_quotas:
            who = f"arn:aws:iam::{ACCOUNT}:user/test"
            why = f"User: {who} is not authorized to perform: servicequotas:{name}"
            raise ServiceError("AccessDeniedException", why)
        return dict(getattr(self, name)(request))

    def ListServices(self, request: Json) -> Json:
        services = [{"ServiceCode": code, "ServiceName": name} for code, name in SERVICES.items()]
        shown, following = page(services, request, "NextToken")
        return {"Services": shown, **following}

    def ListServiceQuotas(self, request: Json) -> Json:
        return self._listed(request, self.quotas.value)

    def ListAWSDefaultServiceQuotas(self, request: Json) -> Json:
        return self._listed(request, lambda quota: quota.default)

    def _listed(self, request: Json, value: Callable[[Quota], float]) -> Json:
        if request["ServiceCode"] not in SERVICES:
            raise _absent()
        wanted = request.get("QuotaCode")
        chosen = [q for q in quotas().values() if q.service == request["ServiceCode"] and wanted in (None, q.code)]
        shown, following = page(chosen, request, "NextToken")
        return {"Quotas": [_described(quota, value(quota)) for quota in shown], **following}

    def GetServiceQuota(self, request: Json) -> Json:
        quota = _quota(request)
        return {"Quota": _described(quota, self.quotas.value(quota))}

    def GetAWSDefaultServiceQuota(self, request: Json) -> Json:
        quota = _quota(request)
        return {"Quota": _described(quota, quota.default)}

    def RequestServiceQuotaIncrease(self, request: Json) -> Json:
        quota, requests = _quota(request), self.quotas.requests()
        if request["DesiredValue"] <= self.quotas.value(quota):
            raise ServiceError(
                "IllegalArgumentException",
                "You must provide a quota value greater than the current quota value.",
            )
        if any(item["QuotaCode"] == quota.code and item["Status"] in OPEN for item in requests.values()):
            raise ServiceError(
                "ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota."
            )
        now = time.time()
        described = _described(quota, self.quotas.value(quota))
        asked = {
            "Id": uuid.uuid4().hex,
            **{name: described[name] for name in described if name not in ("Value", "Adjustable")},
            "DesiredValue": request["DesiredValue"],
            "Status": "APPROVED" if AccountSettings.read(self.quotas.cloud).grant_quotas else "PENDING",
            "Created": now,
            "LastUpdated": now,
        }
        write_atomically(self.quotas.path, json.dumps({**requests, asked["Id"]: asked}, indent=2) + "\n")
        return {"RequestedQuota": {**asked, "Status": "PENDING"}}

    def GetRequestedServiceQuotaChange(self, request: Json) -> Json:
        requests = self.quotas.requests()
        if request["RequestId"] not in requests:
            raise _absent()
        return {"RequestedQuota": requests[request["RequestId"]]}

    def ListRequestedServiceQuotaChangeHistory(self, request: Json) -> Json:
        wanted = {"ServiceCode": request.get("ServiceCode"), "Status": request.get("Status")}
        chosen = [
            item
            for item in self.quotas.requests().values()
            if all(value in (None, item[name]) for name, value in wanted.items())
        ]
        shown, following = page(chosen, request, "NextToken")
        return {"RequestedQuotas": shown, **following}


MODEL = Model("service-quotas", operations(Service))


def _absent() -> ServiceError:
    return ServiceError("NoSuchResourceException", "The request failed because the specified service does not exist.")


def _quota(request: Json) -> Quota:
    quota = quotas().get(request["QuotaCode"])
    if quota is None or quota.service != request["ServiceCode"]:
        raise _absent()
    return quota


def _described(quota: Quota, value: float) -> Json:
    return {
        "ServiceCode": quota.service,
        "ServiceName": SERVICES[quota.service],
        "QuotaArn": f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:{quota.service}/{quota.code}",
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
