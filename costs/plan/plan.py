"""What a plan costs: each of its resources before and after, and what that comes to.

Nothing is left out: every resource is priced, free, or unpriced with the reason; totals say whether they are whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches

from costs.amounts import NOTHING, Range, decimal
from costs.book.price import HOURS_A_MONTH
from costs.book.prices import PriceBook
from costs.plan.charges import Assumption, ResourceCost
from costs.plan.preview import COMMAND, UNKNOWN, PlannedResource, Preview
from costs.plan.rules import rule
from costs.plan.rules.base import Pricing, World, number
from costs.plan.rules.traffic import KINDS, Usage
from shoestring.base.errors import UserError
from shoestring.base.names import LEASE_HOURS

ANY_LEASE = Range(decimal(1), HOURS_A_MONTH)


@dataclass(frozen=True)
class Totals:
    """Sums in US dollars: of what stays by month, while idle and with its usage, and by hour while it is up; of what is
    ephemeral one run of everything, from the least to the worst case, and its hour while it runs."""

    idle: Range
    monthly: Range
    hourly: Range
    run: Range
    run_hourly: Range

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @classmethod
    def of(cls, costs: Iterable[ResourceCost | None]) -> Totals:
        """The sums of resources; those that are not there count nothing."""
        there = [cost for cost in costs if cost is not None]
        stays, goes = ([cost for cost in there if cost.ephemeral is kind] for kind in (False, True))
        return cls(
            idle=sum((cost.idle for cost in stays), NOTHING),
            monthly=sum((cost.monthly for cost in stays), NOTHING),
            hourly=sum((cost.hourly for cost in stays), NOTHING),
            run=sum((cost.run for cost in goes), NOTHING),
            run_hourly=sum((cost.hourly for cost in goes), NOTHING),
        )


@dataclass(frozen=True)
class Change:
    """One resource: what the plan does with it, and what it costs before and after; None where it is not there."""

    op: str
    before: ResourceCost | None
    after: ResourceCost | None

    @property
    def one(self) -> ResourceCost:
        """The resource as it is after the plan, or as it was before it goes."""
        found = self.after or self.before
        assert found
        return found

    @property
    def difference(self) -> Range:
        """Dollars a month that the plan adds; of the same ends of both ranges where nothing is exact."""
        before = self.before.monthly if self.before else NOTHING
        after = self.after.monthly if self.after else NOTHING
        return _minus(after, before)


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
        return _minus(self.after.monthly, self.before.monthly)

    @property
    def unpriced(self) -> list[ResourceCost]:
        """The resources whose cost is not known, or not all of it."""
        return [change.one for change in self.changes if change.one.status == "unpriced"]

    @property
    def complete(self) -> bool:
        """Whether the totals hold everything that the stack has."""
        return not self.hidden and not self.unpriced

    @property
    def assumptions(self) -> list[Assumption]:
        """What is assumed of the resources that are there after the plan."""
        return [assumption for change in self.changes if change.after for assumption in change.after.assumptions]


def _minus(after: Range, before: Range) -> Range:
    """The difference of two ranges, end by end: what is unknown in both of them does not count twice."""
    ends = sorted((after.low - before.low, after.high - before.high))
    return Range(*ends)


def lease_hours(config: Mapping[str, object]) -> Range:
    """Hours that ephemeral resources stand where no lease says: as configured, else an hour to a month."""
    found = number(config.get(LEASE_HOURS))
    return Range.of(found) if found else ANY_LEASE


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
    there = [one for one in resources if one.stays]
    world = World(book, region, usage or Usage(), now or datetime.now(UTC), lease_hours(config or {}), there)
    return [_price(one, world) for one in there]


def _price(one: PlannedResource, world: World) -> ResourceCost:
    pricing = Pricing(one, world)
    try:
        rule(one)(pricing)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # a preview may hold what no provider would take: it is said to be unpriced, and the others are priced
        pricing = Pricing(one, world)
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
    place = preview.region or region or _only([one.region for one in preview.resources])
    if place is None:
        raise UserError(
            f"the region of {preview.stack} is not in the {preview.kind}",
            "aws:region in it, or the option",
            "--region us-east-1",
        )
    words = {"book": book, "usage": usage, "config": preview.config, "now": now}
    earlier = [replace(one, inputs=one.before, op="same") for one in preview.resources if one.before is not None]
    was = dict(zip(map(id, earlier), price_resources(earlier, place, **words), strict=True))  # type: ignore[arg-type]
    there = [one for one in preview.resources if one.stays]
    costs = dict(zip(map(id, there), price_resources(there, place, **words), strict=True))  # type: ignore[arg-type]
    origin = iter(earlier)
    changes = tuple(
        Change(one.op, was[id(next(origin))] if one.before is not None else None, costs.get(id(one)))
        for one in preview.resources
    )
    changes = tuple(change for change in changes if change.before or change.after)
    before, after = Totals.of(c.before for c in changes), Totals.of(c.after for c in changes)
    return Plan(
        preview.stack, preview.project, preview.kind, place, changes, before, after,
        warnings=tuple(_warnings(preview, changes, now.date())), hidden=preview.hidden, usage=usage.source,
    )  # fmt: skip


def _only(regions: Iterable[str | None]) -> str | None:
    found = {region for region in regions if region}
    return found.pop() if len(found) == 1 else None


def _warnings(preview: Preview, changes: Sequence[Change], today: date) -> Iterable[str]:
    yield from preview.warnings
    if preview.hidden:
        yield (
            f"{preview.hidden} unchanged resource(s) are not in this preview, nor in the totals; all of them: {COMMAND}"
        )
    there = [change.after for change in changes if change.after]
    if count := sum(cost.status == "unpriced" for cost in there):
        yield f"{count} resource(s) are unpriced: the totals are without them"
    old = sorted({charge.price.as_of for cost in there for charge in cost.charges if charge.price.stale(today)})
    if old:
        regions = sorted({charge.price.region for cost in there for charge in cost.charges})
        yield f"prices of {old[0]} are stale: shoestring prices refresh --region {regions[0]}"
    uncertain = [cost.name for cost in there if any("unknown" in part for part in cost.reason.split("; "))]
    if uncertain:
        yield (
            f"{len(uncertain)} resource(s) with values that the preview cannot know are priced as ranges; "
            "a usage file can say what they will be (assume)"
        )


def check_usage(usage: Usage, resources: Sequence[PlannedResource]) -> None:
    """Raises UserError where a usage file names resources that the plan does not have."""
    known = {name for one in resources for name in (one.name, one.urn)}
    problems = []
    for name in [*usage.resources, *usage.assume]:
        if name not in known:
            near = get_close_matches(name, sorted({one.name for one in resources}), 1)
            problems.append(f"  {name}: no such resource in the plan" + (f"; did you mean {near[0]}?" if near else ""))
    if problems:
        raise UserError(
            f"{len(problems)} problem(s) in {usage.source or 'the usage'}:\n" + "\n".join(problems),
            "names or URNs of resources in the plan",
            f"edit {usage.source or 'it'}",
        )


__all__ = ["KINDS", "UNKNOWN", "Change", "Plan", "PlannedResource", "Totals", "Usage", "price_plan", "price_resources"]
