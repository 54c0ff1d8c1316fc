"""The rule `provisioned-concurrency`: functions that wait for requests are paid like machines."""

from __future__ import annotations

from collections.abc import Iterator

from policies.money import month
from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.values import at, text

CONFIG = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
FUNCTION = "aws:lambda/function:Function"


def check(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each configuration of provisioned concurrency."""
    for config in stack.of(CONFIG):
        function = next(
            (target for target in stack.of(FUNCTION) if stack.covers(config, "functionName", target, ("name", "arn"))),
            None,
        )
        whose = f" of {text(at(function.props, 'name')) or function.name}" if function else ""
        cost = f"{month(config, context, [function] if function else [])}, before any request{whose}"
        value = at(config.props, "provisionedConcurrentExecutions")
        yield Violation("provisioned_concurrent_executions", value, "no provisioned concurrency", cost, config)


def _function() -> Resource:
    role = "arn:aws:iam::123456789012:role/inference"
    return declare(FUNCTION, "inference", name="inference", role=role, memorySize=1024, architectures=["arm64"])


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
            declare(
                CONFIG, "inference-warm", functionName="inference", qualifier="live", provisionedConcurrentExecutions=2
            ),
        )
    ),
    passes=Example((_function(),)),
)
