"""`docs/real-account.md`: the deployer's rights cover what the programs ask of AWS, and its commands are right."""

from __future__ import annotations

import json
import re
import shlex
from fnmatch import fnmatchcase

import boto3
import parliament
import pytest
from botocore import xform_name

from localcloud.aws.types import BY_TOKEN
from shoestring.base.paths import ROOT
from tests.components.samples import COMPONENTS

PAGE = (ROOT / "docs/real-account.md").read_text()
POLICY = json.loads((ROOT / "docs/deployer-policy.json").read_text())
TOKENS = {token for component in COMPONENTS for token in component.children.values()} | {
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:s3/bucketObjectv2:BucketObjectv2",
}
# Where IAM's name of an action is not the operation's (Service Authorization Reference).
ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "budgets:DescribeBudget": "budgets:ViewBudget",
    **{f"budgets:{verb}Budget": "budgets:ModifyBudget" for verb in ("Create", "Delete", "Update")},
}


def actions() -> list[str]:
    """What IAM is asked about, by the operations with which the stand-in provider makes, reads and removes."""
    asked = set()
    for token in TOKENS:
        row = BY_TOKEN[token]
        assert row.calls
        calls = (*row.calls.creation, *row.calls.update, *row.calls.removal, *row.reads)
        operations = {call.operation for call in calls if not call.operation.startswith("wait:")}
        if row.calls.tags:
            operations |= {row.calls.tags.add, row.calls.tags.remove, row.calls.tags.listing} - {""}
        names = {
            xform_name(name): name for name in boto3.client(row.service, "us-east-1").meta.service_model.operation_names
        }
        asked |= {f"{row.service}:{names[operation]}" for operation in operations}
    return sorted(ACTIONS.get(action, action) for action in asked)


def allowed(action: str) -> bool:
    patterns = [
        pattern
        for each in POLICY["Statement"]
        for pattern in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    ]
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def test_the_deployer_may_do_all_that_the_programs_ask_of_aws() -> None:
    assert len(actions()) > 100
    assert not [action for action in actions() if not allowed(action)]


def test_roles_are_handed_to_exactly_the_services_that_take_one() -> None:
    (passing,) = (each for each in POLICY["Statement"] if each["Action"] == "iam:PassRole")
    programs = "".join(path.read_text() for path in (ROOT / "components").glob("*.py"))
    taking = set(re.findall(r'iam\.trust\("([a-z0-9.]+)"', programs))
    assert set(passing["Condition"]["StringEquals"]["iam:PassedToService"]) == taking


def test_the_policy_is_one_that_iam_takes() -> None:
    text = (ROOT / "docs/deployer-policy.json").read_text()
    assert len(re.sub(r"\s", "", text)) <= 6144  # IAM's limit of a managed policy, without white space
    found = parliament.analyze_policy_string(text).findings
    # One statement names the resources of several services. `DeleteTrainingJob` is newer than parliament's table.
    found = [each for each in found if each.issue not in ("RESOURCE_MISMATCH", "RESOURCE_STAR")]
    assert [str(each) for each in found if "sagemaker:DeleteTrainingJob" not in str(each)] == []


@pytest.mark.parametrize("command", sorted(set(re.findall(r"aws (?!sso )[a-z0-9-]+ [a-z0-9-]+ --[^`\n]+", PAGE))))
def test_commands_of_aws_are_those_of_its_models(command: str) -> None:
    _, service, operation, *words = shlex.split(command)
    client = boto3.client(service.replace("s3api", "s3"), region_name="us-east-1")
    names = {xform_name(name).replace("_", "-"): name for name in client.meta.service_model.operation_names}
    shape = client.meta.service_model.operation_model(names[operation]).input_shape
    members = {xform_name(name).replace("_", "-") for name in (shape.members if shape else ())}
    options = {word.removeprefix("--") for word in words if word.startswith("--")}
    assert options <= members | {"region", "query", "output"}


def test_every_source_is_used_and_every_use_has_one() -> None:
    text, _, sources = PAGE.partition("\n## Sources\n")
    listed = set(re.findall(r"^(\d+)\. ", sources, re.M))
    assert listed == set(re.findall(r"\[(\d+)\]", text))
