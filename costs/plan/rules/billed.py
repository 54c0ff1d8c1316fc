"""The properties on which a bill depends, by type (`billed.csv`), and whether a rule has read them.

A property of the table that is set to something billable and that no rule has read makes a figure "at least".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costs.plan.preview import UNKNOWN, PlannedResource
from shoestring.base.paths import rows

DESCRIPTIONS = {  # what they say is billed with what refers to them
    "aws:ec2/launchConfiguration:LaunchConfiguration", "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ecs/taskDefinition:TaskDefinition", "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
}  # fmt: skip


@dataclass(frozen=True)
class Billed:
    """One property (a dotted path, through lists) of a type; `free` values of it, in small letters, cost nothing."""

    path: str
    free: frozenset[str]
    reason: str

    def bills(self, value: Any) -> bool:
        """Whether a value of it costs something, or may."""
        return value is UNKNOWN or (bool(value) and str(value).lower() not in self.free)


def _table() -> dict[str, list[Billed]]:
    table: dict[str, list[Billed]] = defaultdict(list)
    for row in rows(Path(__file__).with_name("billed.csv")):
        billed = Billed(row["property"], frozenset({"false", "0", *row["free"].split("|")}), row["reason"])
        for kind in row["types"].split():
            table[kind].append(billed)
    return table


BILLED = _table()


def values(owner: Any, path: str) -> Iterator[Any]:
    """The values at a path, of each item of the lists on the way; UNKNOWN where the way to it is."""
    if owner is UNKNOWN or (not path and owner is not None):
        yield owner
    elif isinstance(owner, list):
        for item in owner:
            yield from values(item, path)
    elif isinstance(owner, Mapping):
        word, _, rest = path.partition(".")
        yield from values(owner.get(word), rest)


class Reads:
    """Which of the properties that cost something a rule has read, of the resources that it looks at."""

    def __init__(self) -> None:
        self._costly: dict[tuple[str, str], str] = {}  # a resource's URN and a path → what is to be said of it
        self._watched: set[str] = set()
        self._places: dict[int, tuple[str, str]] = {}  # by identity of an object: whose it is, and where

    def watch(self, resource: PlannedResource) -> None:
        """What this resource has is billed too."""
        if resource.urn in self._watched:
            return
        self._watched.add(resource.urn)
        for billed in BILLED.get(resource.type, ()):
            value = next(filter(billed.bills, values(resource.inputs, billed.path)), None)
            if value is not None:
                shown = f" {value}" if value is UNKNOWN or isinstance(value, str) else ""
                self._costly[resource.urn, billed.path] = f"{billed.path}{shown}: {billed.reason}"
                self._places[id(resource.inputs)] = resource.urn, ""

    def note(self, owner: Any, path: str, value: Any) -> None:
        """A rule has read a value at a path of an object."""
        if not self._places or (place := self._places.get(id(owner))) is None:
            return
        urn, before = place
        path = before + ".".join(word for word in path.split(".") if not word.isdigit())  # which are places in lists
        self._costly.pop((urn, path), None)
        for inner in value if isinstance(value, list) else (value,):
            if isinstance(inner, Mapping):
                self._places[id(inner)] = urn, f"{path}."

    def missed(self) -> Iterable[str]:
        """A sentence for each property that costs something and was not read."""
        return self._costly.values()
