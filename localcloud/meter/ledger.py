"""What the bill is made of: stretches of lives, and usage, kept below `<home>/cloud/meter/` across restarts.

`closed.jsonl` grows by a line for each stretch that has ended and is never rewritten; `open.json` holds what still
stands, replaced as a whole. A stretch that is found in both, after a crash between the two writes, counts once.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shoestring.base.paths import write_atomically

Say = Callable[[str], None]
HOUR = 3600


@dataclass
class Stretch:
    """A time in which a resource cost the same: `begin` to `end` (epoch seconds; None while it stands).

    `began` is when the resource began to run, over all stretches since, and `final` whether it ended with this one;
    `area` is what a gauge has summed up to `at`, in unit-seconds. Usage (requests, bytes written) is a stretch as well:
    `at` is its last moment, and `facts` has its `amount`. `rates` are the prices at its end, which later ones do not
    change.
    """

    kind: str
    id: str
    begin: float
    end: float | None
    facts: dict[str, Any]
    tags: dict[str, str]
    began: float = 0.0
    area: float = 0.0
    at: float = 0.0
    final: bool = False
    rates: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = self.began or self.begin
        self.at = self.at or self.begin

    @property
    def name(self) -> str:
        """Tells what it is a stretch of."""
        return f"{self.kind} {self.id}"

    @property
    def key(self) -> str:
        """Tells it from every other."""
        return f"{self.kind} {self.id} {self.begin:.3f}"


@dataclass
class Ledger:
    """All stretches below a folder. Methods that change it write it."""

    folder: Path
    open: dict[str, Stretch] = field(default_factory=dict)  # by kind and id
    closed: list[Stretch] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)  # what other parts of the meter remember
    lock: threading.RLock = field(default_factory=threading.RLock)
    saved: str = ""  # what `open.json` holds
    known: set[str] = field(default_factory=set)
    stamp: Callable[[Stretch], None] = lambda stretch: None  # gives an ended stretch its rates

    @classmethod
    def load(cls, folder: Path, say: Say) -> Ledger:
        """What was kept; what cannot be read is set aside, and told: it is missing from the bill."""
        folder.mkdir(parents=True, exist_ok=True)
        ledger, path, standing = cls(folder), folder / "open.json", list[Stretch]()
        if path.exists():
            try:
                kept = json.loads(path.read_bytes())
                ledger.notes, standing = dict(kept["notes"]), [Stretch(**described) for described in kept["open"]]
            except (ValueError, TypeError, KeyError):
                path.replace(path.with_suffix(".corrupt"))
                say(f"local cloud: {path} is corrupt and set aside as open.corrupt: the usage of an hour is not billed")
        path, good = folder / "closed.jsonl", list[str]()
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        for line in lines:
            with contextlib.suppress(ValueError, TypeError):  # counted below
                ledger._remember(Stretch(**json.loads(line)))
                good.append(line)
        if lost := len(lines) - len(good):
            path.replace(path.with_suffix(".corrupt"))
            write_atomically(path, "".join(line + "\n" for line in good))
            say(f"local cloud: {path} is corrupt and set aside as closed.corrupt: {lost} line(s) of the bill are gone")
        ledger.open = {stretch.name: stretch for stretch in standing if stretch.key not in ledger.known}
        return ledger

    def _remember(self, stretch: Stretch) -> None:
        self.closed.append(stretch)
        self.known.add(stretch.key)

    def save(self) -> None:
        """Writes what stands, where it has changed."""
        with self.lock:
            text = json.dumps({"open": [vars(stretch) for stretch in self.open.values()], "notes": self.notes})
            if text != self.saved:
                write_atomically(self.folder / "open.json", text + "\n")
                self.saved = text

    def add(self, stretch: Stretch) -> None:
        """Adds an ended stretch; one that is there already is passed over."""
        with self.lock:
            if stretch.key in self.known:
                return
            self.stamp(stretch)
            with (self.folder / "closed.jsonl").open("a") as file:
                file.write(json.dumps(vars(stretch)) + "\n")
                file.flush()
                os.fsync(file.fileno())
            self._remember(stretch)

    def close(self, stretch: Stretch, end: float, final: bool = True) -> None:
        """Ends a stretch that stands; `final` where the resource ends with it."""
        with self.lock:
            self.open.pop(stretch.name, None)
            stretch.end, stretch.final = max(end, stretch.begin), final
            self.add(stretch)

    def use(self, kind: str, name: str, amount: int, at: float, facts: dict[str, Any], tags: dict[str, str]) -> None:
        """Adds usage to the stretch of its hour, or begins one."""
        with self.lock:
            stretch = self.open.get(f"{kind} {name}")
            if stretch and (
                stretch.begin // HOUR != at // HOUR or {**stretch.facts, "amount": 0} != {**facts, "amount": 0}
            ):
                self.close(stretch, stretch.at)
                stretch = None
            if stretch is None:
                stretch = Stretch(kind, name, at, None, {**facts, "amount": 0}, tags)
                self.open[stretch.name] = stretch
            stretch.facts["amount"] += amount
            stretch.begin, stretch.at, stretch.tags = min(at, stretch.begin), max(at, stretch.at), tags

    def settle(self, kinds: frozenset[str], now: float) -> None:
        """Closes the usage of earlier hours."""
        with self.lock:
            for stretch in list(self.open.values()):
                if stretch.kind in kinds and stretch.begin // HOUR < now // HOUR:
                    self.close(stretch, stretch.at)

    def all(self) -> list[Stretch]:
        """Everything, what stands included."""
        with self.lock:
            return [*self.closed, *self.open.values()]
