"""What instance types are made of: vCPU, memory, processor, GPUs. Memory is that of known families, never a guess."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

SIZE = re.compile(r"(?P<family>[a-z0-9-]+)\.(?:(?P<times>\d+)?xlarge|(?P<small>large|medium|small|micro|nano))")
# GiB for each vCPU, in the general, compute and memory families, and in those with GPUs.
MEMORY_PER_CPU = {"m": "4", "c": "2", "r": "8", "g4dn": "4", "g5": "4", "g6": "4", "p3": "7.625"}
# Burstable sizes: GiB, and the share of each vCPU that is always there.
BURSTABLE = {
    "nano": ("0.5", "0.05"), "micro": ("1", "0.10"), "small": ("2", "0.20"), "medium": ("4", "0.20"),
    "large": ("8", "0.30"), "xlarge": ("16", "0.40"), "2xlarge": ("32", "0.40"),
}  # fmt: skip
# GPUs by size.
G = {"xlarge": 1, "2xlarge": 1, "4xlarge": 1, "8xlarge": 1, "16xlarge": 1, "12xlarge": 4}
LATER_G = {**G, "24xlarge": 4, "48xlarge": 8}
GPUS = {"g4dn": G, "g5": LATER_G, "g6": LATER_G, "p3": {"2xlarge": 1, "8xlarge": 4, "16xlarge": 8}}


@dataclass(frozen=True)
class Shape:
    """An instance type. `baseline` is the share of the processor that a burstable type has for good, else 1."""

    family: str
    cpus: Decimal
    memory_gib: Decimal
    arm: bool
    gpus: int = 0
    baseline: Decimal = Decimal(1)


def vcpus(kind: str) -> Decimal | None:
    """Processors of an instance type, by the rule that its size's name follows; None for `metal` and the like."""
    size = SIZE.fullmatch(kind)
    if size is None:
        return None
    if size["small"] is None:
        return Decimal(4 * int(size["times"] or 1))
    single = {"t2": ("nano", "micro", "small")}.get(
        size["family"], () if size["family"].startswith("t") else ("medium",)
    )
    return Decimal(1 if size["small"] in single else 2)


def shape(name: str) -> Shape | None:
    """The shape of `t4g.nano` or `ml.m5.large`; None for a family that is not in the tables."""
    family, _, size = name.removeprefix("ml.").partition(".")
    cpus, parts = vcpus(f"{family}.{size}"), re.fullmatch(r"([a-z]+)\d([a-z]*)", family)
    if cpus is None or parts is None:
        return None
    arm = "g" in parts[2]
    if family in ("t3", "t3a", "t4g") and size in BURSTABLE:
        memory, baseline = map(Decimal, BURSTABLE[size])
        return Shape(family, cpus, memory, arm, baseline=baseline)
    gpus = GPUS[family].get(size) if family in GPUS else 0
    per_cpu = MEMORY_PER_CPU.get(family if gpus else parts[1])
    if per_cpu is None or gpus is None or (cpus == 1 and not arm) or size in ("nano", "micro", "small"):
        return None
    return Shape(family, cpus, Decimal(per_cpu) * cpus, arm, gpus)
