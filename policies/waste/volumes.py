"""The rule `gp3-volumes`: older kinds of disks cost more and do less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from policies.money import saving
from policies.rule import Context, Example, Finding, Resource, Rule, resource
from policies.values import UNKNOWN, at, each, known, number, text

VOLUME, DATABASE = "aws:ebs/volume:Volume", "aws:rds/instance:Instance"
INSTANCE, TEMPLATE = "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"
CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration"
OLD = ("gp2", "io1", "standard")


def disks(found: Resource) -> Iterator[tuple[str, str, Any]]:
    """The disks that a resource sets up: path, the property for the kind, and the block itself."""
    if found.type == VOLUME:
        yield "", "type", found.props
    elif found.type == DATABASE:
        yield "", "storage_type", found.props
    elif found.type == TEMPLATE:
        for place, mapping in enumerate(each(at(found.props, "blockDeviceMappings"))):
            if known(at(mapping, "ebs")):
                yield f"block_device_mappings[{place}].ebs.", "volume_type", at(mapping, "ebs")
    else:
        if known(root := at(found.props, "rootBlockDevice")):
            yield "root_block_device.", "volume_type", root
        for place, block in enumerate(each(at(found.props, "ebsBlockDevices"))):
            yield f"ebs_block_devices[{place}].", "volume_type", block


def check(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for each disk of an older kind, with what gp3 saves at its size."""
    for path, prop, block in disks(found):
        key = {"type": "type", "storage_type": "storageType", "volume_type": "volumeType"}[prop]
        said = at(block, key)
        value = said
        if said is None and found.type == VOLUME:
            value = "gp2"  # what AWS makes of a volume without a type
        if said is None and found.type == DATABASE:
            snapshot = any(at(block, other) for other in ("replicateSourceDb", "snapshotIdentifier"))
            if snapshot or text(at(block, "engine")).startswith("aurora"):
                continue
            value = "io1" if at(block, "iops") else "gp2"
        if value is UNKNOWN or value not in OLD:
            continue
        shown = f"{value} (the default of AWS)" if said is None else value
        yield Finding(f"{path}{prop}", shown, f'{path}{prop}="gp3"', _saving(found, context, prop, block, value))


def _saving(found: Resource, context: Context, prop: str, block: Any, value: str) -> str:
    if found.type == DATABASE:
        now = replace(found, props={**found.props, "storageType": value})
        return saving(now, context, {"storageType": "gp3"})
    size = at(block, "size" if prop == "type" else "volumeSize")
    if number(size) is None:
        old, new = (context.price("ebs", kind, found.region) for kind in (value, "gp3"))
        known = f"{old.usd.normalize():f} $ a month for each GB, gp3 {new.usd.normalize():f} $" if old and new else ""
        return known or f"no list price of {value} is known"
    disk = resource(VOLUME, found.name, type=value, size=size)
    iops = at(block, "iops")
    if value == "io1" and number(iops) is not None:
        disk = replace(disk, props={**disk.props, "iops": iops})
    return saving(replace(disk, region=found.region), context, {"type": "gp3"})


GP3_VOLUMES = Rule(
    name="gp3-volumes",
    group="waste",
    description="Disks are gp3.",
    why="gp3 costs a fifth less than gp2, comes with 3,000 IOPS whatever its size, and more can be bought one by "
    "one; io1 "
    "costs half as much again and bills each operation a second.",
    change="Set the type to gp3; with iops where more than 3,000 are needed.",
    types=(VOLUME, DATABASE, INSTANCE, TEMPLATE, CONFIGURATION),
    check=check,
    fails=Example((resource(VOLUME, "data", availabilityZone="us-east-1a", size=100, type="gp2", encrypted=True),)),
    passes=Example((resource(VOLUME, "data", availabilityZone="us-east-1a", size=100, type="gp3", encrypted=True),)),
)
