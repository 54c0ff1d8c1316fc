"""The rule `user-policies`: rights belong to roles and groups, not to people."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.values import UNKNOWN, at, items, snake

GIVEN = {  # type → the property that says which rights a user is given, or which users
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": "policyArn",
    "aws:iam/userPolicy:UserPolicy": "policy",
    "aws:iam/policyAttachment:PolicyAttachment": "users",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": "policyArns",
    "aws:iam/userPoliciesExclusive:UserPoliciesExclusive": "policyNames",
}
LISTS = ("users", "policyArns", "policyNames")


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for rights that are given to a user."""
    prop = GIVEN[resource.type]
    value = at(resource.props, prop)
    if prop in LISTS and (value is UNKNOWN or not items(value)):
        return  # given to nobody, as far as anybody knows
    yield Violation(
        snake(prop), value, "the policy at a group that the user is in, or at a role that the user takes",
        "who leaves or changes work keeps what nobody finds, and a key that leaks has it for ever",
    )  # fmt: skip


USER = next(iter(GIVEN))
ARN = "arn:aws:iam::123456789012:policy/read-models"
USER_POLICIES = Rule(
    name="user-policies",
    group="safety",
    level="advisory",
    description="No rights are given to single users.",
    why="Rights that hang at a person are seen by nobody who looks at groups and roles, and stay when the work ends.",
    change="Attach policies to groups or roles; let people take roles for hours.",
    types=tuple(GIVEN),
    check=check,
    fails=Example((declare(USER, "ann", user="ann", policyArn=ARN),)),
    passes=Example(
        (declare("aws:iam/groupPolicyAttachment:GroupPolicyAttachment", "readers", group="readers", policyArn=ARN),)
    ),
)
