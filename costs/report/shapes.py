"""What instance types are made of: vCPU, memory, processor, GPUs. Known families only, no guess for others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

TYPE = re.compile(r"(?:ml\.)?((?:[a-z]+)(\d)([a-z]*))\.([a-z0-9]+)")
MEMORY_PER_CPU = {"m": 4, "c": 2, "r": 8}  # GiB for each vCPU, in the general, compute and memory families
CPUS = {"medium": 1, "large": 2, "xlarge": 4}
# Burstable sizes: vCPU, GiB, and the share of each vCPU that is always there.
BURSTABLE = {
    "nano": (2, "0.5", "0.05"), "micro": (2, "1", "0.10"), "small": (2, "2", "0.20"), "medium": (2, "4", "0.20"),
    "large": (2, "8", "0.30"), "xlarge": (4, "16", "0.40"), "2xlarge": (8, "32", "0.40"),
}  # fmt: skip
# GPU families: vCPU, GiB and GPUs by size.
G = {"xlarge": (4, 16, 1), "2xlarge": (8, 32, 1), "4xlarge": (16, 64, 1), "8xlarge": (32, 128, 1),
     "16xlarge": (64, 256, 1), "12xlarge": (48, 192, 4)}  # fmt: skip
LATER_G = {**G, "24xlarge": (96, 384, 4), "48xlarge": (192, 768, 8)}
P3 = {"2xlarge": (8, 61, 1), "8xlarge": (32, 244, 4), "16xlarge": (64, 488, 8)}
ACCELERATED = {"g4dn": G, "g5": LATER_G, "g6": LATER_G, "p3": P3}


@dataclass(frozen=True)
class Shape:
    """An instance type. `baseline` is the share of the processor that a burstable type has for good, else 1."""

    family: str
    cpus: int
    memory_gib: Decimal
    arm: bool
    gpus: int = 0
    baseline: Decimal = Decimal(1)


def shape(name: str) -> Shape | None:
    """The shape of `t4g.nano` or `ml.m5.large`; None for a family that is not in the tables."""
    parts = TYPE.fullmatch(name)
    if not parts:
        return None
    family, _, letters, size = parts.groups()
    kind, arm = family[0], "g" in letters
    if family in ACCELERATED:
        make = ACCELERATED[family].get(size)
        return Shape(family, make[0], Decimal(make[1]), arm, make[2]) if make else None
    if family in ("t3", "t3a", "t4g"):
        burst = BURSTABLE.get(size)
        return Shape(family, burst[0], Decimal(burst[1]), arm, 0, Decimal(burst[2])) if burst else None
    if kind not in MEMORY_PER_CPU or len(re.sub(r"\d.*", "", family)) != 1:
        return None
    cpus = CPUS.get(size) or (4 * int(size.removesuffix("xlarge")) if re.fullmatch(r"\d+xlarge", size) else None)
    if cpus is None or (size == "medium" and not arm):
        return None
    return Shape(family, cpus, Decimal(MEMORY_PER_CPU[kind] * cpus), arm)
