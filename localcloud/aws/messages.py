"""What carries messages: topics, queues, schedules, rules."""

from __future__ import annotations

import json

from localcloud.aws.row import Call, Calls, Json, Listing, Read, ResourceType, Tags

REQUESTS = "billed by requests, which are not metered"
SCHEDULE = (
    "actionAfterCompletion description endDate flexibleTimeWindow kmsKeyArn scheduleExpression "
    "scheduleExpressionTimezone startDate state target"
)
LATE = "must allow AWS EventBridge Scheduler to assume the role"


def _default_policy(context: Json) -> Json:
    """The policy of a topic that has none of its own: its account alone."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:Publish", "SNS:Subscribe"],
        "Resource": context["arn"],
        "Condition": {"StringEquals": {"AWS:SourceOwner": context["account"]}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    return {"defaultPolicy": json.dumps(policy)}


def _attribute(operation: str, name: str, value: str, on: str) -> Call:
    """A call that changes one of SNS's attributes."""
    return Call(operation, {"AttributeName": name, "AttributeValue": value}, on=on)


TYPES = (
    ResourceType(
        "sns", "topic", Listing("list_topics", "Topics", "TopicArn"),
        Calls(
            "=answer.TopicArn", {"TopicArn": "=id", "ResourceArn": "=id"},
            create=(Call("create_topic", {
                "Name": "=name", "Tags": "=tagList",
                "Attributes": {"DisplayName": "=displayName", "KmsMasterKeyId": "=kmsMasterKeyId"},
            }),),
            read=(Read("get_topic_attributes", "Attributes"),),
            update=(
                _attribute("set_topic_attributes", "DisplayName", "=displayName || ''", "displayName"),
                _attribute("set_topic_attributes", "KmsMasterKeyId", "=kmsMasterKeyId || ''", "kmsMasterKeyId"),
            ),
            tags=Tags("tag_resource", "untag_resource", "list_tags_for_resource"),
            imported="arn:aws:sns:{region}:{account}:{name}",
            computed={"arn": "=id", "name": "=name"},
        ),
        unmetered=REQUESTS,
    ),
    ResourceType(
        "sns", "topic-policy", parent="sns/topic",
        calls=Calls(
            "{arn}", {"TopicArn": "=arn", "AttributeName": "Policy"},
            put=(Call("set_topic_attributes", walk="policy"),),
            read=(Read("get_topic_attributes", "Attributes"),),
            delete=(Call("set_topic_attributes", {"AttributeValue": "=defaultPolicy"}),),
            names={"policy": "attributevalue"},
            computed={"policy": "=item.Policy", "arn": "=id", "owner": "=account"},
            prepare=_default_policy,
        ),
    ),
    ResourceType(
        "sns", "subscription", Listing("list_subscriptions", "Subscriptions", "SubscriptionArn"),
        Calls(
            "=answer.SubscriptionArn", {"SubscriptionArn": "=id"},
            create=(Call("subscribe", {
                "Attributes": {"FilterPolicy": "=filterPolicy", "FilterPolicyScope": "=filterPolicyScope"},
                "ReturnSubscriptionArn": True,
            }, "topic protocol endpoint"),),
            read=(Read("get_subscription_attributes", "Attributes"),),
            delete=(Call("unsubscribe"),),
            update=(
                _attribute("set_subscription_attributes", "FilterPolicy", "=filterPolicy || '{}'", "filterPolicy"),
            ),
            names={"topic": "topicarn"},
            computed={"arn": "=id", "ownerId": "=account",
                      "pendingConfirmation": "=item.PendingConfirmation == 'true'",
                      "confirmationWasAuthenticated": "=item.ConfirmationWasAuthenticated == 'true'"},
        ),
        "aws:sns/topicSubscription:TopicSubscription",
        unmetered=REQUESTS,
    ),
    ResourceType(
        "scheduler", "schedule", Listing("list_schedules", "Schedules", "Name"),
        Calls(
            "{groupName}/{name}", {"Name": "=name", "GroupName": "=groupName"},
            create=(Call("create_schedule", walk=SCHEDULE, late=LATE),),
            update=(Call("update_schedule", walk=SCHEDULE, late=LATE),),
            prepare=lambda context: {"groupName": context.get("groupName") or "default"},
        ),
        unmetered=REQUESTS,
    ),
    ResourceType(
        "scheduler", "schedule-group",
        Listing("list_schedule_groups", "ScheduleGroups", "Name", "Name != 'default'"), unmetered=REQUESTS,
    ),
    ResourceType("events", "rule", Listing("list_rules", "Rules", "Name"), unmetered=REQUESTS),
    ResourceType("events", "bus", Listing("list_event_buses", "EventBuses", "Name", "Name != 'default'"),
                 unmetered=REQUESTS),
    ResourceType("sqs", "queue", Listing("list_queues", "QueueUrls", "@"), unmetered=REQUESTS),
    ResourceType("stepfunctions", "state-machine", Listing("list_state_machines", "stateMachines", "name"),
                 unmetered="billed by transitions, which are not metered"),
)  # fmt: skip
