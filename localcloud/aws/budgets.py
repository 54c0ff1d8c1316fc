"""What watches over costs: budgets, cost anomaly monitors and their subscriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from localcloud import ACCOUNT
from localcloud.aws.row import Call, Calls, Charge, Json, Listing, Metering, Read, ResourceType, Tags, evaluate, plain

LIMIT = {"BudgetLimit": {"Amount": "=limitAmount", "Unit": "=limitUnit"}, "CostFilters": "=costFilterMap"}
PROPERTIES = "name budgetType timeUnit filterExpression metrics costTypes"
SUBSCRIPTION = "frequency monitorArnLists subscribers thresholdExpression"
SUBSCRIBERS = {"SNS": "SubscriberSnsTopicArns", "EMAIL": "SubscriberEmailAddresses"}
NOTIFICATION = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")
NOTIFICATIONS = """=notifications[].{
    Notification: {NotificationType: notificationType, ComparisonOperator: comparisonOperator,
                   Threshold: threshold, ThresholdType: thresholdType},
    Subscribers: [subscriberSnsTopicArns[].{SubscriptionType: 'SNS', Address: @},
                  subscriberEmailAddresses[].{SubscriptionType: 'EMAIL', Address: @}][]}"""
TAGS = Tags(
    "tag_resource", "untag_resource", "list_tags_for_resource", "ResourceTags", {"ResourceTags": "=tagList"},
    {"ResourceTagKeys": "=removed"},
)  # fmt: skip


def _budget(context: Json) -> Json:
    """The account that a budget is of, and its filters as the requests have them."""
    filters = {item["name"]: item["values"] for item in context.get("costFilters") or []}
    return {"accountId": context.get("accountId") or context["account"], "costFilterMap": filters or None}


def notifications_of(client: Any, account: str, name: str) -> Iterator[tuple[Json, list[Json]]]:
    """A budget's notifications, each with its subscribers."""
    budget = {"AccountId": account, "BudgetName": name}
    for page in client.get_paginator("describe_notifications_for_budget").paginate(**budget):
        for notification in page["Notifications"]:
            answer = client.describe_subscribers_for_notification(**budget, Notification=notification)
            yield notification, answer["Subscribers"]


def _described(client: Any, context: Json, item: Json) -> Json:
    """The budget with notifications and filters in the words of the provider."""
    notifications = []
    for notification, subscribers in notifications_of(client, context["accountId"], context["name"]):
        addresses = {
            member: [subscriber["Address"] for subscriber in subscribers if subscriber["SubscriptionType"] == kind]
            for kind, member in SUBSCRIBERS.items()
        }
        notifications.append({**{member: notification[member] for member in NOTIFICATION}, **addresses})
    filters = [{"Name": name, "Values": values} for name, values in item.get("CostFilters", {}).items()]
    return {**item, "Notifications": notifications, "CostFilters": filters}


def _change_notifications(client: Any, context: Json) -> None:
    """Replaces a budget's notifications, as the official provider does."""
    budget = {"AccountId": context["accountId"], "BudgetName": context["name"]}
    for notification, _ in list(notifications_of(client, context["accountId"], context["name"])):
        client.delete_notification(**budget, Notification=notification)
    for notification in evaluate(NOTIFICATIONS, context) or []:
        client.create_notification(**budget, **notification)


def _specification(context: Json) -> Json:
    """A monitor's specification, which is JSON text, as the structure that Cost Explorer wants, without its nulls."""
    written = context.get("monitorSpecification")
    return {"specification": plain(json.loads(written)) if written else None}


def _paid(client: Any, budget: Json) -> Json:
    """The first two budgets of an account are free."""
    pages = client.get_paginator("describe_budgets").paginate(AccountId=ACCOUNT)
    names = [item["BudgetName"] for page in pages for item in page.get("Budgets", [])]
    return {"paid": budget["BudgetName"] in names[2:]}


TYPES = (
    ResourceType(
        "budgets", "budget", Listing("describe_budgets", "Budgets", "BudgetName", arguments={"AccountId": ACCOUNT}),
        Calls(
            "{accountId}:{name}",
            {"AccountId": "=accountId", "BudgetName": "=name", "ResourceARN": "=arn", "ShowFilterExpression": True},
            create=(Call("create_budget", {"Budget": LIMIT, "ResourceTags": "=tagList",
                         "NotificationsWithSubscribers": NOTIFICATIONS}, PROPERTIES, "Budget"),),
            read=(Read("describe_budget", "Budget"),),
            update=(Call("update_budget", {"NewBudget": LIMIT}, PROPERTIES, "NewBudget",
                         on="limitAmount limitUnit filterExpression metrics costTypes costFilters budgetType timeUnit"),
                    ),
            tags=TAGS,
            names={"name": "budgetname"},
            computed={
                "arn": "arn:aws:budgets::{accountId}:budget/{name}",
                "accountId": "=accountId",
                "limitAmount": "=item.BudgetLimit.Amount", "limitUnit": "=item.BudgetLimit.Unit",
                "metrics": "=item.Metrics[0]",
            },
            prepare=_budget,
            prepared="costFilters",
            complete=_described,
            change=_change_notifications,
            changes="notifications",
        ),
        metering=Metering(
            (Charge("AWS Budgets", "BudgetsUsage", "", ("budgets", "budget"), when="paid"),),
            begins=("CreateBudget",), ends=("DeleteBudget",), more_facts=_paid,
            tagged=("list_tags_for_resource", "ResourceARN",
                    f"join('', ['arn:aws:budgets::{ACCOUNT}:budget/', BudgetName])", "ResourceTags"),
        ),
    ),
    ResourceType(
        "ce", "anomaly-monitor", Listing("get_anomaly_monitors", "AnomalyMonitors", "MonitorName"),
        Calls(
            "=answer.MonitorArn", {"MonitorArn": "=id", "MonitorArnList": ["=id"], "ResourceArn": "=id"},
            create=(Call("create_anomaly_monitor",
                         {"AnomalyMonitor": {"MonitorSpecification": "=specification"}, "ResourceTags": "=tagList"},
                         "name monitorType monitorDimension", "AnomalyMonitor"),),
            update=(Call("update_anomaly_monitor", {"MonitorName": "=name"}, on="name"),),
            tags=TAGS,
            names={"name": "monitorname"},
            computed={"arn": "=id"},
            prepare=_specification,
            prepared="monitorSpecification",
        ),
        unmetered="anomaly detection is free",
    ),
    ResourceType(
        "ce", "anomaly-subscription", Listing("get_anomaly_subscriptions", "AnomalySubscriptions", "SubscriptionName"),
        Calls(
            "=answer.SubscriptionArn",
            {"SubscriptionArn": "=id", "SubscriptionArnList": ["=id"], "ResourceArn": "=id"},
            create=(Call("create_anomaly_subscription", {"ResourceTags": "=tagList"}, f"{SUBSCRIPTION} name",
                         "AnomalySubscription"),),
            update=(Call("update_anomaly_subscription", walk=SUBSCRIPTION),),
            tags=TAGS,
            names={"name": "subscriptionname"},
            computed={"arn": "=id"},
        ),
        unmetered="anomaly detection is free",
    ),
    ResourceType(
        "ce", "request",  # nothing stands: each question is billed
        usage={"explorer-requests": Charge("AWS Cost Explorer", "USE1-APIRequest", "GetCostAndUsage",
                                           ("costexplorer", "request"))},
    ),
)  # fmt: skip
