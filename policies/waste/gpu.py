"""The rule `always-on-gpu`: accelerators run while somebody needs them, and say until when."""

from __future__ import annotations

from collections.abc import Iterator

from policies.money import machines
from policies.rule import Context, Example, Rule, Stack, Violation, declare
from policies.shapes.machines import INSTANCE, accelerated, leased, running
from shoestring.base.names import LEASE_TAG


def check(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each accelerated machine that runs all the time without a lease."""
    for machine in running(stack):
        if accelerated(machine.kind) and not leased(machine.resource):
            change = (
                "a training job on spot capacity, a smallest size of 0, or "
                f"tags={{{LEASE_TAG!r}: 'until when, in UTC'}} where the reaper may end it"
            )
            yield Violation(machine.prop, machine.kind, change, machines(machine, context), machine.resource)


ALWAYS_ON_GPU = Rule(
    name="always-on-gpu",
    group="waste",
    description="Nothing with a GPU or another accelerator runs all the time.",
    why="A g4dn.xlarge, a small GPU instance, costs {ec2 g4dn.xlarge}, whether it works or not: more than everything "
    "else here.",
    change=f"Train in jobs that end, infer on Lambda or scale to zero, or give the machine the tag {LEASE_TAG}.",
    check_stack=check,
    fails=Example((declare(INSTANCE, "notebook", ami="ami-0abcdef1234567890", instanceType="g4dn.xlarge"),)),
    passes=Example(
        (
            declare(
                INSTANCE, "notebook", ami="ami-0abcdef1234567890", instanceType="g4dn.xlarge",
                tags={LEASE_TAG: "2030-01-31T18:00:00Z"},
            ),
        )
    ),
)  # fmt: skip
