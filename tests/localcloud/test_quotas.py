"""Service Quotas as AWS answers it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localcloud.protocol import ServiceError
from localcloud.quotas import Service

CONCURRENCY = {"ServiceCode": "lambda", "QuotaCode": "L-B99A9384"}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def settings(service: Service, **values: object) -> None:
    (service.quotas.cloud / "account.json").write_text(json.dumps(values))


def value(service: Service) -> float:
    return float(service.call("GetServiceQuota", CONCURRENCY)["Quota"]["Value"])


def test_the_accounts_own_value_and_awss_default(service: Service) -> None:
    assert value(service) == 10
    assert service.call("GetAWSDefaultServiceQuota", CONCURRENCY)["Quota"]["Value"] == 1000
    settings(service, quotas={"L-B99A9384": 50})
    assert value(service) == 50
    settings(service, quotas={"Concurrent executions": 60})
    assert value(service) == 60


def test_all_of_a_service_are_listed_in_pages(service: Service) -> None:
    names, token = [], None
    while True:
        more = {"NextToken": token} if token else {}
        answer = service.call("ListServiceQuotas", {"ServiceCode": "sagemaker", **more})
        names += [quota["QuotaName"] for quota in answer["Quotas"]]
        token = answer.get("NextToken")
        if not token:
            break
    assert len(names) == len(set(names)) > 200
    assert "ml.g4dn.xlarge for spot training job usage" in names


def test_a_request_is_granted_and_outlives_the_service(service: Service) -> None:
    asked = service.call("RequestServiceQuotaIncrease", {**CONCURRENCY, "DesiredValue": 200})["RequestedQuota"]
    assert asked["Status"] == "PENDING"
    again = Service(service.quotas.cloud)
    assert value(again) == 200
    answer = again.call("GetRequestedServiceQuotaChange", {"RequestId": asked["Id"]})
    assert answer["RequestedQuota"]["Status"] == "APPROVED"
    history = again.call("ListRequestedServiceQuotaChangeHistory", {"ServiceCode": "lambda"})["RequestedQuotas"]
    assert [item["Id"] for item in history] == [asked["Id"]]


def test_an_open_request_changes_nothing_and_stands_alone(service: Service) -> None:
    settings(service, grant_quotas=False)
    service.call("RequestServiceQuotaIncrease", {**CONCURRENCY, "DesiredValue": 200})
    assert value(service) == 10
    with pytest.raises(ServiceError, match="Only one open service quota increase request") as caught:
        service.call("RequestServiceQuotaIncrease", {**CONCURRENCY, "DesiredValue": 300})
    assert caught.value.code == "ResourceAlreadyExistsException"


@pytest.mark.parametrize(
    ("operation", "request_", "code"),
    [
        ("RequestServiceQuotaIncrease", {**CONCURRENCY, "DesiredValue": 10}, "IllegalArgumentException"),
        ("GetServiceQuota", {"ServiceCode": "ec2", "QuotaCode": "L-B99A9384"}, "NoSuchResourceException"),
        ("GetServiceQuota", {"ServiceCode": "lambda", "QuotaCode": "L-00000000"}, "NoSuchResourceException"),
        ("ListServiceQuotas", {"ServiceCode": "nothing"}, "NoSuchResourceException"),
        ("GetRequestedServiceQuotaChange", {"RequestId": "0" * 32}, "NoSuchResourceException"),
    ],
)
def test_what_cannot_be_asked(service: Service, operation: str, request_: dict[str, object], code: str) -> None:
    with pytest.raises(ServiceError) as caught:
        service.call(operation, request_)
    assert caught.value.code == code


def test_the_right_to_read_may_be_missing(service: Service) -> None:
    settings(service, hide_quotas=True)
    with pytest.raises(ServiceError, match="is not authorized to perform: servicequotas:GetServiceQuota") as caught:
        value(service)
    assert caught.value.code == "AccessDeniedException"


def test_settings_that_cannot_be_are_named(service: Service) -> None:
    settings(service, quota={})
    with pytest.raises(ServiceError, match="unknown key quota"):
        value(service)
