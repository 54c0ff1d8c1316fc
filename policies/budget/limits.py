"""The rules `monthly-budget` and `window-budget`: limits for what stays, and for what works and goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from costs.amounts import dollars
from policies.budget.pricing import largest, limit, monthly, runs, source
from policies.money import of_stack
from policies.rule import DEFAULT, Context, Example, Resource, Rule, Stack, Violation, declare
from policies.values import number
from shoestring.base.names import LEASE_TAG, MONTHLY_USD

MONTHLY = {**MONTHLY_USD, DEFAULT: 25}
WINDOWS = {"local": 10, "dev": 10, "staging": 15, "prod": 40, DEFAULT: 10}
JOBS = {"local": 8, "dev": 8, "staging": 12, "prod": 30, DEFAULT: 8}
NUMBERS = {"type": "object", "additionalProperties": {"type": "number"}}


def _schema(what: str, default: Mapping[str, int]) -> dict[str, Any]:
    return {
        **NUMBERS,
        "description": f"{what}, in dollars, by environment; default for the others.",
        "default": default,
    }


def check_monthly(stack: Stack, context: Context) -> Iterator[Violation]:
    """One violation where the month costs more than the limit."""
    costs = of_stack(stack, context)
    total = monthly(costs)
    most, where = limit(context, "limits", "monthlyUsd")
    if most is None or total <= most:
        return
    raised = f"pulumi config set --path shoestring:budget.monthlyUsd {total.to_integral_value('ROUND_CEILING')}"
    lines = [
        f"the stack {context.stack} costs up to {dollars(total)} a month, its limit is {dollars(most)}",
        f"  cost: {dollars(total - most)} a month above the limit; the largest: "
        f"{largest(costs, lambda c: c.monthly.high)}",
        f"  limit: {where}; {source(costs)}",
        f"  change: the largest of these, or the limit: {raised} --stack {context.stack}",
        "  explained by: shoestring policies explain monthly-budget",
    ]
    yield Violation("monthly cost", None, lines[3], message="\n".join(lines))


def check_window(stack: Stack, context: Context) -> Iterator[Violation]:
    """Violations where all that is ephemeral, or one job of it, costs more than its limit in the worst case."""
    costs = of_stack(stack, context)
    total = runs(costs)
    most, where = limit(context, "limits", "windowUsd")
    if most is not None and total > most:
        raised = f"pulumi config set --path shoestring:budget.windowUsd {total.to_integral_value('ROUND_CEILING')}"
        lines = [
            f"the window {context.stack} costs up to {dollars(total)}, its limit is {dollars(most)}",
            f"  cost: {dollars(total - most)} above the limit; the largest: {largest(costs, lambda c: c.run.high)}",
            f"  limit: {where}; {source(costs)}",
            f"  change: max_run or instance_type of these jobs, or the limit: {raised} --stack {context.stack}",
            "  explained by: shoestring policies explain window-budget",
        ]
        yield Violation("worst case", None, lines[3], message="\n".join(lines))
    most_of_one = number(context.here("jobs"))
    for cost in costs:
        if most_of_one is not None and cost.run.high > most_of_one:
            lines = [
                f"{cost.name} ({cost.type}) costs up to {dollars(cost.run.high)} a run, the limit of one job is "
                f"{dollars(most_of_one)}",
                f"  cost: {dollars(cost.run.high - most_of_one)} above the limit: {cost.reason}",
                f"  limit: jobs of the policy configuration, for {context.environment}; {source([cost])}",
                "  change: stopping_condition.max_runtime_in_seconds, resource_config.instance_type or instance_count",
                "  explained by: shoestring policies explain window-budget",
            ]
            resource = stack.by_urn.get(cost.urn)
            yield Violation("worst case", None, lines[3], resource=resource, message="\n".join(lines))


def _job(seconds: int) -> Resource:
    return declare(
        "aws:sagemaker/trainingJob:TrainingJob",
        "churn",
        trainingJobName="churn-3f9a",
        roleArn="arn:aws:iam::123456789012:role/churn",
        resourceConfig={"instanceType": "ml.g4dn.xlarge", "instanceCount": 4, "volumeSizeInGb": 30},
        stoppingCondition={"maxRuntimeInSeconds": seconds, "maxWaitTimeInSeconds": 3 * seconds},
        enableManagedSpotTraining=True,
        tags={LEASE_TAG: "2030-01-31T18:00:00Z"},
    )


def _server(kind: str) -> Resource:
    return declare("aws:ec2/instance:Instance", "tracking", ami="ami-0abcdef1234567890", instanceType=kind)


MONTHLY_BUDGET = Rule(
    name="monthly-budget",
    group="budget",
    description="What a stack costs in a month stays within its environment's limit.",
    why="Nobody looks at a bill before the month is over. The plan is priced at list prices before anything is "
    "created; of a range (unknown values, traffic) the upper end counts.",
    change="Make the plan cheaper, or raise the limit where everybody sees it: "
    "pulumi config set --path shoestring:budget.monthlyUsd 40 for one stack, `limits` of the policy configuration "
    "for all.",
    config={"limits": _schema("Most that a stack may cost in a month", MONTHLY)},
    check_stack=check_monthly,
    fails=Example((_server("m7g.large"),)),
    passes=Example((_server("t4g.nano"),)),
)  # fmt: skip
WINDOW_BUDGET = Rule(
    name="window-budget",
    group="budget",
    description="What a training window costs in the worst case, and each job of it, stays within its limit.",
    why="A job that hangs runs to its stopping condition, and spot capacity may cost as much as capacity on demand: "
    "the worst case is instances × longest run × price on demand.",
    change="Shorten max_run, take a smaller instance or fewer of them, or raise the limit: "
    "pulumi config set --path shoestring:budget.windowUsd 20 for one stack.",
    config={
        "limits": _schema("Most that a window may cost", WINDOWS),
        "jobs": _schema("Most that one job may cost", JOBS),
    },
    check_stack=check_window,
    fails=Example((_job(24 * 3600),), stack="dev-window"),
    passes=Example((_job(7000),), stack="dev-window"),
)  # fmt: skip
