"""A role is handed to a service by who may do so (`iam:PassRole`), and where the service can assume it."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import jmespath
from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from localcloud import ACCOUNT
from localcloud.aws.row import Json, absent
from localcloud.protocol import ServiceError
from localcloud.refusals.account import Account, Caller, Check

ACTION = "iam:PassRole"
# What a caller without the right is answered, by the service that is asked: code and status.
DENIED = {
    "ec2": ("UnauthorizedOperation", 403),
    "events": ("AccessDeniedException", 400),
    "iam": ("AccessDenied", 403),
    "lambda": ("AccessDeniedException", 403),
    "sagemaker": ("AccessDeniedException", 400),
    "scheduler": ("AccessDeniedException", 403),
}
OWN_WORDS = {"ec2": "You are not authorized to perform this operation. "}  # before what all services say


def check_role(asked: str, place: str, service: str, refusal: Callable[[str], ServiceError]) -> Check:
    """A check of the roles in a request: the caller may pass them to a service, and this can assume them.

    Args:
        asked: the service that is asked, as botocore calls it.
        place: where in the request a role's ARN, or several, may stand (JMESPath).
        service: who is to assume the role (`lambda.amazonaws.com`).
        refusal: what AWS answers where it cannot.
    """
    expression = jmespath.compile(place)

    def check(request: Json, account: Account) -> None:
        for role in dict.fromkeys(filter(None, _list(expression.search(request)))):
            require_passing(asked, role, service, account)
            if not assumable(role, service, account):
                raise refusal(role)

    return check


def require_passing(asked: str, role: str, service: str, account: Account) -> None:
    """Raises ServiceError, in the words of the asked service, unless the caller may pass a role (ARN) to a service.

    The account's own keys may do everything. Policy variables and `iam:AssociatedResourceArn` match nothing.
    """
    if account.caller is None:
        return
    layers, unknown = _layers(account.caller, account.client("iam"))
    why = _denial(account.caller, role, service, layers)
    if why is None:
        return
    code, status = DENIED[asked]
    text = f"User: {account.caller.arn} is not authorized to perform: {ACTION} on resource: {role} {why}"
    if unknown:
        text += f" (the local cloud does not know what is in {', '.join(unknown)}; a policy of your own can allow it)"
    raise ServiceError(code, OWN_WORDS.get(asked, "") + text, status)


Layers = dict[str, list[Any]]  # by what AWS calls it: parsed policies, of which one must allow


def _denial(caller: Caller, role: str, service: str, layers: Layers) -> str | None:
    """Why AWS refuses, in its words; None where every layer allows, and none denies."""
    context = EvalContext(
        principal_arn=caller.principal,
        principal_type="User" if caller.kind == "user" else "AssumedRole",
        principal_account=ACCOUNT,
        action=ACTION,
        resource_arn=role,
        region=caller.region,
        source_ip="127.0.0.1",
        secure_transport=True,  # as the same request would be on AWS
        service_context={"iam:passedtoservice": service},
    )
    decisions = {name: evaluate(context, policies).decision for name, policies in layers.items()}
    for name, decision in decisions.items():
        if decision == "Deny":
            return f"with an explicit deny in {'an' if name[0] in 'aeiou' else 'a'} {name}"
    refusing = [name for name, decision in decisions.items() if decision != "Allow"]
    return f"because no {refusing[0]} allows the {ACTION} action" if refusing else None


def _layers(caller: Caller, iam: Any) -> tuple[Layers, list[str]]:
    """The policies that say what a caller may do, and the ARNs of those whose text is not known."""
    unknown: list[str] = []

    def managed(arn: str) -> Any:
        try:
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        except ClientError as error:
            if not absent(error):
                raise
            unknown.append(arn)
            return {}

    def identity(kind: str, name: str) -> Iterator[Any]:
        named = {f"{kind.title()}Name": name}
        for policy in _pages(iam, f"list_{kind}_policies", "PolicyNames", named):
            yield getattr(iam, f"get_{kind}_policy")(**named, PolicyName=policy)["PolicyDocument"]
        for attached in _pages(iam, f"list_attached_{kind}_policies", "AttachedPolicies", named):
            yield managed(attached["PolicyArn"])
        if kind == "user":
            for group in _pages(iam, "list_groups_for_user", "Groups", named):
                yield from identity("group", group["GroupName"])

    layers: Layers = {}
    if caller.kind:
        layers["identity-based policy"] = []
        try:
            described = getattr(iam, f"get_{caller.kind}")(**{f"{caller.kind.title()}Name": caller.name})
            layers["identity-based policy"] = _parsed(identity(caller.kind, caller.name))
            if boundary := described[caller.kind.title()].get("PermissionsBoundary"):
                layers["permissions boundary"] = _parsed([managed(boundary["PermissionsBoundaryArn"])])
        except ClientError as error:  # its role was removed meanwhile: the session lives on, without any right
            if not absent(error):
                raise
    if caller.session_policies:
        documents = [managed(text) if text.startswith("arn:") else text for text in caller.session_policies]
        layers["session policy"] = _parsed(documents)
    return layers, unknown


def _parsed(documents: Iterable[Any]) -> list[Any]:
    return [parse_policy_document(document) for document in documents]


def _pages(client: Any, operation: str, member: str, arguments: Json) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def trusts(document: Json, service: str) -> bool:
    """Whether a role's trust policy lets a service assume it; conditions are taken as met."""

    def applies(statement: Json, effect: str) -> bool:
        principal = statement.get("Principal")
        services = _list(principal.get("Service")) if isinstance(principal, dict) else _list(principal)
        actions = [str(action).lower() for action in _list(statement.get("Action"))]
        return (
            statement.get("Effect") == effect
            and ("*" in services or service in services)
            and any(fnmatch.fnmatchcase("sts:assumerole", action) for action in actions)
        )

    statements = _list(document.get("Statement"))
    allowed = any(applies(statement, "Allow") for statement in statements)
    return allowed and not any(applies(item, "Deny") and "Condition" not in item for item in statements)


def assumable(arn: str, service: str, account: Account) -> bool:
    """Whether a service can assume a role now: it exists, has become known to the services, and trusts this one."""
    try:
        role = account.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    except ClientError as error:
        if not absent(error):
            raise
        return False
    return role["Arn"] == arn and known(role, account) and trusts(role["AssumeRolePolicyDocument"], service)


def known(made: Json, account: Account) -> bool:
    """Whether what IAM made (a role, a profile) has become known to the other services."""
    age = (datetime.now(UTC) - made["CreateDate"]).total_seconds()
    return bool(age >= account.settings.role_seconds)
