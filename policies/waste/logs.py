"""The rule `log-retention`: logs end some day."""

from __future__ import annotations

from collections.abc import Iterator

from policies.money import rate
from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.values import UNKNOWN, at, number

GROUP = "aws:cloudwatch/logGroup:LogGroup"


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for logs that stay for ever, or longer than the configuration says."""
    days, most = at(resource.props, "retentionInDays"), number(context.config["maxDays"])
    kept = number(days)
    if days is UNKNOWN or (kept and (most is None or kept <= most)):
        return
    price = rate(resource, context, "logs-storage")
    length = f"{kept:f} days long" if kept else "for ever: 10 GB a month are 120 GB after a year"
    yield Violation("retention_in_days", days, "retention_in_days=14", f"{price + ', ' if price else ''}{length}")


LOG_RETENTION = Rule(
    name="log-retention",
    group="waste",
    description="Log groups forget.",
    why="CloudWatch keeps logs for ever unless told otherwise, and bills them every month.",
    change="Set retention_in_days.",
    types=(GROUP,),
    config={
        "maxDays": {"type": "number", "minimum": 1, "default": 400, "description": "Days that logs may stay at most."}
    },
    check=check,
    fails=Example((declare(GROUP, "inference", name="/aws/lambda/inference"),)),
    passes=Example((declare(GROUP, "inference", name="/aws/lambda/inference", retentionInDays=14),)),
)
