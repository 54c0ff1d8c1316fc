"""The rules `public-functions` and `permission-source`: who may run a function, and on whose behalf."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.statements import everyone
from policies.values import at, text

URL, PERMISSION = "aws:lambda/functionUrl:FunctionUrl", "aws:lambda/permission:Permission"
SERVICE = re.compile(r"[\w.-]+\.amazon(aws)?\.com(\.cn)?")


def check_public(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for a function that anybody may call."""
    if resource.type == URL:
        value = at(resource.props, "authorizationType")
        if value == "NONE":
            calls = "strangers' requests, and the time that they take, are yours to pay"
            yield Violation("authorization_type", value, 'authorization_type="AWS_IAM"', calls)
        return
    narrow = _narrow(resource, "sourceAccount", "sourceArn", "principalOrgId")
    if at(resource.props, "principal") == "*" and not narrow and at(resource.props, "functionUrlAuthType") != "AWS_IAM":
        yield Violation("principal", "*", "principal=the account or service, or source_account=…, source_arn=…")


def check_source(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for a service that may call a function for whichever account asks it to."""
    principal = text(at(resource.props, "principal"))
    if SERVICE.fullmatch(principal) and not _narrow(resource, "sourceArn", "sourceAccount", "eventSourceToken"):
        yield Violation(
            "source_arn", at(resource.props, "sourceArn"),
            "source_arn=the ARN of what calls it, or source_account=your own account's number",
            f"{principal} also calls it for other accounts: they run your function, with its rights, on your bill",
        )  # fmt: skip


def _narrow(resource: Resource, *props: str) -> bool:
    """Whether one of these properties holds a permission to certain callers; what is unknown may do so."""
    values = [at(resource.props, prop) for prop in props]
    return any(not everyone(value) if isinstance(value, str) else value is not None for value in values)


def _url(kind: str) -> Resource:
    return declare(URL, "inference", functionName="inference", authorizationType=kind)


def _permission(**props: Any) -> Resource:
    return declare(
        PERMISSION, "notify", action="lambda:InvokeFunction", function="ingest", principal="s3.amazonaws.com", **props
    )


PUBLIC_FUNCTIONS = Rule(
    name="public-functions",
    group="safety",
    description="Functions answer signed requests only.",
    why="A function URL without authorization lets anybody run it, at your cost, as often as they like.",
    change='Set authorization_type to "AWS_IAM"; hold permissions to an account, a source or an organisation.',
    types=(URL, PERMISSION),
    check=check_public,
    fails=Example((_url("NONE"),)),
    passes=Example((_url("AWS_IAM"),)),
)
PERMISSION_SOURCE = Rule(
    name="permission-source",
    group="safety",
    description="A service that may call a function may do so for one source or account only.",
    why="A service calls on behalf of whoever sets it up: without a source, a bucket, topic or rule of any other "
    "account may be pointed at the function.",
    change="Set source_arn, and for buckets source_account too: a bucket's name may come into other hands.",
    types=(PERMISSION,),
    check=check_source,
    fails=Example((_permission(),)),
    passes=Example((_permission(sourceArn="arn:aws:s3:::models", sourceAccount="123456789012"),)),
)
