"""What no plan can know: requests, gigabytes, milliseconds. `usage.csv` has the figures of each kind of resource with
their defaults, which are those of a small service; a usage file knows better."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from shoestring.base.paths import rows


@dataclass(frozen=True)
class Key:
    """One figure of a kind of resource: its default, and its unit in words.

    Without a default the resource costs "at least" the rest, until a usage file gives the figure. A default of 0 stands
    for what most resources do not have.
    """

    default: Decimal | None
    unit: str

    def __str__(self) -> str:
        return f"{'no default,' if self.default is None else f'{self.default:,}'} {self.unit}"


def _kinds() -> dict[str, dict[str, Key]]:
    kinds: dict[str, dict[str, Key]] = defaultdict(dict)
    for row in rows(Path(__file__).with_name("usage.csv")):
        default = Decimal(row["default"]) if row["default"] else None
        kinds[row["kind"]][row["key"]] = Key(default, row["unit"])
    return dict(kinds)


KINDS = _kinds()
WORDS = "; ".join(f"{kind}: {', '.join(keys)}" for kind, keys in KINDS.items())


@dataclass(frozen=True)
class Usage:
    """What a usage file says.

    Args:
        defaults: kind → key → value, for all resources of a kind.
        resources: name or URN → key → value, for one of them.
        assume: name or URN → property → value, in the place of what a preview does not know.
        source: the file's name.
    """

    defaults: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    resources: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    assume: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    source: str = ""

    def value(self, urn: str, name: str, kind: str, key: str) -> tuple[Decimal | None, bool]:
        """The figure for one resource, None where there is no default, and whether the file gives it."""
        for given in (self.resources.get(urn), self.resources.get(name), self.defaults.get(kind)):
            if given is not None and key in given:
                return given[key], True
        return KINDS[kind][key].default, False
