"""`shoestring doctor -e ENV`: whether the owner gets the environment's alarms by e-mail."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shoestring.base import aws, names
from shoestring.base.errors import UserError
from shoestring.environment import program_configuration
from shoestring.setup.doctor import Check
from stacks.settings import PlatformSettings, read

PENDING, DELETED = "PendingConfirmation", "Deleted"  # what AWS lists in place of a subscription's ARN


def examine_mail(environment: str) -> list[Check]:
    """A check of the owner's subscription to the alarms; none where nothing is mailed, or no platform is up."""
    try:
        settings = read(environment, program_configuration(environment))
    except UserError:  # said by the check of the quotas, which reads the same
        return []
    if not isinstance(settings, PlatformSettings) or not settings.alarms_by_mail:
        return []
    try:
        state = _state(settings)
    except (ClientError, BotoCoreError) as error:
        mend = f"the rights sns:List* and sns:GetSubscriptionAttributes, then: shoestring doctor -e {environment}"
        return [Check("mail", False, f"not known: whether {settings.owner} gets the alarms: {error}", mend,
                      needed=False, unknown=True)]  # fmt: skip
    if state is None:
        return []
    if state == "confirmed":
        return [Check("mail", True, f"{settings.owner} gets the alarms")]
    again = f"pulumi up --refresh --stack {environment} --policy-pack policies"
    if state == "pending":
        found = f"{settings.owner} has not confirmed the alarms: 48 hours after its e-mail AWS deletes the subscription"
        mend = f'the link in "AWS Notification - Subscription Confirmation"; after 48 hours: {again}'
    else:
        found, mend = f"{settings.owner} gets no alarms: there is no subscription (unconfirmed, or unsubscribed)", again
    return [Check("mail", False, found, mend, needed=False)]


def _state(settings: PlatformSettings) -> str | None:
    """`confirmed`, `pending` or `missing`; None where the environment has no topic."""
    account = aws.client("sts").get_caller_identity()["Account"]
    topic = names.resource(settings.environment, names.COST_GUARD)
    sns = aws.client("sns", region_name=settings.region)
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(
        TopicArn=f"arn:aws:sns:{settings.region}:{account}:{topic}"
    )
    try:
        listed = [item for page in pages for item in page["Subscriptions"]]
    except sns.exceptions.NotFoundException:
        return None
    mine = [item for item in listed if (item["Protocol"], item["Endpoint"]) == ("email", settings.owner)]
    arns = [item["SubscriptionArn"] for item in mine if item["SubscriptionArn"] != DELETED]
    if not arns:
        return "missing"
    return "confirmed" if any(_confirmed(sns, arn) for arn in arns) else "pending"


def _confirmed(sns: Any, arn: str) -> bool:
    """Whether a subscription is; an emulated account lists the ARN of one that is not."""
    if arn == PENDING:
        return False
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return str(attributes.get(PENDING, "false")).lower() != "true"
