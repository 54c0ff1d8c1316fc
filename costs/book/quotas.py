"""AWS's quotas that the product meets: how Service Quotas names each one, and which one a resource falls under.

`quotas.csv` holds the codes and names, which are the same in every account and region. `default` is what AWS lists as
the default; `local` is what the local cloud's account has: that of a new account that asked for what the demo needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shoestring.base.paths import rows

TABLE = Path(__file__).with_name("quotas.csv")
FAMILY = re.compile(r"([a-z]+)(\d*)")
STANDARD = frozenset(["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"])  # families, by EC2's names
GRAPHICS = frozenset(["g", "gr", "vt"])


@dataclass(frozen=True)
class Quota:
    """One quota: `service` and `code` as Service Quotas has them, and its value by default and on the local cloud."""

    service: str
    code: str
    name: str
    default: float
    local: float


@cache
def quotas() -> dict[str, Quota]:
    """All quotas, by code."""
    return {
        row["code"]: Quota(row["service"], row["code"], row["name"], float(row["default"]), float(row["local"]))
        for row in rows(TABLE)
    }


CONCURRENCY, ADDRESSES, NETWORKS = "L-B99A9384", "L-0263D0A3", "L-F678F1CE"
UNRESERVED = 100
"""What AWS keeps unreserved of an account's concurrency; on a lower limit all of it. Its error says `[100]` on larger
limits, `[50]` on one of 50 and `[10]` on that of a new account."""
INSTANCES = {  # vCPUs of EC2 instances: (on demand, on spot capacity)
    "standard": ("L-1216C47A", "L-34B43A08"),
    "graphics": ("L-DB2E81BA", "L-3819A6DF"),
    "p": ("L-417A185B", "L-7212CCBC"),
}


def of_training(instance_type: str, spot: bool) -> Quota | None:
    """The quota of a training job's instances; None for a type that the table does not have."""
    name = f"{instance_type} for {'spot ' if spot else ''}training job usage"
    return next((quota for quota in quotas().values() if quota.name == name), None)


def of_instances(instance_type: str, spot: bool) -> Quota | None:
    """The quota, in vCPUs, that an EC2 instance falls under; None for a family with a quota of its own."""
    match = FAMILY.match(instance_type)
    letters, number = (match[1], match[2]) if match else ("", "")
    if letters in STANDARD:
        bucket = "standard"
    elif letters in GRAPHICS:
        bucket = "graphics"
    elif letters == "p" and (not spot or number in ("2", "3", "4")):
        bucket = "p"
    else:
        return None
    return quotas()[INSTANCES[bucket][spot]]
