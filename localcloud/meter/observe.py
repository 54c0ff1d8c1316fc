"""Brings the ledger to what the account says: begins, changes and ends of what stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import jmespath

from localcloud.meter.ledger import HOUR, Ledger, Stretch
from localcloud.meter.table import Item, Kind
from localcloud.meter.trail import Event, last


def moment(value: Any) -> float | None:
    """Epoch seconds of a service's timestamp, in whatever form it comes."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return float(value) / 1000 if float(value) > 1e11 else float(value)  # CloudWatch Logs counts milliseconds


def tags_of(found: Any) -> dict[str, str]:
    """Tags as an object, from the list or the object that a service answers."""
    if isinstance(found, dict):
        return {str(key): str(value) for key, value in found.items()}
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in found or []}


def observe(ledger: Ledger, kind: Kind, items: Iterable[Item], now: float, events: Sequence[Event]) -> None:
    """One look at all resources of a kind; each item carries its facts and tags under `_facts` and `_tags`.

    Among the facts, `over` ends it, and `owner` is what it ends with.
    """
    present = set()
    for item in items:
        name = str(jmespath.search(kind.id, item))
        present.add(name)
        _one(ledger, kind, name, item, now, events)
    for stretch in [one for one in ledger.open.values() if one.kind == kind.name and one.id not in present]:
        ledger.close(stretch, _ended(kind, stretch, now, events))


def _ended(kind: Kind, stretch: Stretch, now: float, events: Sequence[Event]) -> float:
    found = last(events, kind.ends, stretch.id)
    return _summed(kind, stretch, now if found is None else found)


def _summed(kind: Kind, stretch: Stretch, at: float) -> float:
    """Sums a gauge up to a moment; returns the moment."""
    if kind.gauge and at > stretch.at:
        stretch.area += float(stretch.facts[kind.gauge]) * (at - stretch.at)
        stretch.at = at
    return at


def _one(ledger: Ledger, kind: Kind, name: str, item: Item, now: float, events: Sequence[Event]) -> None:
    stretch = ledger.open.get(f"{kind.name} {name}")
    facts, tags = item["_facts"], item["_tags"]
    over, owner = facts.pop("over", False), facts.pop("owner", name)
    ended, begun = last(events, kind.ends, name, owner), last(events, kind.begins, name)
    if over or not jmespath.search(kind.active, item):
        if stretch:
            ledger.close(stretch, ended if ended is not None else now)
        elif ended is not None and (began := _begin(kind, item)) is not None and not _before(ledger, kind, name):
            ledger.add(Stretch(kind.name, name, began, ended, facts, tags, final=True))  # lived between two looks
        return
    if stretch and ended is not None and begun is not None and stretch.begin < ended < begun:
        ledger.close(stretch, ended)
        stretch = None
    if stretch is None:
        own = None if _before(ledger, kind, name) else _begin(kind, item)
        made = min((event.at for event in events if event.name in kind.begins), default=now)  # its name came later
        begin = own if own is not None else begun if begun is not None else made
        ledger.open[f"{kind.name} {name}"] = Stretch(kind.name, name, begin, None, facts, tags)
        return
    fixed = {key: value for key, value in facts.items() if key != kind.gauge}
    if fixed != {key: value for key, value in stretch.facts.items() if key != kind.gauge}:
        _split(ledger, kind, stretch, begun if begun is not None and begun > stretch.begin else now)
        stretch = ledger.open[f"{kind.name} {name}"]
        stretch.facts = facts
    if tags != stretch.tags or (kind.gauge and facts[kind.gauge] != stretch.facts[kind.gauge]):
        # A line of AWS's bill is an hour long and carries the tags of its end: only whole earlier hours are kept apart.
        hour = now - now % HOUR
        if stretch.begin < hour:
            _split(ledger, kind, stretch, hour)
            stretch = ledger.open[f"{kind.name} {name}"]
        _summed(kind, stretch, now)
        stretch.tags, stretch.facts = tags, facts


def _before(ledger: Ledger, kind: Kind, name: str) -> bool:
    """Whether the resource has run before: then its own timestamp is not that of its beginning."""
    return any(one.kind == kind.name and one.id == name for one in ledger.closed)


def _begin(kind: Kind, item: Item) -> float | None:
    return moment(jmespath.search(kind.begin, item)) if kind.begin else None


def _split(ledger: Ledger, kind: Kind, stretch: Stretch, at: float) -> None:
    """Ends a stretch and goes on with one like it."""
    _summed(kind, stretch, at)
    later = Stretch(kind.name, stretch.id, at, None, dict(stretch.facts), dict(stretch.tags), stretch.began)
    ledger.close(stretch, at, final=False)
    ledger.open[later.name] = later
