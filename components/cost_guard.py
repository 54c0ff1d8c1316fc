"""The budget of an environment, and what happens when it is spent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pulumi
from pulumi_aws.budgets.budget import Budget
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.costexplorer.anomaly_monitor import AnomalyMonitor
from pulumi_aws.costexplorer.anomaly_subscription import AnomalySubscription
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.lambda_.function import Function
from pulumi_aws.lambda_.permission import Permission
from pulumi_aws.sns.topic import Topic
from pulumi_aws.sns.topic_policy import TopicPolicy
from pulumi_aws.sns.topic_subscription import TopicSubscription
from pulumi_aws.ssm.parameter import Parameter

from components import policies
from components.money import PricedComponent
from costs.gate import OPEN_TEXT

if TYPE_CHECKING:
    from pulumi_aws.budgets import BudgetNotificationArgsDict

HANDLER = "costs.function.guard.handler"
ACTUAL, FORECASTED = (50, 80, 100), (100,)  # per cent of the limit


@dataclass(frozen=True)
class CostGuardArgs:
    """What a CostGuard is made of."""

    account: pulumi.Input[str]
    """AWS account."""
    region: str
    """AWS region, for the price."""
    package: Path
    """The functions' zip (`costs.prepare.package`)."""
    gate: str
    """Name of the parameter that closes the environment, like /shoestring/dev/window-gate."""
    limit_usd: Decimal
    """What may be spent in a month; at 100 % of it no new training window comes up."""
    tags: Mapping[str, str]
    """The cost tags whose resources count, each with its value: all must fit."""
    anomaly_tag: str = "Environment"
    """Which of `tags` the anomaly monitor follows; a monitor takes one."""
    anomaly_usd: Decimal = Decimal(1)
    """The least impact in dollars of an anomaly that is told."""
    email: str | None = None
    """Who gets the alarms by mail, and must confirm that once; the first 1000 mails a month are free."""
    encryption_key: str | None = None
    """A KMS key for the topic, which is billed by the month. Its own key policy must let budgets.amazonaws.com and
    costalerts.amazonaws.com use it; AWS's free `alias/aws/sns` lets neither, so the default is none: the messages hold
    names and sums of money, no secrets."""
    python: str = "3.12"
    """Version of Python that the package was built for."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Processor; arm64 costs a fifth less for each second."""
    memory_mb: int = 128
    """Memory; it is called some five times a month."""
    timeout_seconds: int = 60
    """What one alarm may take at most."""
    log_retention_days: int = 90
    """Days that its log stays: some lines for each alarm."""


def filter_of(tags: Mapping[str, str]) -> Any:
    """The budget's filter: all tags must fit. `cost_filters` leave open whether several tags mean all or any."""
    parts = [{"tags": {"key": key, "values": [value], "match_options": ["EQUALS"]}} for key, value in tags.items()]
    return parts[0] if len(parts) == 1 else {"ands": parts}


def monitored(key: str, value: str) -> str:
    """An anomaly monitor's specification, with the empty parts that AWS writes itself into it."""
    empty: dict[str, Any] = dict.fromkeys(("And", "CostCategories", "Dimensions", "Not", "Or"))
    return json.dumps({**empty, "Tags": {"Key": key, "MatchOptions": None, "Values": [value]}})


