"""Spot requests that would launch a removed machine again."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from localcloud.provider.tagged import Tagged
from shoestring import repair, spot
from shoestring.repair import Findings

TAGS = {"Project": "shoestring", "Environment": "dev"}
FILTERS = [
    {"Name": "state", "Values": ["open", "active", "disabled"]},
    {"Name": "tag:Project", "Values": ["shoestring"]},
    {"Name": "tag:Environment", "Values": ["dev"]},
]


def request(id: str, **parts: Any) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    return {"SpotInstanceRequestId": id, "Tags": tags, **parts}


def launching(profile: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::123456789012:instance-profile/{profile}"
    return {"LaunchSpecification": {"IamInstanceProfile": {"Arn": arn}}}


@pytest.fixture
def left() -> list[Tagged]:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    requests = [
        request("sir-kept", InstanceId="i-kept", **launching("shoestring-dev-mlflow")),
        request("sir-again", InstanceId="i-again", **launching("shoestring-dev-mlflow")),
        request("sir-open", **launching("somebodys")),
    ]
    with Stubber(ec2) as stubber:
        stubber.add_response(
            "describe_spot_instance_requests", {"SpotInstanceRequests": requests}, {"Filters": FILTERS}
        )
        return list(spot.left(ec2, TAGS, {"i-kept", "vpc-1"}))


def test_a_request_is_left_whose_machine_is_in_no_state_or_not_there_yet(left: list[Tagged]) -> None:
    assert [found.id for found in left] == ["sir-again", "sir-open"]
    assert all(found.tags == TAGS for found in left)


def test_its_instance_profile_tells_whether_it_is_surely_ours(left: list[Tagged]) -> None:
    assert [repair._is_ours(found, "dev") for found in left] == [True, False]


def test_it_is_named_and_cancelled(left: list[Tagged], monkeypatch: pytest.MonkeyPatch) -> None:
    findings, said = Findings("dev", [], [], orphans=left[:1], doubtful=left[1:]), list[str]()
    assert findings.lines() == [
        ("SpotInstanceRequest sir-again has the tags of dev, and is in no state", "removed"),
        ("SpotInstanceRequest sir-open has the tags of dev, and is in no state", repair.UNNAMED),
    ]
    ec2 = boto3.client("ec2", region_name="us-east-1")
    monkeypatch.setattr(repair.aws, "client", lambda service: {"ec2": ec2}[service])
    with Stubber(ec2) as stubber:
        stubber.add_response("cancel_spot_instance_requests", {}, {"SpotInstanceRequestIds": ["sir-again"]})
        repair.mend(findings, said.append)
        stubber.assert_no_pending_responses()
    assert said == ["cancelling sir-again"]
