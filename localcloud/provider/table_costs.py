"""Budgets, cost anomalies, SNS, schedules, and who may call a function."""

from __future__ import annotations

import json
from typing import Any

from localcloud.provider.kinds import Call, Kind, Read, Tags, words

BUDGET = {"AccountId": "=accountId || account", "BudgetName": "=name"}
BUDGET_WORDS = words("name budgetType timeUnit filterExpression metrics costTypes")
BUDGET_BODY = {"BudgetLimit": {"Amount": "=limitAmount", "Unit": "=limitUnit"}, "CostFilters": "=costFilterMap"}
MONITOR = {"MonitorArn": "=id"}
ANOMALIES = {"SubscriptionArn": "=id"}
ANOMALIES_WORDS = words("frequency monitorArnLists subscribers thresholdExpression")
TOPIC = {"TopicArn": "=id"}
SUBSCRIPTION = {"SubscriptionArn": "=id"}
STATEMENT = {"FunctionName": "=function", "StatementId": "=statementId", "Qualifier": "=qualifier"}
SCHEDULE = {"Name": "=name", "GroupName": "=groupName"}
SCHEDULE_WORDS = words(
    "actionAfterCompletion description endDate flexibleTimeWindow kmsKeyArn scheduleExpression "
    "scheduleExpressionTimezone startDate state target"
)
COST_TAGS = Tags(
    Call("tag_resource", {"ResourceArn": "=arn", "ResourceTags": "=tagList"}),
    Call("untag_resource", {"ResourceArn": "=arn", "ResourceTagKeys": "=removed"}),
    listing=Read("list_tags_for_resource", {"ResourceArn": "=arn"}),
    member="ResourceTags",
)


def _notification(given: dict[str, Any]) -> dict[str, Any]:
    """A budget's notification as the requests for it have it, with its subscribers."""
    kinds = (("SNS", "subscriberSnsTopicArns"), ("EMAIL", "subscriberEmailAddresses"))
    return {
        "Notification": {
            "NotificationType": given["notificationType"],
            "ComparisonOperator": given["comparisonOperator"],
            "Threshold": given["threshold"],
            "ThresholdType": given["thresholdType"],
        },
        "Subscribers": [
            {"SubscriptionType": kind, "Address": address} for kind, key in kinds for address in given.get(key) or []
        ],
    }


def _budget(context: dict[str, Any]) -> dict[str, Any]:
    filters = {each["name"]: each["values"] for each in context.get("costFilters") or []}
    return {
        "notificationList": [_notification(each) for each in context.get("notifications") or []] or None,
        "costFilterMap": filters or None,
    }


def _notifications(client: Any, context: dict[str, Any]) -> list[dict[str, Any]]:
    of = {"AccountId": context["account"], "BudgetName": context["name"]}
    pages = client.get_paginator("describe_notifications_for_budget").paginate(**of)
    return [found for page in pages for found in page["Notifications"]]


def _look_at_budget(client: Any, context: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """The budget with notifications and filters in the words of the provider."""
    of = {"AccountId": context["account"], "BudgetName": context["name"]}
    told = []
    for found in _notifications(client, context):
        asked = {key: found[key] for key in ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")}
        answer = client.describe_subscribers_for_notification(**of, Notification=asked)["Subscribers"]
        for kind, key in (("SNS", "SubscriberSnsTopicArns"), ("EMAIL", "SubscriberEmailAddresses")):
            asked[key] = [each["Address"] for each in answer if each["SubscriptionType"] == kind]
        told.append(asked)
    filters = [{"Name": name, "Values": values} for name, values in item.get("CostFilters", {}).items()]
    return {**item, "Notifications": told, "CostFilters": filters}


def _change_notifications(client: Any, context: dict[str, Any]) -> None:
    """Replaces a budget's notifications, as the official provider does."""
    of = {"AccountId": context["account"], "BudgetName": context["name"]}
    for found in _notifications(client, context):
        found.pop("NotificationState", None)
        client.delete_notification(**of, Notification=found)
    for each in context["notificationList"] or []:
        client.create_notification(**of, **each)


def _specification(context: dict[str, Any]) -> dict[str, Any]:
    """A monitor's specification, which is JSON text, as the structure that Cost Explorer wants, without its nulls."""
    text = context.get("monitorSpecification")
    return {"specification": _without_nulls(json.loads(text)) if text else None}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _topic(context: dict[str, Any]) -> dict[str, Any]:
    chosen = {"DisplayName": context.get("displayName"), "KmsMasterKeyId": context.get("kmsMasterKeyId")}
    return {"attributes": {name: value for name, value in chosen.items() if value} or None}


def _subscription(context: dict[str, Any]) -> dict[str, Any]:
    raw = context.get("rawMessageDelivery")
    chosen = {
        "FilterPolicy": context.get("filterPolicy"),
        "FilterPolicyScope": context.get("filterPolicyScope"),
        "RawMessageDelivery": None if raw is None else str(raw).lower(),
    }
    return {"attributes": {name: value for name, value in chosen.items() if value} or None, **chosen}


def _own_policy(context: dict[str, Any]) -> dict[str, Any]:
    """The policy of a topic that has none of its own: its account alone."""
    arn = context.get("arn") or context["id"]
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:Publish", "SNS:Subscribe"],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": context["account"]}},
    }
    return {"ownPolicy": json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})}


