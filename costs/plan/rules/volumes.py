"""What disks cost, wherever a machine gets them from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.plan.rules.base import UNKNOWN, Pricing

TYPES = ("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard")
SIZES = 1, 65536  # GB, as EBS allows
IOPS, THROUGHPUT = (100, 256_000), (125, 2000)  # a second, and MB/s, as EBS allows
INCLUDED = {"gp3": {"iops": Decimal(3000), "throughput": Decimal(125)}, "io1": {}, "io2": {}}
ROOTS = ("/dev/xvda", "/dev/sda1")
ROOT_TYPE, DATA_TYPE = "gp3", "gp2"  # of a root disk as today's images say; of others as the provider says
ANY: Mapping[str, Any] = {"volumeSize": UNKNOWN, "volumeType": UNKNOWN}
MAPPINGS = "blockDeviceMappings"  # of launch templates: what is said of a disk stands in `ebs`
VOLUME, SNAPSHOT = "aws:ebs/volume:Volume", "aws:ebs/snapshot:Snapshot"


def disk(
    p: Pricing,
    settings: Mapping[str, Any],
    count: Range = ONE,
    what: str = "",
    default_type: str = DATA_TYPE,
    size: str = "volumeSize",
    kind: str = "volumeType",
) -> None:
    """The charges of `count` disks with these settings; where no size is said, that of its snapshot counts."""
    chosen = p.get(kind, default_type, settings)
    label = f"{what} " if what else ""
    if p.get(size, None, settings) is not None:
        gigabytes = p.amount(size, 8, SIZES, settings)
    elif (copied := _of_snapshot(p, settings)) is not None:
        gigabytes = copied
    else:
        p.at_least(f"the size of its {label}volume is that of a snapshot outside the plan")
        return
    if not isinstance(chosen, str):
        _of_any_type(p, settings, gigabytes * count, count)
        return
    p.add(f"{label}{chosen} volume", gigabytes * count, "ebs", chosen)
    if chosen not in INCLUDED:
        return
    included = INCLUDED[chosen].get("iops", Decimal(0))
    operations, above = p.amount("iops", included or IOPS[0], IOPS, settings), f" above {included}" if included else ""
    p.add(f"{label}{chosen} operations{above}", operations.between(included), "ebs", f"{chosen}-iops", times=count)
    if "throughput" in INCLUDED[chosen]:
        rate = p.amount("throughput", THROUGHPUT[0], THROUGHPUT, settings)
        p.add(f"{label}gp3 MB/s above 125", rate.between(Decimal(125)), "ebs", "gp3-throughput", times=count)


def _of_snapshot(p: Pricing, settings: Mapping[str, Any]) -> Range | None:
    """The size of the volume of which a disk's snapshot was taken; None where the plan does not know it."""
    snapshots = p.world.referred(p.resource, "snapshotId", SNAPSHOT, p.get("snapshotId", of=settings))
    volumes = [
        volume
        for snapshot in snapshots
        for volume in p.world.referred(snapshot, "volumeId", VOLUME, snapshot.inputs.get("volumeId"))
    ]
    sizes = [p.amount("size", 0, SIZES, volume.inputs) for volume in volumes if volume.inputs.get("size") is not None]
    return Range.spanning(sizes) if sizes else None


def _of_any_type(p: Pricing, settings: Mapping[str, Any], gigabytes: Range, count: Range) -> None:
    """The charges of disks whose type is unknown: of the cheapest type, up to those of the dearest with all it can."""
    p.any_of("volume", gigabytes, "ebs", [kind for kind in TYPES if p.known("ebs", kind)])
    p.note("its volume type is unknown")
    operations = p.amount("iops", 0, (0, IOPS[1]), settings).maybe
    p.add("operations, if they are paid for", operations * count, "ebs", "io2-iops")
    rate = p.amount("throughput", 0, (0, THROUGHPUT[1]), settings).maybe
    p.add("MB/s, if they are paid for", rate * count, "ebs", "gp3-throughput")


def of_machine(
    p: Pricing, layers: Sequence[tuple[Any, str, str]], count: Range, root_gb: int | Range | None = None
) -> None:
    """The disks of `count` machines.

    Args:
        layers: settings with the properties of their root disk and of their disks; the own ones first, then those of
            the template that they replace.
        root_gb: the size of the root disk where nobody says it; the usage file's unless given.
    """
    named: dict[str, Mapping[str, Any]] = {}
    nameless: list[Mapping[str, Any]] = []
    own: dict[str, Any] = {}
    for settings, root_path, path in reversed(layers):
        root = p.get(root_path, {}, settings) if root_path else {}
        root = root[0] if isinstance(root, list) and root else root
        own |= ANY if root is UNKNOWN else root or {}
        if p.get(path, of=settings) is UNKNOWN and path == MAPPINGS:
            own |= ANY
        elif p.get(path, of=settings) is UNKNOWN:
            p.note("its further disks are unknown: none or one")
            disk(p, ANY, count.maybe)
        for block in p.items(path, settings):
            _place(block, path, named, nameless)
    mapped: Mapping[str, Any] = next((named.pop(name) for name in ROOTS if name in named), {})
    root = {**mapped, **own}
    if root.get("volumeSize") is None and _of_snapshot(p, root) is None:
        root["volumeSize"] = p.use("ec2", "root_gb") if root_gb is None else root_gb
    disk(p, root, count.maybe if nameless and not mapped and not own else count, "root", ROOT_TYPE)
    for settings in named.values():
        disk(p, settings, count)
    for settings in nameless:  # any of them may be the root disk that the own one replaces
        disk(p, settings, count.maybe if own and not mapped else count)


def _place(block: Any, path: str, named: dict[str, Mapping[str, Any]], nameless: list[Mapping[str, Any]]) -> None:
    """Puts one disk of a list among those whose device is known, or is not."""
    if block is UNKNOWN:
        nameless.append(ANY)
        return
    name = block.get("deviceName")
    settings = block.get("ebs") if path == MAPPINGS else block
    if block.get("noDevice") or block.get("virtualName"):
        named.pop(name, None)
    elif isinstance(name, str):
        named[name] = ANY if settings is UNKNOWN else settings or {}
    else:
        nameless.append(ANY if settings is UNKNOWN else settings or {})


def volume(p: Pricing) -> None:
    """An EBS volume of its own."""
    disk(p, p.resource.inputs, size="size", kind="type")


def snapshot(p: Pricing) -> None:
    """A snapshot: at most the size of its volume, as it holds what was written."""
    sizes = [p.amount("size", 1, SIZES, source.inputs) for source in p.referred("volumeId", VOLUME)]
    if not sizes:
        p.unpriced("the size of its volume is not in the plan")
        return
    archived = p.get("storageTier") in ("archive", UNKNOWN)
    kinds = ["snapshot", "snapshot-archive"] if archived else ["snapshot"]
    p.any_of("snapshot", Range.spanning(sizes).maybe, "ebs", kinds)
    p.note("a snapshot holds what was written, at most the whole volume")


TABLE = {SNAPSHOT: snapshot, VOLUME: volume}
