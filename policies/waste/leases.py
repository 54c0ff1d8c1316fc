"""The rule `ephemeral-lease`: what works and goes says until when, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.machines import SPOT_FLEET, SPOT_REQUEST, lease
from policies.values import at, number, text
from policies.waste.training import JOB, TUNING
from shoestring.base.names import LEASE_TAG, window

EPHEMERAL = (JOB, TUNING, SPOT_REQUEST, SPOT_FLEET)


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation where an ephemeral resource has no lease, or any resource one that ends too late."""
    tags = at(resource.props, "tags")
    until = lease(resource)
    prop = f"tags[{LEASE_TAG!r}]"
    if resource.type in EPHEMERAL and until is None and (tags is None or isinstance(tags, dict)):
        yield Violation(
            prop, None,
            f"a stack {window(context.environment)}, whose lease shoestring:leaseHours sets, or "
            f"tags={{{LEASE_TAG!r}: {_end(context, 4)!r}}}",
            "nothing ends it when nobody does: whatever it costs an hour, until somebody looks",
        )  # fmt: skip
    if not text(until):
        return
    try:
        end = datetime.fromisoformat(text(until))
    except ValueError:
        return  # cost-tags says what is wrong with it
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    most = number(context.here("maxHours"))
    seconds = int((end - context.now).total_seconds())
    if most is not None and seconds > most * 3600 + 60:
        yield Violation(
            prop, until,
            f"{LEASE_TAG} no later than {_end(context, int(most))} (pulumi config set shoestring:leaseHours {most:f}), "
            "and a longer lease when that one ends",
            f"{seconds // 3600} h may be paid before anyone may remove it; {most:f} are allowed in "
            f"{context.environment}",
        )  # fmt: skip


def _end(context: Context, hours: int) -> str:
    return (context.now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _job(tags: dict[str, str]) -> Resource:
    return declare(
        JOB, "churn", trainingJobName="churn-3f9a", roleArn="arn:aws:iam::123456789012:role/churn", tags=tags
    )


EPHEMERAL_LEASE = Rule(
    name="ephemeral-lease",
    group="waste",
    description="Jobs and spot requests carry a lease, and no lease is longer than its environment allows.",
    why="A lease is the moment after which anyone, the reaper too, may remove a resource: it bounds what a forgotten "
    "window costs.",
    change=f"Run jobs in a window, whose resources all carry {LEASE_TAG}; shorten shoestring:leaseHours or leaseUntil.",
    config={
        "maxHours": {
            "type": "object", "additionalProperties": {"type": "number"}, "default": {"default": 168},
            "description": "Hours that a lease may last, by environment; default for the others.",
        }
    },
    check=check,
    fails=Example((_job({LEASE_TAG: "2030-12-31T00:00:00Z"}),)),
    passes=Example((_job({LEASE_TAG: "2030-01-31T18:00:00Z"}),)),
)  # fmt: skip
