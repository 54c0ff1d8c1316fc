"""Brings the ledger to what the account says: begins, changes and ends of what stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import jmespath

from localcloud.aws.row import Json, ResourceType
from localcloud.meter.ledger import HOUR, Ledger, Stretch
from localcloud.meter.trail import Event, last


def moment(value: Any) -> float | None:
    """Epoch seconds of a service's timestamp, in whatever form it comes."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return float(value) / 1000 if float(value) > 1e11 else float(value)  # CloudWatch Logs counts milliseconds


def observe(ledger: Ledger, row: ResourceType, items: Iterable[Json], now: float, events: Sequence[Event]) -> None:
    """One look at all resources of a type; each item carries its facts and tags under `_facts` and `_tags`.

    Among the facts, `over` ends it, and `owner` is what it ends with.
    """
    present = set()
    for item in items:
        name = str(jmespath.search(row.bill_id, item))
        present.add(name)
        _observe(ledger, row, name, item, now, events)
    for stretch in [life for life in ledger.open.values() if life.kind == row.metered and life.id not in present]:
        ended = last(events, row.metering.ends, stretch.id)
        ledger.close(stretch, _summed(row, stretch, now if ended is None else ended))


def _summed(row: ResourceType, stretch: Stretch, at: float) -> float:
    """Sums a gauge up to a moment; returns the moment."""
    gauge = row.metering.gauge
    if gauge and at > stretch.at:
        stretch.area += float(stretch.facts[gauge]) * (at - stretch.at)
        stretch.at = at
    return at


def _observe(ledger: Ledger, row: ResourceType, name: str, item: Json, now: float, events: Sequence[Event]) -> None:
    metering, gauge, key = row.metering, row.metering.gauge, f"{row.metered} {name}"
    stretch = ledger.open.get(key)
    facts, tags = item["_facts"], item["_tags"]
    over, owner = facts.pop("over", False), facts.pop("owner", name)
    ended, begun = last(events, metering.ends, name, owner), last(events, metering.begins, name)
    if over or not jmespath.search(metering.active, item):
        if stretch:
            ledger.close(stretch, ended if ended is not None else now)
        elif ended is not None and (own := _begin(ledger, row, name, item)) is not None:
            ledger.add(Stretch(row.metered, name, own, ended, facts, tags, final=True))  # lived between two looks
        return
    if stretch and ended is not None and begun is not None and stretch.begin < ended < begun:
        ledger.close(stretch, ended)
        stretch = None
    if stretch is None:
        own = _begin(ledger, row, name, item)
        unnamed = min((event.at for event in events if event.name in metering.begins), default=now)  # its id came later
        begin = own if own is not None else begun if begun is not None else unnamed
        ledger.open[key] = Stretch(row.metered, name, begin, None, facts, tags)
        return
    fixed = {fact: value for fact, value in facts.items() if fact != gauge}
    if fixed != {fact: value for fact, value in stretch.facts.items() if fact != gauge}:
        stretch = _split(ledger, row, stretch, begun if begun is not None and begun > stretch.begin else now)
        stretch.facts = facts
    if tags != stretch.tags or (gauge and facts[gauge] != stretch.facts[gauge]):
        # A line of AWS's bill is an hour long and carries the tags of its end: only whole earlier hours are kept apart.
        hour = now - now % HOUR
        if stretch.begin < hour:
            stretch = _split(ledger, row, stretch, hour)
        _summed(row, stretch, now)
        stretch.tags, stretch.facts = tags, facts


def _begin(ledger: Ledger, row: ResourceType, name: str, item: Json) -> float | None:
    """When a resource says that it began; of one that has run before, that was another time."""
    if not row.metering.begin or any(closed.kind == row.metered and closed.id == name for closed in ledger.closed):
        return None
    return moment(jmespath.search(row.metering.begin, item))


def _split(ledger: Ledger, row: ResourceType, stretch: Stretch, at: float) -> Stretch:
    """Ends a stretch; returns one like it, which goes on."""
    _summed(row, stretch, at)
    later = Stretch(stretch.kind, stretch.id, at, None, dict(stretch.facts), dict(stretch.tags), stretch.began)
    ledger.close(stretch, at, final=False)
    ledger.open[later.name] = later
    return later
