"""IAM: the sizes of policies, and the role of an instance profile."""

from __future__ import annotations

import json
import re

from botocore.exceptions import ClientError

from localcloud.aws.row import Json, absent
from localcloud.protocol import ServiceError
from localcloud.refusals.account import TAGS, Account, Check, check_tags
from localcloud.refusals.roles import require_passing

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


def _check_role(request: Json, account: Account) -> None:
    """Who puts a role into a profile passes it to EC2; whether EC2 can assume it, AWS does not look at here."""
    if account.caller:
        role = account.client("iam").get_role(RoleName=request["RoleName"])["Role"]["Arn"]
        require_passing("iam", role, "ec2.amazonaws.com", account)


_check_tags = check_tags(
    lambda: ServiceError(  # after "Value", AWS shows all tags as well
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
    ("iam", "AddRoleToInstanceProfile"): (_check_role,),
}
