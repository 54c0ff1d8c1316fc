"""The rule `log-retention`: logs end some day."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Context, Example, Finding, Resource, Rule, resource
from policies.values import UNKNOWN, at, number

GROUP = "aws:cloudwatch/logGroup:LogGroup"


def check(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for logs that stay for ever, or longer than the configuration says."""
    days, most = at(found.props, "retentionInDays"), number(context.config["maxDays"])
    kept = number(days)
    if days is UNKNOWN or (kept and (most is None or kept <= most)):
        return
    price = context.price("cloudwatch", "logs-storage", found.region)
    rate = f"{price.usd.normalize():f} $ a month for each GB, " if price else ""
    length = f"{kept:f} days long" if kept else "for ever: 10 GB a month are 120 GB after a year"
    yield Finding("retention_in_days", days, "retention_in_days=14", f"{rate}{length}")


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
    fails=Example((resource(GROUP, "inference", name="/aws/lambda/inference"),)),
    passes=Example((resource(GROUP, "inference", name="/aws/lambda/inference", retentionInDays=14),)),
)
