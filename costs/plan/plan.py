"""What a plan costs: each of its resources before and after, and what that comes to.

Nothing is left out: every resource is priced, free, or unpriced with the reason; totals say whether they are whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from typing import Any

from costs.amounts import NOTHING, Range, decimal
from costs.book.price import HOURS_A_MONTH, refresh_of
from costs.book.prices import PriceBook
from costs.plan.charges import Assumption, ResourceCost, Status
from costs.plan.preview import COMMAND, PlannedResource, Preview
from costs.plan.rules import rule
from costs.plan.rules.base import Pricing, number
from costs.plan.rules.world import World
from costs.plan.traffic import Usage
from shoestring.base.errors import UserError
from shoestring.base.names import LEASE_HOURS

ANY_LEASE = Range(decimal(1), HOURS_A_MONTH)


@dataclass(frozen=True)
class Totals:
    """Sums in US dollars: of what stays by month, while idle and with its usage, and by hour while it is up; of what is
    ephemeral one run of everything, from the least to the worst case, and its hour while it runs.

    `priced` resources are in the sums, of `partial` ones the part that is known; the `unpriced` ones are not.
    """

    idle: Range
    monthly: Range
    hourly: Range
    run: Range
    run_hourly: Range
    priced: int = 0
    partial: int = 0
    unpriced: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

    @property
    def status(self) -> Status:
        """Whether the sums are all that there is, at least that, or, where nothing is priced, no sums at all."""
        if self.unpriced and not self.priced + self.partial:
            return "unpriced"
        return "at least" if self.unpriced or self.partial else "priced"

    @classmethod
    def of(cls, costs: Iterable[ResourceCost | None], hidden: int = 0) -> Totals:
        """The sums of resources; those that are not there count nothing, `hidden` ones are known to be missing."""
        present = [cost for cost in costs if cost is not None]
        stays, goes = ([cost for cost in present if cost.ephemeral is kind] for kind in (False, True))
        statuses = Counter(cost.status for cost in present)
        return cls(
            idle=sum((cost.idle for cost in stays), NOTHING),
            monthly=sum((cost.monthly for cost in stays), NOTHING),
            hourly=sum((cost.hourly for cost in stays), NOTHING),
            run=sum((cost.run for cost in goes), NOTHING),
            run_hourly=sum((cost.hourly for cost in goes), NOTHING),
            priced=statuses["priced"],
            partial=statuses["at least"] + hidden,
            unpriced=statuses["unpriced"],
        )


@dataclass(frozen=True)
class Change:
    """One resource: what the plan does with it, and what it costs before and after; None where it is not there."""

    op: str
    before: ResourceCost | None
    after: ResourceCost | None

    @property
    def resource(self) -> ResourceCost:
        """The resource as it is after the plan, or as it was before it goes."""
        cost = self.after or self.before
        assert cost
        return cost

    @property
    def difference(self) -> Range:
        """Dollars that the plan adds: a month of what stays, a run of what is ephemeral."""
        figure = "run" if self.resource.ephemeral else "monthly"
        before, after = (getattr(cost, figure) if cost else NOTHING for cost in (self.before, self.after))
        return after.since(before)


@dataclass(frozen=True)
class Plan:
    """A stack's plan with its prices. `hidden`: how many unchanged resources the preview does not show."""

    stack: str
    project: str
    kind: str
    region: str
    changes: tuple[Change, ...]
    before: Totals
    after: Totals
    warnings: tuple[str, ...]
    hidden: int = 0
    usage: str = ""

    @property
    def difference(self) -> Range:
        """Dollars a month that the plan adds."""
        return self.after.monthly.since(self.before.monthly)

    @property
    def unpriced(self) -> list[ResourceCost]:
        """The resources whose cost nobody can say."""
        return self._of("unpriced")

    @property
    def partial(self) -> list[ResourceCost]:
        """The resources that cost at least what is said of them."""
        return self._of("at least")

    def _of(self, status: Status) -> list[ResourceCost]:
        return [change.resource for change in self.changes if change.resource.status == status]

    @property
    def complete(self) -> bool:
        """Whether the totals hold everything that the stack has."""
        return not self.hidden and all(change.resource.whole for change in self.changes)

    @property
    def costs(self) -> list[ResourceCost]:
        """What each resource costs, before the plan and after it."""
        return [cost for change in self.changes for cost in (change.before, change.after) if cost]

    @property
    def assumptions(self) -> list[Assumption]:
        """What is assumed of the resources that are there after the plan; not what hardly any of them has."""
        costs = [change.after for change in self.changes if change.after]
        return [assumption for cost in costs for assumption in cost.assumptions if assumption.value or assumption.given]


