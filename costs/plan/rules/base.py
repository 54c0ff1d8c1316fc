"""What a rule works with: one resource of a plan, the others around it, and the charges that it finds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Number, Range, decimal
from costs.book.price import HOURS_A_MONTH, Price, UnknownPrice
from costs.book.prices import PriceBook
from costs.plan.charges import Assumption, Basis, Charge, ResourceCost
from costs.plan.preview import UNKNOWN, PlannedResource, parts
from costs.plan.rules.traffic import KINDS, Usage
from shoestring.base.names import LEASE_TAG, is_window

HOURS = Range.of(HOURS_A_MONTH)
THOUSAND, MILLION, SECONDS_AN_HOUR = Decimal(1000), Decimal(1_000_000), Decimal(3600)
Rule = Callable[["Pricing"], None]


def number(value: Any) -> Decimal | None:
    """A number that a program wrote as number or text; None for anything else."""
    try:
        return decimal(value) if not isinstance(value, bool) else None
    except (ArithmeticError, TypeError, ValueError):
        return None


def truth(value: Any) -> bool:
    """A boolean that a program wrote as such or as text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


@dataclass
class World:
    """All resources of a plan at one time, and what is known about all of them."""

    book: PriceBook
    region: str
    usage: Usage
    now: datetime
    lease_hours: Range
    resources: Sequence[PlannedResource]
    by_urn: dict[str, PlannedResource] = field(init=False)
    by_type: dict[str, list[PlannedResource]] = field(init=False)
    _by_id: dict[tuple[str, str], PlannedResource] = field(init=False)
    _prices: dict[tuple[str, str, str], Price | UnknownPrice] = field(default_factory=dict)
    _items: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _users: dict[tuple[str, str], dict[str, list[PlannedResource]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.by_urn, self.by_type, self._by_id = {}, defaultdict(list), {}
        for one in self.resources:
            self.by_urn[one.urn] = one
            self.by_type[one.type].append(one)
            for key in (one.id, one.inputs.get("name"), one.inputs.get("arn")):
                if isinstance(key, str) and key:
                    self._by_id.setdefault((one.type, key), one)

    def price(self, service: str, item: str, region: str) -> Price:
        """A price of the book; raises UnknownPrice."""
        key = service, item, region
        if key not in self._prices:
            try:
                self._prices[key] = self.book.price(*key)
            except UnknownPrice as error:
                self._prices[key] = error
        found = self._prices[key]
        if isinstance(found, UnknownPrice):
            raise found
        return found

    def items(self, service: str, region: str) -> list[str]:
        """The machines of a service that have a price."""
        key = service, region
        if key not in self._items:
            self._items[key] = [each for each in self.book.items(*key) if not each.endswith("-multi-az")]
        return self._items[key]

    def referred(self, one: PlannedResource, path: str, kind: str, value: Any) -> list[PlannedResource]:
        """The resources of a type that a property refers to: by its dependencies, by id or name, or else, where the
        plan does not say, all that it may be."""
        urns = one.dependencies.get(path, ())
        found = [self.by_urn[urn] for urn in urns if urn in self.by_urn and self.by_urn[urn].type == kind]
        if found:
            return found
        if isinstance(value, str):
            known = self._by_id.get((kind, value))
            return [known] if known else []
        return list(self.by_type.get(kind, ())) if value is UNKNOWN and not urns else []

    def users(self, one: PlannedResource, kind: str, path: str) -> list[PlannedResource]:
        """The resources of a type whose property refers to this one."""
        if (kind, path) not in self._users:
            index: dict[str, list[PlannedResource]] = defaultdict(list)
            for user in self.by_type.get(kind, ()):
                for each in self.referred(user, path, one.type, user.inputs.get(path)):
                    index[each.urn].append(user)
            self._users[kind, path] = index
        return self._users[kind, path].get(one.urn, [])


class Pricing:
    """One resource while a rule prices it: its properties, and the charges that it gets.

    A price that the book does not have makes the resource unpriced, whatever else is known about it.
    """

    def __init__(self, one: PlannedResource, world: World) -> None:
        self.one, self.world = one, world
        self.region = one.region or world.region
        self.charges: list[Charge] = []
        self.assumptions: list[Assumption] = []
        self.why: list[str] = []
        self.missing: list[str] = []
        self.lacking: list[UnknownPrice] = []
        self.reason = ""
        usage = world.usage
        self._assumed = usage.assume.get(one.urn) or usage.assume.get(one.name) or {}
        self.ephemeral, self.hours = self._life()

    def _life(self) -> tuple[bool, Range | None]:
        tags = self.one.inputs.get("tags")
        until = tags.get(LEASE_TAG) if isinstance(tags, Mapping) else None
        if until is None and not is_window(parts(self.one.urn)[0]):
            return False, None
        return True, self.world.lease_hours if (left := _left(until, self.world.now)) is None else left

    def get(self, path: str, default: Any = None, of: Any = None) -> Any:
        """The property at a dotted path (`a.0.b` for items of lists); UNKNOWN where the plan cannot know it."""
        value: Any = self.one.inputs if of is None else of
        if of is None and path in self._assumed:
            return self._assumed[path]
        for word in path.split("."):
            if value is UNKNOWN:
                return UNKNOWN
            if isinstance(value, Mapping):
                value = value.get(word)
            elif isinstance(value, Sequence) and not isinstance(value, str) and word.isdigit():
                value = value[int(word)] if int(word) < len(value) else None
            else:
                return default
        return default if value is None or value == "" else value

    def items(self, path: str, of: Any = None) -> list[Any]:
        """The items of a list; none where it is absent or unknown."""
        value = self.get(path, of=of)
        if isinstance(value, Mapping):
            return [value]
        return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []

    def amount(self, path: str, default: Number, bounds: tuple[Number, Number], of: Any = None) -> Range:
        """A number, or, where it is unknown, anything between `bounds`."""
        value = self.get(path, default, of)
        found = number(value)
        if found is not None:
            return Range.of(max(found, Decimal(0)))
        low, high = bounds
        self.note(f"{path.rpartition('.')[2]} is {'unknown' if value is UNKNOWN else repr(value)}: {low} to {high}")
        return Range.of(low, high)

    def count(self, path: str, bounds: tuple[int, int], of: Any = None) -> Range:
        """How many items a list has, or, where it is unknown, anything between `bounds`."""
        if self.get(path, of=of) is not UNKNOWN:
            return Range.of(len(self.items(path, of)))
        self.note(f"{path.rpartition('.')[2]} are unknown: {bounds[0]} to {bounds[1]}")
        return Range.of(*bounds)

    def flag(self, path: str, default: bool = False, of: Any = None) -> bool | None:
        """A boolean; None where it is unknown."""
        value = self.get(path, default, of)
        return None if value is UNKNOWN else truth(value)

    def referred(self, path: str, kind: str, value: Any = None) -> list[PlannedResource]:
        """The resources of a type that a property of this one refers to."""
        return self.world.referred(self.one, path, kind, self.get(path) if value is None else value)

    def note(self, text: str) -> None:
        """Adds to the reason."""
        if text not in self.why:
            self.why.append(text)

    def free(self, reason: str) -> None:
        """It costs nothing of its own."""
        self.reason = reason

    def unpriced(self, reason: str) -> None:
        """Nobody can say what it costs."""
        self.missing.append(reason)

    def use(self, kind: str, key: str) -> Decimal:
        """A figure of its traffic: from the usage file, or the default; noted as an assumption."""
        value, given = self.world.usage.value(self.one.urn, self.one.name, kind, key)
        self.assumptions.append(Assumption(self.one.name, kind, key, value, KINDS[kind][key].unit, given))
        return value

    def price(self, service: str, item: str) -> Price | None:
        """A price of the resource's region; None, and noted as missing, where there is none."""
        try:
            return self.world.price(service, item, self.region)
        except UnknownPrice as error:
            self.lacking.append(error)
            return None

    def known(self, service: str, item: str) -> bool:
        """Whether there is a price of an item in the resource's region."""
        try:
            self.world.price(service, item, self.region)
        except UnknownPrice:
            return False
        return True

    def add(
        self,
        name: str,
        quantity: Range | Number,
        service: str,
        item: str,
        basis: Basis = Basis.MONTH,
        share: Range = ONE,
        rate: Range | None = None,
        note: str = "",
    ) -> None:
        """A charge for so many units of an item."""
        amount = quantity if isinstance(quantity, Range) else Range.of(quantity)
        if amount.high and (price := self.price(service, item)):
            self.charges.append(Charge(name, amount, price, basis, share, rate, note or price.note))

    def traffic(self, name: str, kind: str, key: str, service: str, item: str, per: Number = 1) -> None:
        """A charge for a figure of its traffic; `per` units of it are one unit of the price."""
        self.add(name, self.use(kind, key) / decimal(per), service, item, Basis.USAGE)

    def any_of(
        self,
        name: str,
        quantity: Range,
        service: str,
        items: Sequence[str],
        basis: Basis = Basis.MONTH,
        share: Range = ONE,
    ) -> None:
        """A charge for so many units of one of several items, nobody knows which: from the cheapest to the dearest."""
        if quantity.high and (ends := self._ends(service, items)):
            low, high = ends
            share = Range(low.usd / high.usd, Decimal(1)) * share
            self.charges.append(Charge(name, quantity, high, basis, share, note=high.note))

    def machines(
        self,
        service: str,
        kinds: Sequence[Any],
        quantity: Range,
        spot: bool | None = False,
        basis: Basis = Basis.MONTH,
        rate: Range | None = None,
        prefix: str = "",
        at_worst_on_demand: bool = False,
    ) -> None:
        """A charge for hours of a machine of one of `kinds`: from the cheapest to the dearest of them where there are
        several, or of all that the book knows where one is unknown. `spot` is None where that is unknown."""
        if not quantity.high:
            return
        if not kinds or any(not isinstance(kind, str) for kind in kinds):
            kinds = [item for item in self.world.items(service, self.region) if item.startswith(prefix)]
            if not kinds:
                self.lacking.append(UnknownPrice(service, "of any type", self.region))
                return
            low, high = self._ends(service, kinds) or (None, None)
            if low and high:
                names = f"{low.item} to {high.item}"
                self.note(f"its instance type is unknown: {names}, the cheapest and the dearest known")
        else:
            low, high = self._ends(service, kinds) or (None, None)
        if low is None or high is None:
            return
        share = Range(low.usd / high.usd, Decimal(1))
        name, note = high.item if low is high else f"{low.item} to {high.item}", high.note
        if spot is not False:
            found = self.world.book.spot(service, high.item, self.region)
            top = Decimal(1) if at_worst_on_demand or spot is None else found.share.high
            share = share * Range(found.share.low, max(top, found.share.low))
            name, note = f"{name} {'spot' if spot else 'perhaps spot'}", found.source
        self.charges.append(Charge(name, quantity, high, basis, share, rate, note))

    def _ends(self, service: str, items: Sequence[str]) -> tuple[Price, Price] | None:
        """The cheapest and the dearest of some items; None where one of them has no price."""
        prices = [self.price(service, item) for item in dict.fromkeys(items)]
        known = sorted((price for price in prices if price), key=lambda price: price.usd)
        return (known[0], known[-1]) if known and len(known) == len(prices) else None

    def cost(self) -> ResourceCost:
        """What was found."""
        one = self.one
        if self.missing or self.lacking:
            status, reason = "unpriced", "; ".join(dict.fromkeys([*self.missing, *_lacking(self.lacking)]))
            if self.charges:
                reason += "; the rest of it is counted"
        elif self.reason and not self.charges:
            status, reason = "free", self.reason
        elif self.charges:
            status, reason = "priced", "; ".join(self.why) or ", ".join(charge.name for charge in self.charges)
        else:
            status, reason = "priced", "; ".join([*self.why, "nothing of it is billed by these figures"])
        return ResourceCost(
            one.urn, one.type, one.name, status, reason, tuple(self.charges),  # type: ignore[arg-type]
            self.ephemeral, self.hours, tuple(self.assumptions),
        )  # fmt: skip


def _lacking(errors: Sequence[UnknownPrice]) -> Iterator[str]:
    """One sentence for all prices that a region lacks, with the command that may have them."""
    if errors:
        first = errors[0]
        items = dict.fromkeys(f"{error.service} {error.item}" for error in errors)
        near = f"known there: {', '.join(first.near)}; " if first.near and len(items) == 1 else ""
        yield f"no price for {', '.join(items)} in {first.region}; {near}{first.command}"


def _left(until: Any, now: datetime) -> Range | None:
    """Hours until a lease ends; None where it is unknown, no time, or over."""
    try:
        end = datetime.fromisoformat(until)
    except (TypeError, ValueError):
        return None
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    hours = decimal((end - now).total_seconds()) / SECONDS_AN_HOUR
    return Range.of(hours) if hours > 0 else None


def row(name: str, service: str, item: str, quantity: Number = 1, reason: str = "") -> Rule:
    """The rule of what is billed the same whatever its properties are."""

    def rule(p: Pricing) -> None:
        p.add(name, quantity, service, item)
        if reason:
            p.note(reason)

    return rule


def hourly(name: str, service: str, item: str) -> Rule:
    """The rule of what is billed for each hour that it exists."""
    return row(name, service, item, HOURS_A_MONTH)


def free(reason: str) -> Rule:
    """The rule of what costs nothing of its own."""
    return lambda p: p.free(reason)


def unpriced(reason: str) -> Rule:
    """The rule of what is known to cost, and by which nobody can say how much."""
    return lambda p: p.unpriced(reason)


def by_traffic(*charges: tuple[str, str, str, str, str, Number]) -> Rule:
    """The rule of what only traffic costs: (name, kind, key, service, item, units of the key in one of the price)."""

    def rule(p: Pricing) -> None:
        for charge in charges:
            p.traffic(*charge)

    return rule
