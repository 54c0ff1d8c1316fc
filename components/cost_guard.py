"""The budget of an environment, and what happens when it is spent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import pulumi
from pulumi_aws.budgets.budget import Budget
from pulumi_aws.costexplorer.anomaly_monitor import AnomalyMonitor
from pulumi_aws.costexplorer.anomaly_subscription import AnomalySubscription
from pulumi_aws.lambda_.function import Function
from pulumi_aws.lambda_.permission import Permission
from pulumi_aws.sns.topic import Topic
from pulumi_aws.sns.topic_policy import TopicPolicy
from pulumi_aws.sns.topic_subscription import TopicSubscription
from pulumi_aws.ssm.parameter import Parameter
from pydantic import Field, model_validator

from components import function, iam
from components.arguments import Account, arguments
from components.base import Component
from components.bounds import Anomalies, Dollars, Email, ParameterName, Region, Text
from costs.gate import OPEN_TEXT
from shoestring.base import names

HANDLER = "costs.function.guard.handler"
ALARMS = (("ACTUAL", 50), ("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))  # per cent of the limit


@arguments
class CostGuardArgs(function.FunctionArgs):
    """What a CostGuard is made of; the package is that of `costs.prepare.package`."""

    account: Account
    """AWS account."""
    region: Region
    """AWS region, for the price."""
    gate: ParameterName
    """Name of the parameter that closes the environment, like /shoestring/dev/window-gate."""
    limit_usd: Dollars
    """What may be spent in a month; at 100 % of it no new training window comes up."""
    tags: Annotated[Mapping[str, str], Field(min_length=1, examples=[{"Environment": "dev"}])]
    """The cost tags whose resources count, each with its value: all must fit."""
    anomalies: Anomalies = "tag"
    """What AWS looks for anomalies in: what carries a tag (which AWS refuses in a member account of an organization),
    each service of the whole account (of which an account may have one monitor only), or nothing. All are free."""
    anomaly_tag: Text = names.ENVIRONMENT_TAG
    """Which of `tags` the anomaly monitor follows; a monitor takes one."""
    anomaly_usd: Dollars = Decimal(1)
    """The least impact in dollars of an anomaly that is reported."""
    email: Email | None = None
    """Who gets the alarms by mail, and must confirm that once; the first 1000 mails a month are free."""
    encryption_key: Text | None = None
    """A KMS key for the topic, which is billed by the month. Its own key policy must let budgets.amazonaws.com and
    costalerts.amazonaws.com use it; AWS's free `alias/aws/sns` lets neither, so the default is none: the messages hold
    names and sums of money, no secrets."""

    @model_validator(mode="after")
    def _follows_one_of_the_tags(self) -> CostGuardArgs:
        if self.anomaly_tag not in self.tags:
            raise ValueError(f"anomaly_tag is {self.anomaly_tag!r}: expected one of {', '.join(self.tags)}")
        return self


def filter_of(tags: Mapping[str, str]) -> Any:
    """The budget's filter: all tags must fit. `cost_filters` leave open whether several tags mean all or any."""
    parts = [{"tags": {"key": key, "values": [value], "match_options": ["EQUALS"]}} for key, value in tags.items()]
    return parts[0] if len(parts) == 1 else {"ands": parts}


def monitored(key: str, value: str) -> str:
    """An anomaly monitor's specification, with the empty parts that AWS writes itself into it."""
    empty: dict[str, Any] = dict.fromkeys(("And", "CostCategories", "Dimensions", "Not", "Or"))
    return json.dumps({**empty, "Tags": {"Key": key, "MatchOptions": None, "Values": [value]}})


