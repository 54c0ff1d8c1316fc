"""The rule `always-on-gpu`: accelerators run while somebody needs them, and say until when."""

from __future__ import annotations

from collections.abc import Iterator

from policies.money import machine
from policies.rule import Context, Example, Finding, Rule, Stack, resource
from policies.waste.machines import INSTANCE, LEASE, accelerated, leased, running


def check(stack: Stack, context: Context) -> Iterator[Finding]:
    """A finding for each accelerated machine that runs all the time without a lease."""
    for found in running(stack):
        if accelerated(found.kind) and not leased(found.resource):
            yield Finding(
                found.prop,
                found.kind,
                f"a training job on spot capacity, a smallest size of 0, or tags={{{LEASE!r}: 'until when, in UTC'}} "
                "where the reaper may end it",
                machine(context, found.service, found.kind, found.resource, found.count),
                found.resource,
            )


ALWAYS_ON_GPU = Rule(
    name="always-on-gpu",
    group="waste",
    description="Nothing with a GPU or another accelerator runs all the time.",
    why="A g4dn.xlarge, a small GPU instance, costs {ec2 g4dn.xlarge}, whether it works or not: more than everything "
    "else here.",
    change=f"Train in jobs that end, infer on Lambda or scale to zero, or give the machine the tag {LEASE}.",
    check_stack=check,
    fails=Example((resource(INSTANCE, "notebook", ami="ami-0abcdef1234567890", instanceType="g4dn.xlarge"),)),
    passes=Example(
        (
            resource(
                INSTANCE, "notebook", ami="ami-0abcdef1234567890", instanceType="g4dn.xlarge",
                tags={LEASE: "2030-01-31T18:00:00Z"},
            ),
        )
    ),
)  # fmt: skip
