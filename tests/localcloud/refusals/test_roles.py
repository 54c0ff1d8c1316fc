"""Roles are handed to services by who may do so, and are refused where the service cannot assume them."""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.keys import client_arguments
from tests.conftest import Project
from tests.localcloud.refusals.conftest import Door

Refused = Callable[..., str]
ROLE = "arn:aws:iam::000000000000:role/{}"
OWN_ACCOUNT = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "000000000000"}}
RULE = {"Name": "rule", "ScheduleExpression": "rate(1 day)"}
LAUNCH = {"ImageId": "ami-12345678", "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}
PROGRAM = """
import json, pulumi, pulumi_aws as aws
services = ["lambda.amazonaws.com", "scheduler.amazonaws.com", "ec2.amazonaws.com"]
statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
role = aws.iam.Role("role", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
code = pulumi.FileArchive("f.zip")
aws.lambda_.Function("f", role=role.arn, handler="f.handler", runtime="python3.12", code=code)
aws.scheduler.Schedule(
    "schedule", schedule_expression="rate(1 day)", flexible_time_window={"mode": "OFF"},
    target={"arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "role_arn": role.arn},
)
profile = aws.iam.InstanceProfile("profile", role=role.name)
aws.ec2.Instance("instance", ami="ami-12345678", instance_type="t3.nano", iam_instance_profile=profile.name)
"""


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def passing(service: str = "", effect: str = "Allow", role: str = "*") -> dict[str, Any]:
    """A statement on `iam:PassRole`, to one service or to all."""
    statement: dict[str, Any] = {"Effect": effect, "Action": "iam:PassRole", "Resource": role}
    return {**statement, "Condition": {"StringEquals": {"iam:PassedToService": service}}} if service else statement


class Session(Door):
    """The account as a session of a role with its own rights meets it."""

    def __init__(self, door: Door, name: str, *statements: dict[str, Any], **narrowed: Any) -> None:
        super().__init__(door.home, door.cloud)
        iam = door.client("iam")
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(OWN_ACCOUNT))
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        given = door.client("sts").assume_role(RoleArn=ROLE.format(name), RoleSessionName="me", **narrowed)
        self.take(given["Credentials"])

    def take(self, given: dict[str, Any]) -> None:
        """Goes on with other keys."""
        self.arguments = {**client_arguments(self.cloud), "aws_access_key_id": given["AccessKeyId"],
                          "aws_secret_access_key": given["SecretAccessKey"],
                          "aws_session_token": given.get("SessionToken")}  # fmt: skip

    def client(self, service: str) -> Any:
        return boto3.client(service, **self.arguments)

    def schedule(self, name: str, role: str) -> None:
        self.client("scheduler").create_schedule(
            Name=name, ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f", "RoleArn": role},
        )  # fmt: skip


@pytest.fixture(scope="module")
def passed(door: Door) -> str:
    """The ARN of a role that every service may assume, in an instance profile of its name."""
    services = [f"{name}.amazonaws.com" for name in ("lambda", "sagemaker", "ec2", "events", "scheduler")]
    arn = door.role("passed", *services)
    door.client("iam").create_instance_profile(InstanceProfileName="passed")
    door.client("iam").add_role_to_instance_profile(InstanceProfileName="passed", RoleName="passed")
    template = {"IamInstanceProfile": {"Name": "passed"}}
    door.client("ec2").create_launch_template(LaunchTemplateName="passed", LaunchTemplateData=template)
    return arn


