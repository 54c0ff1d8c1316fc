"""What disks cost, wherever a machine gets them from."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.plan.rules.base import UNKNOWN, Pricing

TYPES = ("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard")
SIZES = 1, 16384  # GB, as EBS allows
IOPS, PAID_IOPS = (3000, 16000), (100, 64000)  # of gp3 from its baseline up, of io1 and io2
FREE_IOPS, FREE_THROUGHPUT = Decimal(3000), Decimal(125)  # of gp3
ROOTS = ("/dev/xvda", "/dev/sda1")
ANY: Mapping[str, Any] = {"volumeSize": UNKNOWN, "volumeType": UNKNOWN}


def disk(
    p: Pricing,
    settings: Mapping[str, Any],
    count: Range = ONE,
    what: str = "",
    default_type: str = "gp3",
    size: str = "volumeSize",
    kind: str = "volumeType",
) -> None:
    """The charges of `count` disks with these settings; where no size is said, the usage file's counts."""
    chosen = p.get(kind, default_type, settings)
    label = f"{what} " if what else ""
    if p.get(size, None, settings) is None:
        gigabytes = Range.of(p.use("ec2", "root_gb"))
    else:
        gigabytes = p.amount(size, 8, SIZES, settings)
    if not isinstance(chosen, str):
        _of_any_type(p, settings, gigabytes * count, count)
        return
    p.add(f"{label}{chosen} volume", gigabytes * count, "ebs", chosen)
    if chosen in ("io1", "io2"):
        p.add(
            f"{label}{chosen} operations", p.amount("iops", 100, PAID_IOPS, settings) * count, "ebs", f"{chosen}-iops"
        )
    if chosen == "gp3":
        iops = p.amount("iops", FREE_IOPS, IOPS, settings)
        p.add(f"{label}gp3 operations above {FREE_IOPS}", _above(iops, FREE_IOPS) * count, "ebs", "gp3-iops")
        through = p.amount("throughput", FREE_THROUGHPUT, (125, 1000), settings)
        p.add(f"{label}gp3 MB/s above 125", _above(through, FREE_THROUGHPUT) * count, "ebs", "gp3-throughput")


def _of_any_type(p: Pricing, settings: Mapping[str, Any], gigabytes: Range, count: Range) -> None:
    """The charges of disks whose type is unknown: of the cheapest type, up to those of the dearest with all it can."""
    p.any_of("volume", gigabytes, "ebs", [each for each in TYPES if p.known("ebs", each)])
    p.note("its volume type is unknown")
    operations = Range(Decimal(0), p.amount("iops", 0, (0, PAID_IOPS[1]), settings).high)
    p.add("operations, if they are paid for", operations * count, "ebs", "io2-iops")
    through = p.amount("throughput", 0, (0, 1000), settings)
    p.add("MB/s, if they are paid for", Range(Decimal(0), through.high) * count, "ebs", "gp3-throughput")


def _above(amount: Range, base: Decimal) -> Range:
    return Range(max(amount.low - base, Decimal(0)), max(amount.high - base, Decimal(0)))


def of_instance(p: Pricing, template: Mapping[str, Any] | None, count: Range = ONE) -> None:
    """The disks of machines: the program's own blocks, and those of the launch template that they do not replace."""
    maybe = Range(Decimal(0), count.high)
    own = p.get("rootBlockDevice")
    if isinstance(own, list):
        own = own[0] if own else None
    mapped, nameless = _mapped(p, template or {})
    root: Mapping[str, Any] = next((mapped.pop(name) for name in ROOTS if name in mapped), {})
    root = ANY if own is UNKNOWN else {**root, **(own or {})}
    disk(p, root, maybe if nameless and not root else count, "root")
    for block in p.items("ebsBlockDevices"):
        mapped.pop(p.get("deviceName", "", block), None)
        disk(p, _known(block), count)
    if p.get("ebsBlockDevices") is UNKNOWN:
        p.note("its further disks are unknown: none or one")
        disk(p, ANY, maybe)
    for each in [*mapped.values(), *nameless]:
        disk(p, each, count)


def _mapped(p: Pricing, template: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The disks of a launch template by the names of their devices, and those whose name is unknown."""
    if p.get("blockDeviceMappings", of=template) is UNKNOWN:
        return {ROOTS[0]: ANY}, []
    named: dict[str, Mapping[str, Any]] = {}
    nameless: list[Mapping[str, Any]] = []
    for mapping in p.items("blockDeviceMappings", of=template):
        if mapping is UNKNOWN:
            nameless.append(ANY)
        elif mapping.get("noDevice") is None and mapping.get("virtualName") is None:
            name, settings = mapping.get("deviceName"), _known(mapping.get("ebs"))
            if isinstance(name, str):
                named[name] = settings
            else:
                nameless.append(settings)
    return named, nameless


def _known(settings: Any) -> Mapping[str, Any]:
    return ANY if settings is UNKNOWN else settings or {}


def volume(p: Pricing) -> None:
    """An EBS volume of its own."""
    disk(p, {**p.resource.inputs}, size="size", kind="type", default_type="gp2")
    if p.get("size") is None:
        p.note("its size is that of its snapshot, which the plan does not know")


def snapshot(p: Pricing) -> None:
    """A snapshot: at most the size of its volume, as it holds what was written."""
    sizes = [p.amount("size", 1, SIZES, each.inputs) for each in p.referred("volumeId", "aws:ebs/volume:Volume")]
    if not sizes:
        p.unpriced("the size of its volume is not in the plan")
        return
    p.add("snapshot", Range(Decimal(0), max(size.high for size in sizes)), "ebs", "snapshot")
    p.note("a snapshot holds what was written, at most the whole volume")


TABLE = {"aws:ebs/snapshot:Snapshot": snapshot, "aws:ebs/volume:Volume": volume}
