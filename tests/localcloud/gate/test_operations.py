"""What the gate reads from a request is what a client of AWS was given."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import botocore.session
import pytest
from botocore.serialize import create_serializer
from multidict import CIMultiDict, CIMultiDictProxy

from localcloud.gate.operations import SIGNED_AS, Operations, model
from localcloud.gate.signature import Request

TAGS = [{"Key": "Project", "Value": "a b&=+"}, {"Key": "Empty", "Value": ""}]
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("ssm", "PutParameter", {"Name": "/a", "Value": "ü", "Type": "String", "Tags": TAGS}),
    ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 60, "Tags": TAGS}),
    ("sns", "CreateTopic", {"Name": "t", "Attributes": {"DisplayName": "a", "Policy": "{}"}, "Tags": TAGS}),
    ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16", "AmazonProvidedIpv6CidrBlock": True,
                          "TagSpecifications": [{"ResourceType": "vpc", "Tags": TAGS}]}),
    ("ec2", "RunInstances", {"MinCount": 1, "MaxCount": 2, "InstanceType": "t4g.nano", "SecurityGroupIds": ["a", "b"],
                             "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "1"},
                             "InstanceMarketOptions": {"MarketType": "spot"}}),
    ("lambda", "PutFunctionConcurrency", {"FunctionName": "arn:aws:lambda:us-east-1:0:function:f",
                                          "ReservedConcurrentExecutions": 5}),
    ("lambda", "CreateFunction", {"FunctionName": "f", "Role": "r", "Code": {"S3Bucket": "b", "S3Key": "k"},
                                  "Environment": {"Variables": {"A": "b"}}, "Timeout": 3}),
    ("lambda", "GetFunction", {"FunctionName": "f", "Qualifier": "live"}),
    ("s3", "CreateBucket", {"Bucket": "b", "ACL": "private",
                            "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}),
    ("s3", "PutBucketTagging", {"Bucket": "b", "Tagging": {"TagSet": TAGS[:1]}}),
    ("scheduler", "UpdateSchedule", {"Name": "s", "GroupName": "g", "ScheduleExpression": "rate(1 day)",
                                     "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {"Arn": "a", "RoleArn": "r"}}),
    ("service-quotas", "GetServiceQuota", {"ServiceCode": "ec2", "QuotaCode": "L-34B43A08"}),
]  # fmt: skip


def sent(service: str, operation: str, parameters: dict[str, Any]) -> tuple[Request, bytes]:
    """The request that botocore makes of parameters."""
    described = botocore.session.get_session().get_service_model(service)
    serializer = create_serializer(described.resolved_protocol, include_validation=False)
    made = serializer.serialize_to_request(parameters, described.operation_model(operation))
    path, _, query = made["url_path"].partition("?")
    extra = made["query_string"]
    query = "&".join(part for part in (query, extra if isinstance(extra, str) else urlencode(extra)) if part)
    body = made["body"]
    body = urlencode(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    headers = CIMultiDictProxy(CIMultiDict(made["headers"]))
    return Request(made["method"], urlsplit(path).path or "/", query, headers), body


@pytest.mark.parametrize(("service", "operation", "parameters"), CALLS, ids=[f"{s}.{o}" for s, o, _ in CALLS])
def test_what_a_client_sends_is_read_as_it_was_given(service: str, operation: str, parameters: dict[str, Any]) -> None:
    operations = Operations((called, name) for called, name, _ in CALLS)
    request, body = sent(service, operation, parameters)
    assert operations.may_find(SIGNED_AS.get(service, service), request, lambda: body)
    assert operations.find(SIGNED_AS.get(service, service), request, lambda: body) == (service, operation, parameters)


def test_a_form_may_come_in_the_query() -> None:
    given = {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}
    _, body = sent("iam", "CreateRole", given)
    linked = Request("GET", "/", body.decode(), CIMultiDictProxy(CIMultiDict()))
    operations = Operations([("iam", "CreateRole")])
    assert operations.may_find("iam", linked, lambda: b"")
    assert operations.find("iam", linked, lambda: b"") == ("iam", "CreateRole", given)


def test_other_operations_are_told_apart_without_a_model() -> None:
    wanted = [
        ("ec2", "CreateVpc"),
        ("lambda", "PutFunctionConcurrency"),
        ("ssm", "PutParameter"),
        ("s3", "CreateBucket"),
    ]
    operations = Operations([*wanted, ("s3", "CreateBucket")])
    for service, operation, parameters in (
        ("ec2", "RunInstances", {"MinCount": 1, "MaxCount": 1}),
        ("lambda", "GetFunctionConcurrency", {"FunctionName": "f"}),
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"{}"}),
        ("ssm", "GetParameter", {"Name": "/a"}),
        ("s3", "PutBucketTagging", {"Bucket": "b", "Tagging": {"TagSet": TAGS}}),
        ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}),
    ):
        request, body = sent(service, operation, parameters)
        assert operations.find(service, request, lambda body=body: body) is None
        assert not operations.may_find(service, request, lambda body=body: body)
    assert model("lambda").signing_name == "lambda"


def test_user_data_is_read_as_a_client_was_given_it() -> None:
    operations = Operations([("ec2", "RunInstances")])
    request, body = sent("ec2", "RunInstances", {"MinCount": 1, "MaxCount": 1, "UserData": "I2Nsb3VkLWNvbmZpZw=="})
    found = operations.find("ec2", request, lambda: body)
    assert found and found[2]["UserData"] == "#cloud-config"