# How each service is handed a role: to whom it goes, what is asked, and what the refusal looks like.
WAYS: dict[str, tuple[str, Callable[[Session, str], object], str, int]] = {
    "function": ("lambda", lambda s, role: s.function("passed", role), "AccessDeniedException", 403),
    "function's new role": ("lambda", lambda s, role: s.client("lambda").update_function_configuration(
        FunctionName="standing", Role=role), "AccessDeniedException", 403),
    "job": ("sagemaker", lambda s, role: s.job("passed", role), "AccessDeniedException", 400),
    "schedule": ("scheduler", lambda s, role: s.schedule("passed", role), "AccessDeniedException", 403),
    "rule": ("events", lambda s, role: s.client("events").put_rule(**RULE, RoleArn=role), "AccessDeniedException", 400),
    "target": ("events", lambda s, role: s.client("events").put_targets(
        Rule="standing", Targets=[{"Id": "1", "Arn": "arn:aws:sns:us-east-1:000000000000:t", "RoleArn": role}]),
        "AccessDeniedException", 400),
    "profile": ("ec2", lambda s, role: s.client("iam").add_role_to_instance_profile(
        InstanceProfileName="standing", RoleName="passed"), "AccessDenied", 403),
    "instance": ("ec2", lambda s, role: s.client("ec2").run_instances(
        **LAUNCH, IamInstanceProfile={"Name": "passed"}), "UnauthorizedOperation", 403),
    "instance of a template": ("ec2", lambda s, role: s.client("ec2").run_instances(
        **LAUNCH, LaunchTemplate={"LaunchTemplateName": "passed"}), "UnauthorizedOperation", 403),
    "instance's new profile": ("ec2", lambda s, role: s.client("ec2").associate_iam_instance_profile(
        InstanceId=s.client("ec2").run_instances(**LAUNCH)["Instances"][0]["InstanceId"],
        IamInstanceProfile={"Arn": "arn:aws:iam::000000000000:instance-profile/passed"}),
        "UnauthorizedOperation", 403),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_who_may_not_pass_a_role_is_refused_in_the_words_of_each_service(door: Door, passed: str, way: str) -> None:
    service, ask, code, status = WAYS[way]
    if way == "function's new role":
        door.function("standing", passed)
    elif way == "target":
        door.client("events").put_rule(Name="standing", ScheduleExpression="rate(1 day)")
    elif way == "profile":
        door.client("iam").create_instance_profile(InstanceProfileName="standing")
    principal = f"{service}.amazonaws.com"
    for statement in (passing("ecs.amazonaws.com"), passing(principal, role=ROLE.format("other"))):
        with pytest.raises(ClientError) as caught:
            ask(Session(door, "caller", statement), passed)
        answer = caught.value.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
        assert answer["Error"]["Message"].removeprefix("You are not authorized to perform this operation. ") == (
            "User: arn:aws:sts::000000000000:assumed-role/caller/me is not authorized to perform: iam:PassRole on "
            f"resource: {passed} because no identity-based policy allows the iam:PassRole action"
        )
    ask(Session(door, "caller", passing(principal, role=passed)), passed)


def test_denials_boundaries_and_session_policies_count(door: Door, passed: str, refused: Refused) -> None:
    iam, code = door.client("iam"), "AccessDeniedException"
    denied = Session(door, "denied", passing(), passing(effect="Deny"))
    assert refused(code, denied.schedule, "no", passed).endswith("with an explicit deny in an identity-based policy")
    Session(door, "allowed", passing()).schedule("allowed", passed)

    narrow = Session(door, "narrowed", passing(), Policy=document(passing("lambda.amazonaws.com")))
    assert "because no session policy allows" in refused(code, narrow.schedule, "no", passed)
    again = narrow.client("sts").get_session_token()["Credentials"]
    narrow.take(again)  # is as narrow as what it comes from
    assert "because no session policy allows" in refused(code, narrow.schedule, "no", passed)
    managed = iam.create_policy(PolicyName="passing", PolicyDocument=document(passing()))["Policy"]["Arn"]
    Session(door, "narrowed", passing(), PolicyArns=[{"arn": managed}]).schedule("narrowed", passed)

    reading = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    bounds = iam.create_policy(PolicyName="bounds", PolicyDocument=reading)["Policy"]["Arn"]
    iam.create_role(RoleName="bound", AssumeRolePolicyDocument=document(OWN_ACCOUNT), PermissionsBoundary=bounds)
    bound = Session(door, "bound", passing())
    assert "because no permissions boundary allows" in refused(code, bound.schedule, "no", passed)


def test_managed_policies_give_the_right_and_unknown_ones_are_named(door: Door, passed: str, refused: Refused) -> None:
    session, iam = Session(door, "managed"), door.client("iam")
    unknown = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    iam.attach_role_policy(RoleName="managed", PolicyArn=unknown)
    message = refused("AccessDeniedException", session.schedule, "managed", passed)
    assert f"the local cloud does not know what is in {unknown}" in message
    iam.attach_role_policy(RoleName="managed", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    session.schedule("managed", passed)


def test_users_have_rights_of_their_own_and_of_their_groups(door: Door, passed: str, refused: Refused) -> None:
    session, iam = Session(door, "any"), door.client("iam")
    iam.create_user(UserName="user")
    session.take(iam.create_access_key(UserName="user")["AccessKey"])
    message = refused("AccessDeniedException", session.schedule, "of-user", passed)
    assert message.startswith("User: arn:aws:iam::000000000000:user/user is not authorized")
    iam.create_group(GroupName="group")
    iam.put_group_policy(GroupName="group", PolicyName="passing", PolicyDocument=document(passing()))
    iam.add_user_to_group(GroupName="group", UserName="user")
    session.schedule("of-user", passed)
    federated = Session(door, "any")
    federated.take(door.client("sts").get_federation_token(Name="federated")["Credentials"])
    refused("AccessDeniedException", federated.schedule, "federated", passed)


def test_a_session_whose_role_was_removed_may_nothing(door: Door, passed: str, refused: Refused) -> None:
    session, iam = Session(door, "removed", passing()), door.client("iam")
    iam.delete_role_policy(RoleName="removed", PolicyName="own")
    iam.delete_role(RoleName="removed")
    refused("AccessDeniedException", session.schedule, "removed", passed)


@pytest.mark.parametrize("role", ["absent", "for-lambda"])
def test_roles_that_schedules_and_rules_cannot_assume(door: Door, refused: Refused, role: str) -> None:
    if role != "absent":
        door.role(role, "lambda.amazonaws.com")
    admin, arn, events = Session(door, "admin", passing()), ROLE.format(role), door.client("events")
    assert refused("ValidationException", admin.schedule, "no", arn) == (
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
    )
    words = f"Provided role '{arn}' cannot be assumed by principal 'events.amazonaws.com'."
    assert refused("ValidationException", events.put_rule, **RULE, RoleArn=arn) == words
    events.put_rule(**RULE)
    target = {"Id": "1", "Arn": "arn:aws:sns:us-east-1:000000000000:t", "RoleArn": arn}
    assert refused("ValidationException", events.put_targets, Rule="rule", Targets=[target]) == words


def test_instance_profiles_exist_and_hold_a_role(door: Door, refused: Refused) -> None:
    launch = door.client("ec2").run_instances
    arn = "arn:aws:iam::000000000000:instance-profile/empty"
    assert refused("InvalidParameterValue", launch, **LAUNCH, IamInstanceProfile={"Name": "empty"}) == (
        "Value (empty) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
    )
    assert refused("InvalidParameterValue", launch, **LAUNCH, IamInstanceProfile={"Arn": arn}) == (
        f"Value ({arn}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN"
    )
    door.client("iam").create_instance_profile(InstanceProfileName="empty")
    message = refused("InvalidParameterValue", launch, **LAUNCH, IamInstanceProfile={"Name": "empty"})
    assert message == f'IAM Instance Profile "{arn}" has no associated IAM Roles'


def test_the_provider_waits_for_a_new_role_and_profile(project: Callable[..., Project], door: Door) -> None:
    door.settings(role_seconds=3)
    stack = project(PROGRAM, door.cloud)
    with zipfile.ZipFile(stack.folder / "program" / "f.zip", "w") as package:
        package.writestr("f.py", "def handler(event, context):\n    return 1\n")
    assert "6 created" in stack.pulumi("up", "--yes", "--skip-preview")
    stack.pulumi("destroy", "--yes", "--skip-preview")