def _look_at_statement(client: Any, context: dict[str, Any], item: dict[str, Any]) -> dict[str, Any] | None:
    """One statement of a function's policy, by its id; None where it is not there."""
    found = [each for each in json.loads(item["Policy"])["Statement"] if each["Sid"] == context["statementId"]]
    if not found:
        return None
    principal = found[0]["Principal"]
    conditions = {key.lower(): value for each in found[0].get("Condition", {}).values() for key, value in each.items()}
    return {
        "StatementId": found[0]["Sid"],
        "Action": found[0]["Action"],
        "Principal": principal if isinstance(principal, str) else next(iter(principal.values())),
        "SourceArn": conditions.get("aws:sourcearn"),
        "SourceAccount": conditions.get("aws:sourceaccount"),
    }


def _attribute(operation: str, ids: dict[str, Any], name: str, value: str, on: str) -> Call:
    """A call that changes one of SNS's attributes."""
    return Call(operation, {**ids, "AttributeName": name, "AttributeValue": value}, on=words(on))


COSTS = {
    "aws:budgets/budget:Budget": Kind(
        "budgets",
        "join(':', [accountId || account, name])",
        (
            Call(
                "create_budget",
                {"AccountId": "=accountId || account", "Budget": BUDGET_BODY, "ResourceTags": "=tagList",
                 "NotificationsWithSubscribers": "=notificationList"},
                BUDGET_WORDS, "Budget",
            ),
        ),
        (Read("describe_budget", {**BUDGET, "ShowFilterExpression": True}, "Budget"),),
        (Call("delete_budget", BUDGET),),
        (
            Call("update_budget", {"AccountId": "=accountId || account", "NewBudget": BUDGET_BODY}, BUDGET_WORDS,
                 "NewBudget",
                 on=words("limitAmount limitUnit filterExpression metrics costTypes costFilters budgetType timeUnit")),
        ),
        Tags(
            Call("tag_resource", {"ResourceARN": "=arn", "ResourceTags": "=tagList"}),
            Call("untag_resource", {"ResourceARN": "=arn", "ResourceTagKeys": "=removed"}),
            listing=Read("list_tags_for_resource", {"ResourceARN": "=arn"}), member="ResourceTags",
        ),
        parts=r"(?P<accountId>\d+):(?P<name>.+)",
        name="name",
        names={"name": "budgetname"},
        computed={
            "arn": "join('', ['arn:aws:budgets::', accountId || account, ':budget/', name])",
            "accountId": "accountId || account",
            "limitAmount": "item.BudgetLimit.Amount", "limitUnit": "item.BudgetLimit.Unit",
            "metrics": "item.Metrics[0]",
        },
        prepare=_budget,
        prepared=words("costFilters notifications"),
        look=_look_at_budget,
        change=_change_notifications,
        changes=words("notifications"),
    ),
    "aws:costexplorer/anomalyMonitor:AnomalyMonitor": Kind(
        "ce",
        "answer.MonitorArn",
        (
            Call(
                "create_anomaly_monitor",
                {"AnomalyMonitor": {"MonitorSpecification": "=specification"}, "ResourceTags": "=tagList"},
                words("name monitorType monitorDimension"), "AnomalyMonitor",
            ),
        ),
        (Read("get_anomaly_monitors", {"MonitorArnList": ["=id"]}, "AnomalyMonitors[0]"),),
        (Call("delete_anomaly_monitor", MONITOR),),
        (Call("update_anomaly_monitor", {**MONITOR, "MonitorName": "=name"}, on=words("name")),),
        COST_TAGS,
        name="name",
        names={"name": "monitorname"},
        computed={"arn": "id"},
        prepare=_specification,
        prepared=words("monitorSpecification"),
    ),
    "aws:costexplorer/anomalySubscription:AnomalySubscription": Kind(
        "ce",
        "answer.SubscriptionArn",
        (
            Call("create_anomaly_subscription", {"AnomalySubscription": {}, "ResourceTags": "=tagList"},
                 ANOMALIES_WORDS | words("name"), "AnomalySubscription"),
        ),
        (Read("get_anomaly_subscriptions", {"SubscriptionArnList": ["=id"]}, "AnomalySubscriptions[0]"),),
        (Call("delete_anomaly_subscription", ANOMALIES),),
        (Call("update_anomaly_subscription", ANOMALIES, ANOMALIES_WORDS, on=ANOMALIES_WORDS),),
        COST_TAGS,
        name="name",
        names={"name": "subscriptionname"},
        computed={"arn": "id"},
    ),
    "aws:sns/topic:Topic": Kind(
        "sns",
        "answer.TopicArn",
        (Call("create_topic", {"Name": "=name", "Attributes": "=attributes", "Tags": "=tagList"}),),
        (Read("get_topic_attributes", TOPIC, "Attributes"),),
        (Call("delete_topic", TOPIC),),
        (
            _attribute("set_topic_attributes", TOPIC, "DisplayName", "=displayName || ''", "displayName"),
            _attribute("set_topic_attributes", TOPIC, "KmsMasterKeyId", "=kmsMasterKeyId || ''", "kmsMasterKeyId"),
        ),
        Tags(
            Call("tag_resource", {"ResourceArn": "=id", "Tags": "=tagList"}),
            Call("untag_resource", {"ResourceArn": "=id", "TagKeys": "=removed"}),
            listing=Read("list_tags_for_resource", {"ResourceArn": "=id"}),
        ),
        parts=r"(?:[^:]+:){5}(?P<name>.+)",
        name="name",
        computed={"arn": "id", "name": "name"},
        prepare=_topic,
        prepared=words("displayName kmsMasterKeyId"),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Kind(
        "sns",
        "arn",
        (Call("set_topic_attributes", {"AttributeName": "Policy"}, words("arn policy")),),
        (Read("get_topic_attributes", TOPIC, "Attributes"),),
        (Call("set_topic_attributes", {**TOPIC, "AttributeName": "Policy", "AttributeValue": "=ownPolicy"}),),
        (Call("set_topic_attributes", {"AttributeName": "Policy"}, words("arn policy"), on=words("policy")),),
        parts=r"(?P<arn>.+)",
        names={"arn": "topicarn", "policy": "attributevalue"},
        computed={"policy": "item.Policy", "arn": "id", "owner": "account"},
        prepare=_own_policy,
    ),
    "aws:sns/topicSubscription:TopicSubscription": Kind(
        "sns",
        "answer.SubscriptionArn",
        (
            Call("subscribe", {"Attributes": "=attributes", "ReturnSubscriptionArn": True},
                 words("topic protocol endpoint")),
        ),
        (Read("get_subscription_attributes", SUBSCRIPTION, "Attributes"),),
        (Call("unsubscribe", SUBSCRIPTION),),
        (
            _attribute("set_subscription_attributes", SUBSCRIPTION, "FilterPolicy", "=FilterPolicy || '{}'",
                       "filterPolicy"),
            _attribute("set_subscription_attributes", SUBSCRIPTION, "RawMessageDelivery",
                       "=RawMessageDelivery || 'false'", "rawMessageDelivery"),
        ),
        names={"topic": "topicarn"},
        computed={"arn": "id", "ownerId": "account", "pendingConfirmation": "item.PendingConfirmation == 'true'",
                  "confirmationWasAuthenticated": "item.ConfirmationWasAuthenticated == 'true'"},
        prepare=_subscription,
        prepared=words("filterPolicy filterPolicyScope rawMessageDelivery"),
    ),
    "aws:lambda/permission:Permission": Kind(
        "lambda",
        "statementId",
        (
            Call("add_permission", {},
                 words("function statementId action principal sourceArn sourceAccount qualifier")),
        ),
        (Read("get_policy", {"FunctionName": "=function", "Qualifier": "=qualifier"}),),
        (Call("remove_permission", STATEMENT),),
        parts=r"(?P<function>[^/]+)/(?P<statementId>.+)",  # of an import
        name="statementId",
        names={"function": "functionname"},
        computed={"function": "function", "qualifier": "qualifier"},
        look=_look_at_statement,
    ),
    "aws:scheduler/schedule:Schedule": Kind(
        "scheduler",
        "join('/', [groupName || 'default', name])",
        (Call("create_schedule", {}, SCHEDULE_WORDS | words("name groupName")),),
        (Read("get_schedule", SCHEDULE),),
        (Call("delete_schedule", SCHEDULE),),
        (Call("update_schedule", SCHEDULE, SCHEDULE_WORDS, on=SCHEDULE_WORDS),),
        parts=r"(?P<groupName>[^/]+)/(?P<name>.+)",
        name="name",
        computed={"arn": "item.Arn"},
    ),
}  # fmt: skip
