"""A role that is too new is refused at first; the stand-in provider tries again, as the official one does."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

from tests.conftest import Project
from tests.localcloud.refusals.conftest import Door

PROGRAM = """
import json, pulumi, pulumi_aws as aws
statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
role = aws.iam.Role("role", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
aws.lambda_.Function("f", role=role.arn, handler="f.handler", runtime="python3.12", code=pulumi.FileArchive("f.zip"))
"""


def test_a_function_waits_for_its_new_role(project: Callable[..., Project], door: Door) -> None:
    door.settings(role_seconds=5)
    stack = project(PROGRAM, door.cloud)
    with zipfile.ZipFile(stack.folder / "program" / "f.zip", "w") as package:
        package.writestr("f.py", "def handler(event, context):\n    return 1\n")
    assert "3 created" in stack.pulumi("up", "--yes", "--skip-preview")
    stack.pulumi("destroy", "--yes", "--skip-preview")
