"""Where a program says which disks it has, and which of its machines have disks that it says nothing about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.rule import Resource
from policies.shapes.machines import BATCH, CONFIGURATION, INSTANCE, NODES, SPOT_FLEET, SPOT_REQUEST, TEMPLATE
from policies.values import UNKNOWN, at, items, known

VOLUME, DATABASE = "aws:ebs/volume:Volume", "aws:rds/instance:Instance"
MACHINES = (INSTANCE, SPOT_REQUEST, CONFIGURATION, SPOT_FLEET, TEMPLATE)
ROOT = "block_device_mappings[root].ebs."
# Names of devices that no image starts from; a disk of another name, or of none, may be the root.
DATA_DEVICE = re.compile(r"(?:/dev/)?(?:sd|xvd)[b-z]\w*")


@dataclass(frozen=True)
class Disk:
    """One disk: where it is set up (a path with its dot, or nothing), the property of its type, what is said of it.

    `block` is None for a root disk that comes from the image alone: it is as the image has it.
    """

    path: str
    key: str
    block: Any
    root: bool = False


def disks(resource: Resource) -> Iterator[Disk]:
    """The disks that a resource sets up, or starts machines with; none where that is not known."""
    if resource.type == VOLUME:
        yield Disk("", "type", resource.props)
    elif resource.type == DATABASE:
        yield Disk("", "storageType", resource.props)
    elif resource.type == TEMPLATE:
        yield from _mapped(at(resource.props, "blockDeviceMappings"))
    elif resource.type == SPOT_FLEET:
        for place, specification in enumerate(items(at(resource.props, "launchSpecifications"))):
            roots = at(specification, "rootBlockDevices")
            yield from _blocks(f"launch_specifications[{place}].", roots, specification, "root_block_devices[0]")
    elif resource.type == NODES:
        if at(resource.props, "launchTemplate") is None:
            yield Disk(f"launch_template.{ROOT}", "volumeType", None, root=True)
    elif resource.type == BATCH:
        resources = at(resource.props, "computeResources")
        if at(resources, "type") in ("EC2", "SPOT") and at(resources, "launchTemplate") is None:
            yield Disk(f"compute_resources.launch_template.{ROOT}", "volumeType", None, root=True)
    else:
        yield from _blocks("", at(resource.props, "rootBlockDevice"), resource.props, "root_block_device")


def _mapped(mappings: Any) -> Iterator[Disk]:
    """The disks of a launch template."""
    if mappings is UNKNOWN:
        return
    has_root = False
    for place, mapping in enumerate(items(mappings)):
        if known(at(mapping, "virtualName")) or known(at(mapping, "noDevice")):
            continue  # no disk of EBS
        root = _may_be_root(mapping)
        has_root |= root
        block = at(mapping, "ebs")
        yield Disk(f"block_device_mappings[{place}].ebs.", "volumeType", {} if block is None else block, root)
    if not has_root:
        yield Disk(ROOT, "volumeType", None, root=True)


def _blocks(path: str, roots: Any, settings: Any, name: str) -> Iterator[Disk]:
    """The disks of a machine that are written at the machine itself."""
    blocks = at(settings, "ebsBlockDevices")
    for root in items(roots):
        yield Disk(f"{path}{name}.", "volumeType", root, root=True)
    for place, block in enumerate(items(blocks)):
        yield Disk(f"{path}ebs_block_devices[{place}].", "volumeType", block, not items(roots) and _may_be_root(block))
    elsewhere = UNKNOWN in (roots, blocks) or at(settings, "launchTemplate") is not None
    if not (elsewhere or items(roots) or any(map(_may_be_root, items(blocks)))):
        yield Disk(f"{path}{name}.", "volumeType", None, root=True)


def _may_be_root(block: Any) -> bool:
    device = at(block, "deviceName")
    return not (isinstance(device, str) and DATA_DEVICE.fullmatch(device))