class CostGuard(PricedComponent):
    """A monthly budget by cost tags that closes the environment to new training windows when it is spent.

    Alarms at 50, 80 and 100 % of what was spent and at 100 % of what is forecast, and anomalies as soon as they are
    found, go to one topic: to the owner by mail, and to a function that sets the gate's parameter at 100 % spent. The
    budget counts nothing before the cost allocation tags are active in the payer's account (`docs/budgets.md`).

    Produces the budget, a topic with its policy and subscriptions, an anomaly monitor (on a tag of its own, for an
    account may have only one by service) with its subscription, the function with role, log group and permission, and
    the gate, whose value Pulumi leaves alone once it is made.

    Billed while it stands: the budget, as a further one (the first two of an account are free). Topic, monitor and
    parameter are free, and the function runs for seconds a month. An alarm that AWS Budgets has not caught up with
    costs a request to Cost Explorer.
    """

    topic: pulumi.Output[str]
    """ARN of the topic that carries all alarms."""
    budget: pulumi.Output[str]
    """Name of the budget."""
    gate: pulumi.Output[str]
    """Name of the parameter."""
    function: pulumi.Output[str]
    """Name of the guard's function."""

    def __init__(self, name: str, args: CostGuardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shoestring:costs:CostGuard", name, opts, args.region)
        self.name, self.args = name, args
        self.child = child = pulumi.ResourceOptions(parent=self)
        topic = Topic(name, name=name, kms_master_key_id=args.encryption_key, opts=child)
        gate = Parameter(
            name,
            name=args.gate,
            type="String",
            value=OPEN_TEXT,
            description="Whether new training windows may come up; closed by the budget's guard",
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["value"]),
        )
        function = self._function(gate, topic)
        heard = self._heard(topic, function)
        self._budget(topic, heard)
        self._anomalies(topic, heard)
        self.topic, self.gate, self.function = topic.arn, gate.name, function.name
        self.budget = pulumi.Output.from_input(name)
        self.register_outputs(
            {
                "topic": self.topic,
                "budget": self.budget,
                "gate": self.gate,
                "function": self.function,
            }
        )

    def _function(self, gate: Parameter, topic: Topic) -> Function:
        name, args, child = self.name, self.args, self.child
        logs = LogGroup(name, name=f"/aws/lambda/{name}", retention_in_days=args.log_retention_days, opts=child)
        role = Role(name, name=name, assume_role_policy=policies.trust("lambda.amazonaws.com"), opts=child)
        budget = pulumi.Output.concat("arn:aws:budgets::", args.account, f":budget/{name}")
        rights = RolePolicy(
            name,
            name="guard",
            role=role.name,
            policy=pulumi.Output.all(gate.arn, budget, logs.arn).apply(lambda arns: policies.guard(*arns)),
            opts=child,
        )
        function = Function(
            name,
            name=name,
            description="Closes the environment to new training windows when its budget is spent",
            runtime=f"python{args.python}",
            handler=HANDLER,
            architectures=[args.architecture],
            code=pulumi.FileArchive(str(args.package)),
            role=role.arn,
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            logging_config={"log_format": "Text", "log_group": logs.name},
            environment={"variables": {"GUARD_BUDGET": name, "GUARD_ACCOUNT": args.account, "GUARD_GATE": gate.name}},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights]),
        )
        Permission(
            name,
            statement_id="alarms",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="sns.amazonaws.com",
            source_arn=topic.arn,
            opts=child,
        )
        return function

    def _heard(self, topic: Topic, function: Function) -> list[pulumi.Resource]:
        """The topic's policy and who listens: all of it is there before the first alarm can be sent."""
        name, child = self.name, self.child
        policy = pulumi.Output.all(topic.arn, self.args.account).apply(lambda parts: policies.alarms(*parts))
        heard: list[pulumi.Resource] = [
            TopicPolicy(name, arn=topic.arn, policy=policy, opts=child),
            TopicSubscription(name, topic=topic.arn, protocol="lambda", endpoint=function.arn, opts=child),
        ]
        if self.args.email:
            heard.append(
                TopicSubscription(
                    f"{name}-mail", topic=topic.arn, protocol="email", endpoint=self.args.email, opts=child
                )
            )
        return heard

    def _budget(self, topic: Topic, heard: list[pulumi.Resource]) -> None:
        thresholds = [("ACTUAL", share) for share in ACTUAL] + [("FORECASTED", share) for share in FORECASTED]
        notifications: list[BudgetNotificationArgsDict] = [
            {
                "notification_type": kind,
                "comparison_operator": "GREATER_THAN",
                "threshold": share,
                "threshold_type": "PERCENTAGE",
                "subscriber_sns_topic_arns": [topic.arn],
            }
            for kind, share in thresholds
        ]
        Budget(
            self.name,
            name=self.name,
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(self.args.limit_usd),
            limit_unit="USD",
            filter_expression=filter_of(self.args.tags),
            metrics="UnblendedCost",
            notifications=notifications,
            opts=pulumi.ResourceOptions(parent=self, depends_on=heard),
        )

    def _anomalies(self, topic: Topic, heard: list[pulumi.Resource]) -> None:
        key = self.args.anomaly_tag
        monitor = AnomalyMonitor(
            self.name,
            name=self.name,
            monitor_type="CUSTOM",
            monitor_specification=monitored(key, self.args.tags[key]),
            opts=self.child,
        )
        AnomalySubscription(
            self.name,
            name=self.name,
            frequency="IMMEDIATE",
            monitor_arn_lists=[monitor.arn],
            subscribers=[{"type": "SNS", "address": topic.arn}],
            threshold_expression={
                "dimension": {
                    "key": "ANOMALY_TOTAL_IMPACT_ABSOLUTE",
                    "match_options": ["GREATER_THAN_OR_EQUAL"],
                    "values": [str(self.args.anomaly_usd)],
                }
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=heard),
        )
