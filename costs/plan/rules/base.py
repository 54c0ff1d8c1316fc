"""What a rule works with: one resource of a plan, the others around it, and the charges that it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from costs.amounts import MILLION, ONE, THOUSAND, Number, Range, decimal
from costs.book.price import HOURS_A_MONTH, Price, UnknownPrice, lacking
from costs.plan.charges import Assumption, Basis, Charge, ResourceCost, Status
from costs.plan.preview import UNKNOWN, PlannedResource, parts
from costs.plan.rules.billed import DESCRIPTIONS, Reads
from costs.plan.rules.world import World
from costs.plan.traffic import KINDS
from shoestring.base.names import LEASE_TAG, is_window

HOURS = Range.of(HOURS_A_MONTH)
COUNTED = {"thousand": THOUSAND, "million": MILLION}  # units of a price → how many of a figure they are
SUBNET, DEFAULT_SUBNET = "aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet"
SCHEDULED = "aws:appautoscaling/scheduledAction:ScheduledAction"
COUNTS = 0, 100  # of what scales and whose size is unknown: far above what a small budget has
OBJECT = dict, Mapping  # the former is recognised faster
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


def plain(value: Decimal) -> str:
    """A number without needless zeros and without an exponent."""
    return f"{value.normalize():f}"


class Pricing:
    """One resource while a rule prices it: its properties, and the charges that it gets.

    What is billed without being known makes it "at least", or unpriced where nothing else is: a price that the book
    does not have, what a rule says, a property of `billed.csv` that the rule has not read, a target that scales it
    without the rule's asking.
    """

    def __init__(self, resource: PlannedResource, world: World) -> None:
        self.resource, self.world = resource, world
        self.region = resource.region or world.region
        self.charges: list[Charge] = []
        self.assumptions: list[Assumption] = []
        self.why: list[str] = []
        self.beyond: list[str] = []
        self.lacking: list[UnknownPrice] = []
        self.reason = ""
        self._reads = Reads()
        self._reads.watch(resource)
        self._scales = False
        usage = world.usage
        self._assumed = usage.assume.get(resource.urn) or usage.assume.get(resource.name) or {}
        self._assumptions_read: set[str] = set()
        self.ephemeral, self.hours = self._life()

    def _life(self) -> tuple[bool, Range | None]:
        tags = self.resource.inputs.get("tags")
        until = tags.get(LEASE_TAG) if isinstance(tags, Mapping) else None
        if until is None and not is_window(parts(self.resource.urn)[0]):
            return False, None
        return True, self.world.lease(until)

    def get(self, path: str, default: Any = None, of: Any = None) -> Any:
        """The property at a dotted path (`a.0.b` for items of lists); UNKNOWN where the plan cannot know it."""
        owner: Any = self.resource.inputs if of is None else of
        if self._assumed and path in self._assumed and owner is self.resource.inputs:
            value = self._assumed[path]
            self._assumptions_read.add(path)
        else:
            value = owner
            for word in path.split("."):
                if isinstance(value, OBJECT):
                    value = value.get(word)
                elif isinstance(value, Sequence) and not isinstance(value, str) and word.isdigit():
                    value = value[int(word)] if int(word) < len(value) else None
                elif value is not UNKNOWN:
                    value = None
                    break
        self._reads.note(owner, path, value)
        return default if value is None or value == "" else value

    def items(self, path: str, of: Any = None, hidden: Sequence[Any] = ()) -> list[Any]:
        """The items of a list; none where it is absent, `hidden` where it is unknown."""
        value = self.get(path, of=of)
        if isinstance(value, Mapping):
            return [value]
        if value is UNKNOWN:
            return list(hidden)
        return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []

    def amount(self, path: str, default: Number | None, bounds: tuple[Number, Number], of: Any = None) -> Range:
        """A number, or, where it is unknown (or absent, without a default), anything between `bounds`."""
        value = self.get(path, default, of)
        if isinstance(value, Range):
            return value
        known = number(value)
        if known is not None:
            return Range.of(max(known, Decimal(0)))
        low, high = bounds
        self.note(
            f"{path.rpartition('.')[2]} is {'unknown' if value in (UNKNOWN, None) else repr(value)}: {low} to {high}"
        )
        return Range.of(low, high)

    def span(
        self,
        least: str,
        most: str,
        bounds: tuple[Number, Number],
        of: Any = None,
        defaults: tuple[Number | None, Number | None] = (0, 0),
    ) -> Range:
        """From what one property says at the least to what another one says at the most."""
        low, high = self.amount(least, defaults[0], bounds, of), self.amount(most, defaults[1], bounds, of)
        return Range(low.low, max(high.high, low.low))

    def flag(self, path: str, default: bool = False, of: Any = None) -> bool | None:
        """A boolean; None where it is unknown."""
        value = self.get(path, default, of)
        return None if value is UNKNOWN else truth(value)

    def replicas(self, path: str, region: str) -> Iterator[Any]:
        """The items of a list, one after the other, each while prices are those of the region that it names."""
        home = self.region
        for replica in self.items(path):
            name = self.get(region, home, replica)
            if isinstance(name, str):
                self.region = name
                yield replica
                self.region = home
            else:
                self.at_least("the region of a replica is unknown")
        if self.get(path) is UNKNOWN:
            self.at_least(f"its {path} are unknown")

    def referred(self, path: str, kind: str, value: Any = None) -> list[PlannedResource]:
        """The resources of a type that a property of this one refers to: what they have is read as its own."""
        value = self.get(path) if value is None else value
        resources = self.world.referred(self.resource, path, kind, value)
        for resource in resources:
            self._reads.watch(resource)
        return resources

    def scaled(
        self,
        count: Range,
        dimension: str,
        part: str = "",
        several: bool = False,
        of: PlannedResource | None = None,
    ) -> Range:
        """`count`, or what a target of Application Auto Scaling makes of it: its least to its most, with `count` as
        what is expected.

        Args:
            dimension: what is scaled, such as `ecs:service:DesiredCount`.
            part: the name of one part of the resource (a variant, an index), where it has such and the name is known.
            several: whether there are several parts, any of which a target may mean where a name is unknown.
            of: what is scaled, where that is another resource.
        """
        self._scales = True
        sizes: list[Range] = []
        for target, names, certain in self.world.targets(of or self.resource):
            scales = target.inputs.get("scalableDimension", UNKNOWN)
            if scales not in (dimension, UNKNOWN) or (part and names and part not in names):
                continue
            certain = certain and scales is not UNKNOWN and not (several and (names is None or not part))
            sizes += [self.span("minCapacity", "maxCapacity", COUNTS, target.inputs)] + [count] * (not certain)
            for action in self.world.users(target, SCHEDULED, "resourceId"):
                for path in ("scalableTargetAction.minCapacity", "scalableTargetAction.maxCapacity"):
                    if self.get(path, of=action.inputs) is not None:
                        sizes.append(self.amount(path, 0, COUNTS, action.inputs))
        if not sizes:
            return count
        bounds = Range.spanning(sizes)
        self.note(f"{part or 'it'} scales between {plain(bounds.low)} and {plain(bounds.high)}")
        return bounds.around(count.expected)

    def public_addresses(
        self, count: Range, own: Any, subnets: str = "", named: Any = None, default_subnet: bool = True
    ) -> None:
        """The charge for the public IPv4 address that each of `count` things takes.

        Args:
            own: whether the thing asks for one itself; None where it does as its subnets do.
            subnets: the property with its subnets.
            named: the subnets themselves, where they do not stand in that property.
            default_subnet: whether it lies in a default subnet, which gives addresses, where it names no subnet.
        """
        if own is None:
            own = self._gives_addresses(subnets, self.get(subnets) if named is None else named, default_subnet)
        if own is UNKNOWN:
            self.note("whether it has a public IPv4 address is unknown; it is expected to")
            count = count.maybe.around(count.expected)
        elif not truth(own):
            return
        self.add("public IPv4 address", HOURS * count, "vpc", "public-ipv4")

    def _gives_addresses(self, path: str, named: Any, default_subnet: bool) -> Any:
        """Whether subnets give what starts in them a public address; UNKNOWN where the plan does not say."""
        if named is None or named == []:
            if default_subnet:
                self.note("in a default subnet, which gives public addresses")
            return default_subnet
        subnets = {kind: self.referred(path, kind, named) for kind in (SUBNET, DEFAULT_SUBNET)}
        answers = {
            UNKNOWN if (value := self.get("mapPublicIpOnLaunch", kind == DEFAULT_SUBNET, subnet.inputs)) is UNKNOWN
            else truth(value)
            for kind in subnets for subnet in subnets[kind]
        }  # fmt: skip
        if isinstance(named, list) and len(named) > sum(map(len, subnets.values())):
            answers.add(UNKNOWN)  # some of them are not in the plan
        return answers.pop() if len(answers) == 1 else UNKNOWN

    def note(self, remark: str) -> None:
        """Adds to the reason."""
        if remark not in self.why:
            self.why.append(remark)

    def free(self, reason: str) -> None:
        """It costs nothing of its own."""
        self.reason = reason

    def at_least(self, reason: str) -> None:
        """Something that it costs is in no charge, which `reason` names: it costs at least what is priced of it, and
        is unpriced where nothing is."""
        self.beyond.append(reason)

    unpriced = at_least  # said where nothing at all is priced

    def use(self, kind: str, key: str) -> Decimal:
        """A figure of its traffic: from the usage file, or the default; noted as an assumption."""
        resource, figure = self.resource, KINDS[kind][key]
        value, given = self.world.usage.value(resource.urn, resource.name, kind, key)
        if value is None:
            value = Decimal(0)
            self.at_least(f"it is billed by {key} too ({figure.unit}), which only a usage file can say")
        assumption = Assumption(resource.name, kind, key, value, figure.unit, given)
        if assumption not in self.assumptions:
            self.assumptions.append(assumption)
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
        return self.world.book.find(service, item, self.region) is not None

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
        times: Range = ONE,
    ) -> None:
        """A charge for so many units of an item, at the price of each tier; for as many things as `times` says."""
        amount = quantity if isinstance(quantity, Range) else Range.of(quantity)
        if amount.high and times.high and (price := self.price(service, item)):
            for start, end, tier in self.world.tiers(price):
                if (part := amount.between(start, end) if start or end else amount).high:
                    label = name if tier is price else f"{name}, {tier.note}"
                    amount_of = part if times is ONE else part * times
                    self.charges.append(Charge(label, amount_of, tier, basis, share, rate, note or tier.note))

    def traffic(self, name: str, kind: str, key: str, service: str, *items: str, certain: bool = True) -> None:
        """A charge for a figure of its traffic, at the price of one of `items`; or none, where that is not certain."""
        figure = self.use(kind, key)
        if figure and (price := self.price(service, items[0])):
            units = Range.of(figure / COUNTED.get(price.unit, 1))
            self.any_of(name, units if certain else units.maybe, service, items, Basis.USAGE)

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
        if len(items) == 1:
            self.add(name, quantity, service, items[0], basis, share)
        elif quantity.high and (prices := self._prices(service, items)):
            low, high = prices[0], prices[-1]
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
        first: Any = None,
        share: Range = ONE,
        weights: Mapping[str, Decimal] | None = None,
    ) -> None:
        """A charge for hours of a machine of one of `kinds`: from the cheapest to the dearest of them where there are
        several, or of all that the book knows where one is unknown.

        Args:
            spot: None where that is unknown.
            first: which of several kinds is taken first, and so expected.
            share: of the price.
            weights: how much of `quantity` an hour of each kind stands for, where that is not one.
        """
        if not quantity.high:
            return
        unknown = not kinds or any(not isinstance(kind, str) for kind in kinds)
        if unknown:
            kinds = [item for item in self.world.items(service, self.region) if item.startswith(prefix)]
            if not kinds:
                self.lacking.append(UnknownPrice(service, f"{prefix}*", self.region))
        prices = self._prices(service, kinds, weights)
        if not prices:
            return
        low, high = prices[0], prices[-1]
        if unknown:
            self.note(f"its instance type is unknown: {low.item} to {high.item}, the cheapest and the dearest known")

        def unit(price: Price, usd: Decimal) -> Decimal:
            return usd / weights.get(price.item, Decimal(1)) if weights else usd

        taken = next((price for price in prices if price.item == first and not unknown), low if low is high else None)
        name, note = high.item if low is high else f"{low.item} to {high.item}", high.note
        ends, expected = [unit(low, low.usd), unit(high, high.usd)], unit(taken, taken.usd) if taken else None
        if spot is not False:
            offers = {price: self.world.book.spot(service, price.item, self.region) for price in prices}
            bounds = {price: offer.bounds(self.world.now.date()) for price, offer in offers.items()}
            top = at_worst_on_demand or spot is None
            ends[0] = min(unit(price, bound.low) for price, bound in bounds.items())
            ends[1] = max(unit(price, price.usd if top else bound.high) for price, bound in bounds.items())
            offer = offers[taken or high]
            expected = unit(taken, offer.likely) if taken and offer.likely and spot else None
            if expected and (part := offer.share.expected):
                self.note(f"spot at {part * 100:.0f} % of the price on demand: {offer.source}")
            elif spot and not offer.observed:
                mend = f"shoestring prices refresh --region {self.region}"
                self.note(f"no spot price of {name} is known: its bounds alone, as AWS advertises ({mend})")
            name, note = f"{name} {'spot' if spot else 'perhaps spot'}", offer.source
        whole = unit(high, high.usd)
        within = Range(min(ends) / whole, ends[1] / whole).around(expected and expected / whole)
        quantity = quantity / weights.get(high.item, Decimal(1)) if weights else quantity
        self.charges.append(Charge(name, quantity, high, basis, within * share, rate, note))

    def _prices(self, service: str, items: Sequence[str], weights: Mapping[str, Decimal] | None = None) -> list[Price]:
        """The prices of some items, the cheapest (for its weight) first; none where one of them has no price."""
        prices = [self.price(service, item) for item in dict.fromkeys(items)]
        known = [price for price in prices if price]
        known.sort(key=lambda price: price.usd / weights.get(price.item, 1) if weights else price.usd)
        return known if len(known) == len(prices) else []

    def _unknown_parts(self) -> Iterator[str]:
        """What it is billed for beyond its charges."""
        yield from self.beyond
        if self.lacking:
            yield lacking(self.lacking)
        if self.resource.type not in DESCRIPTIONS:
            yield from self._reads.missed()
        if self.charges and not self._scales and any(True for _ in self.world.targets(self.resource)):
            yield "a target scales it, which is not in the figure"

    def cost(self) -> ResourceCost:
        """What it costs, with the reason."""
        beyond = list(dict.fromkeys(self._unknown_parts()))
        status: Status
        if beyond and self.charges:
            status, reason = "at least", "; ".join([*beyond, *self.why, "the rest of it is counted"])
        elif beyond:
            status, reason = "unpriced", "; ".join(beyond)
        elif self.reason and not self.charges:
            status, reason = "free", self.reason
        elif self.charges:
            status, reason = "priced", "; ".join(self.why) or ", ".join(charge.name for charge in self.charges)
        else:
            status, reason = "priced", "; ".join([*self.why, "nothing of it is billed by these figures"])
        resource = self.resource
        return ResourceCost(
            resource.urn, resource.type, resource.name, status, reason, tuple(self.charges),
            self.ephemeral, self.hours, tuple(self.assumptions), frozenset(self._assumptions_read),
        )  # fmt: skip
