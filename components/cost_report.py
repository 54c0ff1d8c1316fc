"""What was spent and what it bought, once a week."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.lambda_.function import Function
from pulumi_aws.scheduler.schedule import Schedule

from components import policies
from components.money import PricedComponent

SCHEDULE = "cron(0 6 ? * MON *)"  # in UTC
HANDLER = "costs.function.weekly_report.handler"


@dataclass(frozen=True)
class CostReportArgs:
    """What a CostReport is made of."""

    account: pulumi.Input[str]
    """AWS account."""
    region: str
    """AWS region."""
    package: Path
    """The functions' zip (`costs.prepare.package`)."""
    bucket: pulumi.Input[str]
    """Where the report goes, below `reports/cost/`."""
    topic: pulumi.Input[str]
    """ARN of the topic that its summary goes to."""
    budget: pulumi.Input[str]
    """Name of the budget that it reports against."""
    limit_usd: Decimal
    """What may be spent in a month."""
    project: str
    """Value of the cost tag Project."""
    environment: str
    """Value of the cost tag Environment."""
    inference_function: pulumi.Input[str]
    """Name of the inference function, whose predictions are counted."""
    inference_log_group: pulumi.Input[str]
    """Name of its log group, where they are counted."""
    python: str = "3.12"
    """Version of Python that the package was built for."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Processor; arm64 costs a fifth less for each second."""
    memory_mb: int = 256
    """Memory; a report takes seconds."""
    timeout_seconds: int = 300
    """What one report may take at most: Cost Explorer is slow, and throttles."""
    log_retention_days: int = 90
    """Days that its log stays."""


class CostReport(PricedComponent):
    """A report of what was spent, each Monday at 6 (UTC): to S3 as JSON, HTML and FOCUS, its summary to the topic.

    Produces the function with its role and log group, and a schedule with a role that may call this function only.

    Billed each week: five requests to Cost Explorer. Function, schedule and mails come to cents in a year.
    """

    function: pulumi.Output[str]
    """Name of the function; invoke it for a report at once."""

    def __init__(self, name: str, args: CostReportArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shoestring:costs:CostReport", name, opts, args.region)
        child = pulumi.ResourceOptions(parent=self)
        logs = LogGroup(name, name=f"/aws/lambda/{name}", retention_in_days=args.log_retention_days, opts=child)
        role = Role(name, name=name, assume_role_policy=policies.trust("lambda.amazonaws.com"), opts=child)
        own = pulumi.Output.from_input(args.account)
        here = pulumi.Output.concat(args.region, ":", own)
        rights = RolePolicy(
            name,
            name="report",
            role=role.name,
            policy=pulumi.Output.all(
                bucket=args.bucket,
                topic=args.topic,
                budget=pulumi.Output.concat("arn:aws:budgets::", own, ":budget/", args.budget),
                region=args.region,
                account=own,
                function=pulumi.Output.concat("arn:aws:lambda:", here, ":function:", args.inference_function),
                requests=pulumi.Output.concat("arn:aws:logs:", here, ":log-group:", args.inference_log_group),
                log_group=logs.arn,
            ).apply(lambda parts: policies.report(**parts)),
            opts=child,
        )
        function = Function(
            name,
            name=name,
            description="The weekly report of costs",
            runtime=f"python{args.python}",
            handler=HANDLER,
            architectures=[args.architecture],
            code=pulumi.FileArchive(str(args.package)),
            role=role.arn,
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            logging_config={"log_format": "Text", "log_group": logs.name},
            environment={
                "variables": {
                    "REPORT_BUCKET": args.bucket,
                    "REPORT_PROJECT": args.project,
                    "REPORT_ENVIRONMENT": args.environment,
                    "REPORT_TOPIC_ARN": args.topic,
                    "REPORT_BUDGET_NAME": args.budget,
                    "REPORT_FUNCTION": args.inference_function,
                    "MONTHLY_LIMIT_USD": str(args.limit_usd),
                }
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights]),
        )
        caller = Role(
            f"{name}-schedule",
            name=f"{name}-schedule",
            assume_role_policy=own.apply(lambda account: policies.trust("scheduler.amazonaws.com", account)),
            opts=child,
        )
        may = RolePolicy(
            f"{name}-schedule",
            name="invoke",
            role=caller.name,
            policy=function.arn.apply(policies.scheduled),
            opts=child,
        )
        Schedule(
            name,
            name=name,
            description="The weekly report of costs",
            schedule_expression=SCHEDULE,
            schedule_expression_timezone="UTC",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": function.arn,
                "role_arn": caller.arn,
                "retry_policy": {"maximum_retry_attempts": 2, "maximum_event_age_in_seconds": 3600},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[may]),
        )
        self.function = function.name
        self.register_outputs({"function": self.function})
