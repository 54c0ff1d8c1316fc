"""The rule `public-functions`: who may run a function."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.values import at

URL, PERMISSION = "aws:lambda/functionUrl:FunctionUrl", "aws:lambda/permission:Permission"


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


def _narrow(resource: Resource, *props: str) -> bool:
    """Whether one of these properties holds a permission to certain callers; what is unknown may do so."""
    values = [at(resource.props, prop) for prop in props]
    return any(bool(value.strip("*")) if isinstance(value, str) else value is not None for value in values)


def _url(kind: str) -> Resource:
    return declare(URL, "inference", functionName="inference", authorizationType=kind)


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
