"""IAM: the sizes of policies, and which service may assume a role."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws.row import Json, absent
from localcloud.protocol import ServiceError
from localcloud.refusals.account import TAGS, Account, Check, check_tags

MANAGED, INLINE, TRUST = 6144, 10240, 2048  # characters, white space not counted
ATTACHED = 10  # managed policies of a role


def size(document: str) -> int:
    """Characters of a policy as IAM counts them."""
    return len(re.sub(r"\s", "", document))


def _exceeded(message: str) -> ServiceError:
    return ServiceError("LimitExceeded", message, 409)


def _check_trust(request: Json, account: Account) -> None:
    document = request.get("AssumeRolePolicyDocument") or request.get("PolicyDocument", "")
    if size(document) > TRUST:
        raise _exceeded(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")


def _check_managed(request: Json, account: Account) -> None:
    if size(request["PolicyDocument"]) > MANAGED:
        raise _exceeded(f"Cannot exceed quota for PolicySize: {MANAGED}")


def _check_inline(request: Json, account: Account) -> None:
    iam, role = account.client("iam"), request["RoleName"]
    names: list[str] = []
    try:
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    except ClientError as error:
        if not absent(error):
            raise
    others = [name for name in names if name != request["PolicyName"]]
    documents = [json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]) for name in others]
    if size(request["PolicyDocument"]) + sum(map(size, documents)) > INLINE:
        raise _exceeded(f"Maximum policy size of {INLINE} bytes exceeded for role {role}")


def _check_attached(request: Json, account: Account) -> None:
    try:
        attached = account.client("iam").list_attached_role_policies(RoleName=request["RoleName"])["AttachedPolicies"]
    except ClientError as error:
        if not absent(error):
            raise
        return
    arns = {policy["PolicyArn"] for policy in attached} | {request["PolicyArn"]}
    if len(arns) > ATTACHED:
        raise _exceeded(f"Cannot exceed quota for PoliciesPerRole: {ATTACHED}")


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
    age = (datetime.now(UTC) - role["CreateDate"]).total_seconds()
    known = role["Arn"] == arn and age >= account.settings.role_seconds
    return known and trusts(role["AssumeRolePolicyDocument"], service)


def check_role(member: str, service: str, refusal: Callable[[str], ServiceError]) -> Check:
    """A check that the role named by `member`, where a request names one, can be assumed by `service`."""

    def check(request: Json, account: Account) -> None:
        role = request.get(member)
        if role and not assumable(role, service, account):
            raise refusal(role)

    return check


_check_tags = check_tags(
    lambda: ServiceError(
        "ValidationError",
        "1 validation error detected: Value at 'tags' failed to satisfy constraint: "
        f"Member must have length less than or equal to {TAGS}",
    )
)

CHECKS: dict[tuple[str, str], tuple[Check, ...]] = {
    ("iam", "CreateRole"): (_check_trust, _check_tags),
    ("iam", "UpdateAssumeRolePolicy"): (_check_trust,),
    ("iam", "PutRolePolicy"): (_check_inline,),
    ("iam", "CreatePolicy"): (_check_managed, _check_tags),
    ("iam", "CreatePolicyVersion"): (_check_managed,),
    ("iam", "AttachRolePolicy"): (_check_attached,),
}
