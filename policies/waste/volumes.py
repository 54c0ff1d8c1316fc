"""The rule `gp3-volumes`: older kinds of disks cost more and do less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from policies.money import now_and_mended, rate, saving
from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.disks import DATABASE, MACHINES, VOLUME, Disk, disks
from policies.shapes.machines import INSTANCE, SPOT_REQUEST
from policies.values import UNKNOWN, at, number, snake, text

OLD = ("gp2", "io1")  # `standard` costs less for each GB than gp3, and bills each operation: nothing surely saved


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for each disk of an older kind, with what gp3 saves at its size."""
    for disk in disks(resource):
        if disk.block is None:
            continue  # as the image has it
        written = at(disk.block, disk.key)
        kind = _by_default(resource, disk) if written is None else written
        if kind is UNKNOWN or kind not in OLD:
            continue
        sample, key, sized = _alone(resource, disk, kind)
        now, then = now_and_mended(sample, context, {key: "gp3"})
        if "unpriced" not in (now.status, then.status) and then.monthly.high > now.monthly.high:
            continue  # gp3 would cost more
        if sized:
            words = saving(sample, context, {key: "gp3"})
        else:
            old, new = (
                rate(sample, context, kind),
                rate(replace(sample, props={**sample.props, key: "gp3"}), context, "gp3"),
            )
            words = f"{old}, gp3 {new}" if old and new else f"no list price of {kind} is known"
        shown = f"{kind} (the default of AWS)" if written is None else kind
        prop = f"{disk.path}{snake(disk.key)}"
        yield Violation(prop, shown, f'{prop}="gp3"', words)


def _by_default(resource: Resource, disk: Disk) -> str | None:
    """What AWS makes of a disk without a type; None where nobody can say."""
    if resource.type == VOLUME:
        return "gp2"
    if resource.type == DATABASE:
        copied = any(at(disk.block, key) for key in ("replicateSourceDb", "snapshotIdentifier", "restoreToPointInTime"))
        if copied or text(at(disk.block, "engine")).startswith("aurora"):
            return None
        return "io1" if at(disk.block, "iops") else "gp2"
    return "gp2" if resource.type in (INSTANCE, SPOT_REQUEST) and not disk.root else None


def _alone(resource: Resource, disk: Disk, kind: str) -> tuple[Resource, str, bool]:
    """A disk as a resource of its own, the property of its type, and whether its size is known; else it has 1 GB."""
    if resource.type == DATABASE:
        return replace(resource, props={**resource.props, "storageType": kind}), "storageType", True
    size = at(disk.block, "size" if resource.type == VOLUME else "volumeSize")
    sized = number(size) is not None
    props: dict[str, Any] = {"type": kind, "size": size if sized else 1}
    if kind == "io1" and number(at(disk.block, "iops")) is not None:
        props["iops"] = at(disk.block, "iops")
    return replace(declare(VOLUME, resource.name, **props), region=resource.region), "type", sized


GP3_VOLUMES = Rule(
    name="gp3-volumes",
    group="waste",
    description="Disks are gp3.",
    why="gp3 costs a fifth less than gp2, comes with 3,000 IOPS whatever its size, and more can be bought one by "
    "one; io1 costs half as much again and bills each operation a second. Magnetic disks (standard) are left alone: "
    "they cost less for each GB, and what they bill for operations no plan knows.",
    change="Set the type to gp3; with iops where more than 3,000 are needed.",
    types=(VOLUME, DATABASE, *MACHINES),
    check=check,
    fails=Example((declare(VOLUME, "data", availabilityZone="us-east-1a", size=100, type="gp2", encrypted=True),)),
    passes=Example((declare(VOLUME, "data", availabilityZone="us-east-1a", size=100, type="gp3", encrypted=True),)),
)