class CostGuard(Component[CostGuardArgs]):
    """A monthly budget by cost tags that closes the environment to new training windows when it is spent.

    Alarms at 50, 80 and 100 % of what was spent and at 100 % of what is forecast, and anomalies as soon as they are
    found, go to one topic: to the owner by mail, and to a function that sets the gate's parameter at 100 % spent. The
    budget counts nothing before the cost allocation tags are active in the payer's account (`docs/budgets.md`).

    Produces the budget, a topic with its policy and subscriptions, an anomaly monitor with its subscription unless
    `anomalies` is `none`, the function with role, log group and permission, and the gate, whose value Pulumi leaves
    alone once it is made.

    Billed while it stands: the budget, as a further one (the first two of an account are free). Topic, monitor and
    parameter are free, and the function runs for seconds a month. An alarm that AWS Budgets has not caught up with
    costs a request to Cost Explorer.
    """

    token = "shoestring:costs:CostGuard"
    children: ClassVar = {
        **function.CHILDREN,
        "permission": "aws:lambda/permission:Permission",
        "gate": "aws:ssm/parameter:Parameter",
        "topic": "aws:sns/topic:Topic",
        "topic_policy": "aws:sns/topicPolicy:TopicPolicy",
        "function_subscription": "aws:sns/topicSubscription:TopicSubscription",
        "mail_subscription": "aws:sns/topicSubscription:TopicSubscription",
        "budget": "aws:budgets/budget:Budget",
        "anomaly_monitor": "aws:costexplorer/anomalyMonitor:AnomalyMonitor",
        "anomaly_subscription": "aws:costexplorer/anomalySubscription:AnomalySubscription",
    }

    topic: pulumi.Output[str]
    """ARN of the topic that carries all alarms."""
    budget: pulumi.Output[str]
    """Name of the budget."""
    gate: pulumi.Output[str]
    """Name of the parameter."""
    function: pulumi.Output[str]
    """Name of the guard's function."""
    anomaly_monitor: pulumi.Output[str]
    """ARN of the monitor; empty where there is none."""

    def build(self, name: str, args: CostGuardArgs) -> None:
        topic = Topic(name, name=name, kms_master_key_id=args.encryption_key, opts=self.child("topic"))
        gate = Parameter(
            name,
            name=args.gate,
            type="String",
            value=OPEN_TEXT,
            description="Whether new training windows may come up; closed by the budget's guard",
            opts=self.child("gate", ignore_changes=["value"]),
        )
        guard = self._guard(name, args, gate, topic)
        listeners = self._listeners(name, args, topic, guard)
        self._budget(name, args, topic, listeners)
        self.anomaly_monitor = pulumi.Output.from_input("")
        if args.anomalies != "none":
            self.anomaly_monitor = self._anomalies(name, args, topic, listeners)
        self.topic, self.gate, self.function = topic.arn, gate.name, guard.name
        self.budget = pulumi.Output.from_input(name)

    def _guard(self, name: str, args: CostGuardArgs, gate: Parameter, topic: Topic) -> Function:
        budget = pulumi.Output.concat("arn:aws:budgets::", args.account, f":budget/{name}")
        guard, _ = function.create(
            self,
            name,
            args,
            description="Closes the environment to new training windows when its budget is spent",
            handler=HANDLER,
            variables={"GUARD_BUDGET": name, "GUARD_ACCOUNT": args.account, "GUARD_GATE": gate.name},
            rights_name="guard",
            rights=pulumi.Output.all(gate.arn, budget).apply(lambda arns: iam.guard(*arns)),
            code=pulumi.FileArchive(str(args.package)),
        )
        Permission(
            name,
            statement_id="alarms",
            action="lambda:InvokeFunction",
            function=guard.name,
            principal="sns.amazonaws.com",
            source_arn=topic.arn,
            opts=self.child("permission"),
        )
        return guard

    def _listeners(self, name: str, args: CostGuardArgs, topic: Topic, guard: Function) -> list[pulumi.Resource]:
        """The topic's policy and subscriptions: all of it is there before the first alarm can be sent."""
        policy = pulumi.Output.all(topic.arn, args.account).apply(lambda parts: iam.alarms(*parts))
        listeners: list[pulumi.Resource] = [
            TopicPolicy(name, arn=topic.arn, policy=policy, opts=self.child("topic_policy")),
            TopicSubscription(
                name,
                topic=topic.arn,
                protocol="lambda",
                endpoint=guard.arn,
                opts=self.child("function_subscription"),
            ),
        ]
        if args.email:
            listeners.append(
                TopicSubscription(
                    f"{name}-mail",
                    topic=topic.arn,
                    protocol="email",
                    endpoint=args.email,
                    opts=self.child("mail_subscription"),
                )
            )
        return listeners

    def _budget(self, name: str, args: CostGuardArgs, topic: Topic, listeners: list[pulumi.Resource]) -> None:
        Budget(
            name,
            name=name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(args.limit_usd),
            limit_unit="USD",
            filter_expression=filter_of(args.tags),
            metrics="UnblendedCost",
            notifications=[
                {
                    "notification_type": kind,
                    "comparison_operator": "GREATER_THAN",
                    "threshold": share,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_sns_topic_arns": [topic.arn],
                }
                for kind, share in ALARMS
            ],
            opts=self.child("budget", depends_on=listeners),
        )

    def _anomalies(
        self, name: str, args: CostGuardArgs, topic: Topic, listeners: list[pulumi.Resource]
    ) -> pulumi.Output[str]:
        by_tag = args.anomalies == "tag"
        monitor = AnomalyMonitor(
            name,
            name=name,
            monitor_type="CUSTOM" if by_tag else "DIMENSIONAL",
            monitor_dimension=None if by_tag else "SERVICE",
            monitor_specification=monitored(args.anomaly_tag, args.tags[args.anomaly_tag]) if by_tag else None,
            opts=self.child("anomaly_monitor"),
        )
        AnomalySubscription(
            name,
            name=name,
            frequency="IMMEDIATE",
            monitor_arn_lists=[monitor.arn],
            subscribers=[{"type": "SNS", "address": topic.arn}],
            threshold_expression={
                "dimension": {
                    "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "match_options": ["GREATER_THAN_OR_EQUAL"],
                    "values": [str(args.anomaly_usd)],
                }
            },
            opts=self.child("anomaly_subscription", depends_on=listeners),
        )
        return monitor.arn
