"""The rule `wildcard-iam`: rights name what they are for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.statements import anybody, narrowed, statements
from policies.values import at, items, snake, text, texts

POLICIES = (
    "aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy",
    "aws:iam/groupPolicy:GroupPolicy",
)  # fmt: skip
ROLE = "aws:iam/role:Role"
SINGLE_SIGN_ON = "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy"
ATTACHMENTS = {  # type → the property that names the policies
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "policyArn",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": "policyArn",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": "policyArn",
    "aws:iam/policyAttachment:PolicyAttachment": "policyArn",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": "policyArns",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": "policyArns",
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": "policyArns",
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment": "managedPolicyArn",
    "aws:ssoadmin/managedPolicyAttachmentsExclusive:ManagedPolicyAttachmentsExclusive": "managedPolicyArns",
}
ALL_POWERFUL = ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess")
WITHOUT_RESOURCES = (  # actions for which IAM knows no resource, or which only list and describe
    "*:list*", "ec2:describe*", "ec2:get*",
    "autoscaling:describe*", "batch:describe*", "elasticloadbalancing:describe*",
    "rds:describe*", "cloudwatch:getmetric*", "cloudwatch:describe*",
    "logs:describeloggroups", "ecr:getauthorizationtoken",
    "sts:getcalleridentity", "s3:listallmybuckets", "ce:get*", "ce:describe*", "ce:updatecostallocationtagsstatus",
    "pricing:*", "tag:get*", "budgets:viewbudget", "budgets:describe*", "xray:put*", "xray:get*", "ssmmessages:*",
    "ec2messages:*", "ssm:updateinstanceinformation", "ssm:describe*", "sagemaker:search", "savingsplans:describe*",
    "servicequotas:get*", "health:describe*", "cur:describe*",
    "compute-optimizer:get*", "application-autoscaling:describe*",
)  # fmt: skip
CONDITIONED = {"cloudwatch:putmetricdata": "cloudwatch:namespace"}  # no resources, but a condition that narrows
EVERY_ACTION = re.compile(r"(?:[^:]*:)?[*?]+")  # of a service, or of all
EVERY_RESOURCE = re.compile(r"[*?]+|arn:(?:[*?]+|[\w*-]+(?::[*?]+)+)")  # what names not even a service
NARROW = ("resourcetag", "resourceaccount", "viaservice", "calledvia", "requesttag", "resourceorgid", "passedtoservice")


def _scoped(statement: Mapping[str, Any]) -> bool:
    return narrowed(statement, lambda key: any(word in key for word in NARROW))


def _knows_no_resource(action: str, statement: Mapping[str, Any]) -> bool:
    action = action.lower()
    if needed := CONDITIONED.get(action):
        return narrowed(statement, lambda key: key == needed)
    return any(fnmatchcase(action, pattern) for pattern in WITHOUT_RESOURCES)


def problems(statement: Mapping[str, Any], allow: list[str]) -> Iterator[tuple[str, Any, str]]:
    """What is too wide in a statement: the key, its value, and what to write."""
    if at(statement, "Effect") != "Allow":
        return
    actions = texts(at(statement, "Action"))
    if "NotAction" in statement:
        yield "NotAction", at(statement, "NotAction"), "Action with the actions that are needed"
    wide = [
        action for action in actions
        if EVERY_ACTION.fullmatch(action)
        and (":" not in action or (action not in allow and action.lower() not in WITHOUT_RESOURCES))
    ]  # fmt: skip
    if wide:
        yield "Action", wide if len(wide) > 1 else wide[0], "the actions that are needed, such as s3:GetObject"
    everything = "NotResource" if "NotResource" in statement else "Resource"
    resources = at(statement, everything)
    whole = [arn for arn in texts(resources) if EVERY_RESOURCE.fullmatch(arn)]
    if (everything == "NotResource" or whole) and not wide and not _scoped(statement):
        narrow = [action for action in actions if action not in allow and not _knows_no_resource(action, statement)]
        if narrow:
            named = ", ".join(narrow[:4]) + (" …" if len(narrow) > 4 else "")
            value = resources if everything == "NotResource" else whole[0]
            yield everything, value, f"the ARNs that {named} need, or a Condition on aws:ResourceTag"


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for each statement that allows everything, or something on everything."""
    if resource.type in ATTACHMENTS:
        prop = ATTACHMENTS[resource.type]
        for arn in texts(at(resource.props, prop)):
            if arn.rpartition("/")[2] in ALL_POWERFUL:
                yield Violation(snake(prop), arn, "a policy with the actions that are needed", RISK)
        return
    written = [("policy", at(resource.props, "policy"))] if resource.type in POLICIES else []
    if resource.type == SINGLE_SIGN_ON:
        written.append(("inline_policy", at(resource.props, "inlinePolicy")))
    for place, statement in enumerate(statements(at(resource.props, "assumeRolePolicy"))):
        if anybody(statement):
            prop = f"assume_role_policy, statement {text(at(statement, 'Sid')) or place}, Principal"
            taker = "the service or the role that takes it, or a Condition on aws:PrincipalOrgID"
            yield Violation(prop, at(statement, "Principal"), taker, "any AWS account in the world may take the role")
    for place, inline in enumerate(items(at(resource.props, "inlinePolicies"))):
        written.append((f"inline_policies[{place}].policy", at(inline, "policy")))
    for place, arn in enumerate(texts(at(resource.props, "managedPolicyArns"))):
        if arn.rpartition("/")[2] in ALL_POWERFUL:
            yield Violation(f"managed_policy_arns[{place}]", arn, "a policy with the actions that are needed", RISK)
    allow = [text(word) for word in items(context.config["allow"])]
    for path, policy in written:
        for place, statement in enumerate(statements(policy)):
            name = text(at(statement, "Sid")) or place
            for key, value, change in problems(statement, allow):
                yield Violation(f"{path}, statement {name}, {key}", value, f'"{key}": {change}', RISK)


def _policy(action: str, arn: str) -> Resource:
    statement = {"Sid": "Models", "Effect": "Allow", "Action": action, "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return declare(POLICIES[1], "inference", role="inference", policy=document)


RISK = "who gets these rights may start whatever the account's limits allow: GPU machines by the dozen"
WILDCARD_IAM = Rule(
    name="wildcard-iam",
    group="safety",
    description="Rights name their actions and resources.",
    why="A key that leaks, or a package that turns bad, can do whatever its role can.",
    change="Name the actions and the ARNs. Actions for which IAM knows no resource (descriptions, "
    "ecr:GetAuthorizationToken, cloudwatch:PutMetricData with a condition on its namespace) may have *.",
    types=(*POLICIES, ROLE, *ATTACHMENTS, SINGLE_SIGN_ON),
    config={
        "allow": {
            "type": "array", "items": {"type": "string"}, "default": [],
            "description": "Actions that may have * as their resource, as they are written.",
        }
    },
    check=check,
    fails=Example((_policy("s3:*", "*"),)),
    passes=Example((_policy("s3:GetObject", "arn:aws:s3:::models/churn/*"),)),
)  # fmt: skip
