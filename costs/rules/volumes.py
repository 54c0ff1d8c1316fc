"""What disks cost, wherever a machine gets them from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs.charges import ONE, Range
from costs.rules.base import Pricing, free, row

TYPES = ("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard")
SIZES = 1, 16384  # GB, as EBS allows
IOPS = 3000, 16000  # from gp3's baseline up
FREE_IOPS, FREE_THROUGHPUT = Decimal(3000), Decimal(125)  # of gp3
ROOTS = ("/dev/xvda", "/dev/sda1")


def disk(
    p: Pricing,
    settings: Mapping[str, Any],
    count: Range = ONE,
    what: str = "",
    default_type: str = "gp3",
    size: str = "volumeSize",
    kind: str = "volumeType",
) -> None:
    """The charges of `count` disks with these settings; one whose size is nowhere said counts as the usage file says."""
    chosen = p.get(kind, default_type, settings)
    label = f"{what} " if what else ""
    if p.get(size, None, settings) is None:
        gigabytes = Range.of(p.use("ec2", "root_gb"))
    else:
        gigabytes = p.amount(size, 8, SIZES, settings)
    if not isinstance(chosen, str):  # unknown
        p.machines(
            "ebs", [kind for kind in ("gp2", "gp3", "io1", "io2") if p.known("ebs", kind)], gigabytes * count, "disk"
        )
        p.note("its volume type is unknown: gp2, gp3, io1 or io2")
        return
    p.add(f"{label}{chosen} volume", gigabytes * count, "ebs", chosen)
    if chosen in ("io1", "io2"):
        p.add(f"{label}{chosen} operations", p.amount("iops", 100, IOPS, settings) * count, "ebs", f"{chosen}-iops")
    if chosen == "gp3":
        iops = p.amount("iops", FREE_IOPS, IOPS, settings)
        p.add(f"{label}gp3 operations above {FREE_IOPS}", _above(iops, FREE_IOPS) * count, "ebs", "gp3-iops")
        through = p.amount("throughput", FREE_THROUGHPUT, (125, 1000), settings)
        p.add(f"{label}gp3 MB/s above 125", _above(through, FREE_THROUGHPUT) * count, "ebs", "gp3-throughput")


def _above(amount: Range, base: Decimal) -> Range:
    return Range(max(amount.low - base, Decimal(0)), max(amount.high - base, Decimal(0)))


def of_instance(p: Pricing, template: Mapping[str, Any] | None, count: Range = ONE) -> None:
    """The disks of machines: the program's own blocks, and those of the launch template that they do not replace."""
    mapped = {}
    for mapping in p.items("blockDeviceMappings", of=template or {}):
        name = p.get("deviceName", "", mapping)
        if p.get("noDevice", None, mapping) is None and p.get("virtualName", None, mapping) is None:
            mapped[name if isinstance(name, str) else len(mapped)] = p.get("ebs", {}, mapping)
    root = next((mapped.pop(name) for name in ROOTS if name in mapped), {})
    own = p.get("rootBlockDevice")
    if isinstance(own, list):
        own = own[0] if own else None
    disk(p, {**_known(root), **_known(own)}, count, "root")
    for block in p.items("ebsBlockDevices"):
        mapped.pop(p.get("deviceName", "", block), None)
        disk(p, block, count)
    for each in mapped.values():
        disk(p, _known(each), count)


def _known(settings: Any) -> Mapping[str, Any]:
    return settings if isinstance(settings, Mapping) else {}


def volume(p: Pricing) -> None:
    """An EBS volume of its own."""
    disk(p, {**p.one.inputs}, size="size", kind="type", default_type="gp2")
    if p.get("size") is None:
        p.note("its size is that of its snapshot, which the plan does not know")


def _snapshot(p: Pricing) -> None:
    p.unpriced("its size is that of the data, which the plan does not know (ebs snapshot, GB-month)")


TABLE = {
    "aws:ebs/volume:Volume": volume,
    "aws:ebs/snapshot:Snapshot": _snapshot,
    "aws:ebs/snapshotCopy:SnapshotCopy": _snapshot,
    "aws:ebs/snapshotImport:SnapshotImport": _snapshot,
    "aws:ebs/fastSnapshotRestore:FastSnapshotRestore": row(
        "fast snapshot restore", "ebs", "fast-snapshot-restore", 730
    ),
    "aws:ebs/encryptionByDefault:EncryptionByDefault": free("a setting of the account"),
    "aws:ebs/defaultKmsKey:DefaultKmsKey": free("a setting of the account"),
    "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess": free("a setting of the account"),
    "aws:ec2/volumeAttachment:VolumeAttachment": free("the volume itself is billed"),
}
