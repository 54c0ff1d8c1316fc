"""A Lambda function with its role, rights and log group, as several components have one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.lambda_.function import Function
from pydantic import FilePath

from components import iam
from components.arguments import arguments
from components.base import Component
from components.bounds import Architecture, FunctionSeconds, LogDays, MemoryMb, PythonVersion
from shoestring.base.function_package import LAMBDA_PYTHON

CHILDREN = {
    "function": "aws:lambda/function:Function",
    "logs": "aws:cloudwatch/logGroup:LogGroup",
    "rights": "aws:iam/rolePolicy:RolePolicy",
    "role": "aws:iam/role:Role",
}


@arguments
class FunctionArgs:
    """What the user of a component decides about its function."""

    package: FilePath
    """The function's zip."""
    python: PythonVersion = LAMBDA_PYTHON
    """Version of Python that the package was built for."""
    architecture: Architecture = "arm64"
    """Processor; arm64 costs a fifth less for each second."""
    memory_mb: MemoryMb = 128
    """Memory and, in proportion, processor and price."""
    timeout_seconds: FunctionSeconds = 60
    """What one call may take at most."""
    log_retention_days: LogDays = 90
    """Days that its log stays, billed for each GB."""


def create(
    component: Component[Any],
    name: str,
    args: FunctionArgs,
    *,
    description: str,
    handler: str,
    variables: Mapping[str, pulumi.Input[str]],
    rights_name: str,
    rights: pulumi.Output[list[iam.Statement]],
    **code: Any,
) -> tuple[Function, LogGroup]:
    """Makes the function and its log group as children of `component`, which lists `CHILDREN`.

    Args:
        variables: its environment.
        rights_name: what its role calls its policy.
        rights: what it may do, beside writing its own log.
        code: where its code lies, and further arguments of the function.
    """
    logs = LogGroup(
        name,
        name=f"/aws/lambda/{name}",
        retention_in_days=args.log_retention_days,
        opts=component.child("logs"),
    )
    role = Role(name, name=name, assume_role_policy=iam.trust("lambda.amazonaws.com"), opts=component.child("role"))
    document = pulumi.Output.all(rights, logs.arn).apply(lambda parts: iam.logging(*parts))
    policy = RolePolicy(name, name=rights_name, role=role.name, policy=document, opts=component.child("rights"))
    function = Function(
        name,
        name=name,
        description=description,
        runtime=f"python{args.python}",
        handler=handler,
        architectures=[args.architecture],
        role=role.arn,
        memory_size=args.memory_mb,
        timeout=args.timeout_seconds,
        logging_config={"log_format": "Text", "log_group": logs.name},
        environment={"variables": dict(variables)},
        opts=component.child("function", depends_on=[policy]),
        **code,
    )
    return function, logs
