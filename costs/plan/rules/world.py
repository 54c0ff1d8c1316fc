"""All resources of a plan at one time: who refers to whom, what scales what, and the prices of their regions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from costs.amounts import Range, decimal
from costs.book.price import SECONDS_AN_HOUR, Price, UnknownPrice
from costs.book.prices import PriceBook
from costs.plan.preview import UNKNOWN, PlannedResource
from costs.plan.traffic import Usage

TARGET = "aws:appautoscaling/target:Target"
IDENTIFIERS = ("name", "arn", "clusterIdentifier", "replicationGroupId")  # inputs by which others call a resource
SEGMENT = re.compile(r"[/:]")  # between the parts of `service/cluster/name`, `function:name:alias`, …


@dataclass
class World:
    """All resources of a plan at one time, and what is known about all of them."""

    book: PriceBook
    region: str
    usage: Usage
    now: datetime
    lease_hours: Range
    resources: Sequence[PlannedResource]
    by_urn: dict[str, PlannedResource] = field(default_factory=dict, init=False)
    by_type: dict[str, list[PlannedResource]] = field(default_factory=lambda: defaultdict(list), init=False)
    _by_id: dict[tuple[str, str], PlannedResource] = field(default_factory=dict)
    _prices: dict[tuple[str, str, str], Price | UnknownPrice] = field(default_factory=dict)
    _items: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _tiers: dict[tuple[str, str], dict[str, list[tuple[Decimal, Price]]]] = field(default_factory=dict)
    _users: dict[tuple[str, str], dict[str, list[PlannedResource]]] = field(default_factory=dict)
    _payers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for resource in self.resources:
            self.by_urn[resource.urn] = resource
            self.by_type[resource.type].append(resource)
            for key in (resource.id, *(resource.inputs.get(name) for name in IDENTIFIERS)):
                if isinstance(key, str) and key:
                    self._by_id.setdefault((resource.type, key), resource)

    def price(self, service: str, item: str, region: str) -> Price:
        """A price of the book; raises UnknownPrice."""
        key = service, item, region
        if key not in self._prices:
            try:
                self._prices[key] = self.book.price(*key)
            except UnknownPrice as error:
                self._prices[key] = error
        price = self._prices[key]
        if isinstance(price, UnknownPrice):
            raise price
        return price

    def tiers(self, price: Price) -> list[tuple[Decimal, Decimal | None, Price]]:
        """The tiers of a price, each from where to where it counts, in its units: items `NAME>1000` follow `NAME`."""
        if (price.service, price.region) not in self._tiers:
            tiers: dict[str, list[tuple[Decimal, Price]]] = defaultdict(list)
            for item in self.book.items(price.service, price.region):
                name, above, start = item.partition(">")
                if above:
                    tiers[name].append((Decimal(start), self.price(price.service, item, price.region)))
            self._tiers[price.service, price.region] = tiers
        if price.item not in self._tiers[price.service, price.region]:
            return [(Decimal(0), None, price)]
        steps = [(Decimal(0), price), *sorted(self._tiers[price.service, price.region][price.item])]
        ends = [start for start, _ in steps[1:]] + [None]
        return [(start, end, tier) for (start, tier), end in zip(steps, ends, strict=True)]

    def items(self, service: str, region: str) -> list[str]:
        """The machines of a service that have a price."""
        key = service, region
        if key not in self._items:
            self._items[key] = [
                item for item in self.book.items(*key) if not item.endswith("-multi-az") and ">" not in item
            ]
        return self._items[key]

    def referred(self, resource: PlannedResource, path: str, kind: str, value: Any) -> list[PlannedResource]:
        """The resources of a type that a property refers to: by its dependencies, by id or name, or else, where the
        plan does not say, all that it may be."""
        urns = resource.dependencies.get(path, ())
        named = [self.by_urn[urn] for urn in urns if urn in self.by_urn and self.by_urn[urn].type == kind]
        if named:
            return named
        keys = value if isinstance(value, list) else [value]
        if UNKNOWN in keys:
            return [] if urns else list(self.by_type.get(kind, ()))
        known = (self._by_id.get((kind, key)) for key in keys if isinstance(key, str))
        return [resource for resource in known if resource]

    def users(self, resource: PlannedResource, kind: str, path: str) -> list[PlannedResource]:
        """The resources of a type whose property refers to this one."""
        if (kind, path) not in self._users:
            index: dict[str, list[PlannedResource]] = defaultdict(list)
            for user in self.by_type.get(kind, ()):
                for used in self.referred(user, path, resource.type, user.inputs.get(path)):
                    index[used.urn].append(user)
            self._users[kind, path] = index
        return self._users[kind, path].get(resource.urn, [])

    def targets(self, resource: PlannedResource) -> Iterator[tuple[PlannedResource, frozenset[str] | None, bool]]:
        """The targets of Application Auto Scaling that scale a resource, each with the names in what it says of it,
        None where they are unknown, and with whether it is certain."""
        own = [resource.id, *map(resource.inputs.get, IDENTIFIERS)]
        for target, urns, names in self._targets:
            if resource.urn in urns or (names and names.intersection(own)):
                yield target, names, True
            elif not urns and (names is None or UNKNOWN in own):
                yield target, names, False

    @cached_property
    def _targets(self) -> list[tuple[PlannedResource, frozenset[str], frozenset[str] | None]]:
        targets = []
        for target in self.by_type.get(TARGET, ()):
            identifier = target.inputs.get("resourceId")
            names = frozenset(SEGMENT.split(identifier)) - {""} if isinstance(identifier, str) else None
            targets.append((target, frozenset(urn for urns in target.dependencies.values() for urn in urns), names))
        return targets

    def lease(self, until: Any) -> Range:
        """Hours until a lease ends; those of a new one where that is unknown, no time, or over."""
        try:
            end = datetime.fromisoformat(until)
        except (TypeError, ValueError):
            return self.lease_hours
        end = end if end.tzinfo else end.replace(tzinfo=UTC)
        hours = decimal((end - self.now).total_seconds()) / SECONDS_AN_HOUR
        return Range.of(hours) if hours > 0 else self.lease_hours

    def payer(self, fee: str, resource: PlannedResource) -> PlannedResource:
        """The resource that bears a fee which is due once, however many cause it: the first that asked."""
        return self.by_urn[self._payers.setdefault(fee, resource.urn)]