def lease_hours(config: Mapping[str, object]) -> Range:
    """Hours that ephemeral resources stand where no lease says: as configured, else an hour to a month."""
    hours = number(config.get(LEASE_HOURS))
    return Range.of(hours) if hours else ANY_LEASE


def price_resources(
    resources: Sequence[PlannedResource],
    region: str,
    book: PriceBook,
    usage: Usage | None = None,
    *,
    config: Mapping[str, object] | None = None,
    now: datetime | None = None,
) -> list[ResourceCost]:
    """What each resource costs that is there after the plan, in the order given; those that go are left out.

    Args:
        region: of resources whose own is not known.
        book: an item that it does not have makes a resource unpriced.
        usage: traffic; without it the defaults.
        config: the stack's; `shoestring:leaseHours` of it counts where a lease is unknown.
        now: when leases begin to run; the present unless given.
    """
    planned = [resource for resource in resources if resource.stays]
    world = World(book, region, usage or Usage(), now or datetime.now(UTC), lease_hours(config or {}), planned)
    return [_price(resource, world) for resource in planned]


def _price(resource: PlannedResource, world: World) -> ResourceCost:
    pricing = Pricing(resource, world)
    try:
        rule(resource)(pricing)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # a preview may hold what no provider would take: it is said to be unpriced, and the others are priced
        pricing = Pricing(resource, world)
        pricing.unpriced(f"its properties have a form that its rule does not know: {type(error).__name__}: {error}")
    return pricing.cost()


def price_plan(
    preview: Preview,
    book: PriceBook,
    usage: Usage | None = None,
    region: str | None = None,
    now: datetime | None = None,
) -> Plan:
    """The plan of a preview with its prices.

    Args:
        region: where the preview does not say its own.

    Raises:
        UserError: no region is known.
    """
    now, usage = now or datetime.now(UTC), usage or Usage()
    place = preview.region or region or _only([resource.region for resource in preview.resources])
    if place is None:
        raise UserError(
            f"the region of {preview.stack} is not in the {preview.kind}",
            "aws:region in it, or the option",
            "--region us-east-1",
        )
    words = {"book": book, "usage": usage, "config": preview.config, "now": now}
    earlier = [
        None if resource.before is None else replace(resource, inputs=resource.before, op="same")
        for resource in preview.resources
    ]
    planned = [resource if resource.stays else None for resource in preview.resources]
    # paired by place: a state may hold the same URN twice, where a replaced resource waits for its deletion
    before, after = (_priced(resources, place, words) for resources in (earlier, planned))
    changes = tuple(
        Change(resource.op, old, new)
        for resource, old, new in zip(preview.resources, before, after, strict=True)
        if old or new
    )
    totals = [Totals.of(costs, preview.hidden) for costs in (before, after)]
    return Plan(
        preview.stack, preview.project, preview.kind, place, changes, before=totals[0], after=totals[1],
        warnings=tuple(_warnings(preview, changes, now.date())), hidden=preview.hidden, usage=usage.source,
    )  # fmt: skip


def _priced(
    resources: Sequence[PlannedResource | None], region: str, words: Mapping[str, Any]
) -> list[ResourceCost | None]:
    """What resources cost, each in its own place; None for those that are not there."""
    costs = iter(price_resources([resource for resource in resources if resource], region, **words))
    return [next(costs) if resource else None for resource in resources]


def _only(regions: Iterable[str | None]) -> str | None:
    known = {region for region in regions if region}
    return known.pop() if len(known) == 1 else None


def _warnings(preview: Preview, changes: Sequence[Change], today: date) -> Iterable[str]:
    yield from preview.warnings
    if preview.hidden:
        yield (
            f"{preview.hidden} unchanged resource(s) are not in this preview, nor in the totals; all of them: {COMMAND}"
        )
    costs = [change.after for change in changes if change.after]
    statuses = Counter(cost.status for cost in costs)
    if count := statuses["unpriced"]:
        yield f"{count} resource(s) are unpriced: the totals are without them"
    if count := statuses["at least"]:
        yield f"{count} resource(s) cost at least what is said: the totals are without the rest of them"
    prices = {charge.price for cost in costs for charge in cost.charges}
    if old := sorted((price for price in prices if price.stale(today)), key=lambda price: (price.as_of, price.region)):
        commands = dict.fromkeys(refresh_of(price.service, price.item, price.region) for price in old)
        mend = "; ".join(filter(None, commands)) or "no refresh asks for them"
        yield f"prices of {old[0].as_of} are stale: {mend}"
    uncertain = [cost.name for cost in costs if any("unknown" in part for part in cost.reason.split("; "))]
    if uncertain:
        yield (
            f"{len(uncertain)} resource(s) with values that the preview cannot know are priced as ranges; "
            "a usage file can say what they will be (assume)"
        )
