"""What was spent and what it bought, once a week."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pulumi
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.scheduler.schedule import Schedule

from components import function, iam
from components.arguments import Account, Bucket, Input, TextInput, Topic, arguments, if_known
from components.base import Component
from components.bounds import Dollars, FunctionSeconds, MemoryMb, Region, Text

SCHEDULE = "cron(0 6 ? * MON *)"  # in UTC
HANDLER = "costs.function.weekly_report.handler"


@arguments
class CostReportArgs(function.FunctionArgs):
    """What a CostReport is made of; the package is that of `costs.prepare.package`."""

    account: Account
    """AWS account."""
    region: Region
    """AWS region."""
    bucket: Bucket
    """Where the report goes, below `reports/cost/`."""
    topic: Topic
    """ARN of the topic that its summary goes to."""
    budget: TextInput
    """Name of the budget that it reports against."""
    monitor: Annotated[Input[str], if_known(str)] = ""
    """ARN of the anomaly monitor whose anomalies it tells of; none without one."""
    limit_usd: Dollars
    """What may be spent in a month."""
    project: Text
    """Value of the cost tag Project."""
    environment: Text
    """Value of the cost tag Environment."""
    inference_function: TextInput
    """Name of the inference function, whose predictions are counted."""
    inference_log_group: TextInput
    """Name of its log group, where they are counted."""
    memory_mb: MemoryMb = 256
    """Memory; a report takes seconds."""
    timeout_seconds: FunctionSeconds = 300
    """What one report may take at most: Cost Explorer is slow, and throttles."""


class CostReport(Component[CostReportArgs]):
    """A report of what was spent, each Monday at 6 (UTC): to S3 as JSON, HTML and FOCUS, its summary to the topic.

    Produces the function with its role and log group, and a schedule with a role that may call this function only.

    Billed each week: five requests to Cost Explorer. Function, schedule and mails come to cents in a year.
    """

    token = "shoestring:costs:CostReport"
    children: ClassVar = {
        **function.CHILDREN,
        "schedule": "aws:scheduler/schedule:Schedule",
        "schedule_role": "aws:iam/role:Role",
        "schedule_rights": "aws:iam/rolePolicy:RolePolicy",
    }

    function: pulumi.Output[str]
    """Name of the function; invoke it for a report at once."""

    def build(self, name: str, args: CostReportArgs) -> None:
        account = pulumi.Output.from_input(args.account)
        place = pulumi.Output.concat(args.region, ":", account)
        reporter, _ = function.create(
            self,
            name,
            args,
            description="The weekly report of costs",
            handler=HANDLER,
            variables={
                "REPORT_BUCKET": args.bucket,
                "REPORT_PROJECT": args.project,
                "REPORT_ENVIRONMENT": args.environment,
                "REPORT_TOPIC_ARN": args.topic,
                "REPORT_BUDGET_NAME": args.budget,
                "REPORT_MONITOR_ARN": args.monitor,
                "REPORT_FUNCTION": args.inference_function,
                "MONTHLY_LIMIT_USD": str(args.limit_usd),
            },
            rights_name="report",
            rights=pulumi.Output.all(
                bucket=args.bucket,
                topic=args.topic,
                budget=pulumi.Output.concat("arn:aws:budgets::", account, ":budget/", args.budget),
                monitor=args.monitor,
                region=args.region,
                account=account,
                function=pulumi.Output.concat("arn:aws:lambda:", place, ":function:", args.inference_function),
                requests=pulumi.Output.concat("arn:aws:logs:", place, ":log-group:", args.inference_log_group),
            ).apply(lambda parts: iam.report(**parts)),
            code=pulumi.FileArchive(str(args.package)),
        )
        role = Role(
            f"{name}-schedule",
            name=f"{name}-schedule",
            assume_role_policy=account.apply(lambda number: iam.trust("scheduler.amazonaws.com", number)),
            opts=self.child("schedule_role"),
        )
        rights = RolePolicy(
            f"{name}-schedule",
            name="invoke",
            role=role.name,
            policy=reporter.arn.apply(iam.scheduled),
            opts=self.child("schedule_rights"),
        )
        Schedule(
            name,
            name=name,
            description="The weekly report of costs",
            schedule_expression=SCHEDULE,
            schedule_expression_timezone="UTC",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": reporter.arn,
                "role_arn": role.arn,
                "retry_policy": {"maximum_retry_attempts": 2, "maximum_event_age_in_seconds": 3600},
            },
            opts=self.child("schedule", depends_on=[rights]),
        )
        self.function = reporter.name
