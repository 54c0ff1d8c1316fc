"""The rule `provisioned-concurrency`: functions that wait for requests are paid like machines."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from policies.rule import Context, Example, Finding, Resource, Rule, Stack, resource, usd
from policies.values import at, known, number, shown, text

CONFIG = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
FUNCTION = "aws:lambda/function:Function"
SECONDS = Decimal(730 * 3600)


def check(stack: Stack, context: Context) -> Iterator[Finding]:
    """A finding for each configuration of provisioned concurrency."""
    for config in stack.of(CONFIG):
        value = at(config.props, "provisionedConcurrentExecutions")
        function = next(
            (one for one in stack.of(FUNCTION) if stack.covers(config, "functionName", one, ("name", "arn"))), None
        )
        chip = "arm64" if function and "arm64" in (at(function.props, "architectures") or ()) else "x86"
        memory = (function and number(at(function.props, "memorySize"))) or Decimal(128 if function else 1024)
        price, count = context.price("lambda", f"provisioned-concurrency-{chip}", config.region), number(value)
        cost = f"{shown(value)} executions" if known(value) else "unknown"
        if price and count is not None:
            each = price.usd * SECONDS * memory / 1024
            whose = text(at(function.props, "name")) or function.name if function else "a function of 1 GB"
            cost = f"{usd(each * count)} a month before any request ({count:f} × {memory:f} MB of {whose}, {chip})"
        yield Finding("provisioned_concurrent_executions", value, "no provisioned concurrency", cost, config)


def _function() -> Resource:
    role = "arn:aws:iam::123456789012:role/inference"
    return resource(FUNCTION, "inference", name="inference", role=role, memorySize=1024, architectures=["arm64"])


PROVISIONED_CONCURRENCY = Rule(
    name="provisioned-concurrency",
    group="waste",
    description="No function keeps provisioned concurrency.",
    why="It bills every second of a month for what Lambda otherwise starts within a second when somebody asks.",
    change="Remove it; a smaller package and ONNX instead of a framework make cold starts short.",
    check_stack=check,
    fails=Example(
        (
            _function(),
            resource(
                CONFIG, "inference-warm", functionName="inference", qualifier="live", provisionedConcurrentExecutions=2
            ),
        )
    ),
    passes=Example((_function(),)),
)
