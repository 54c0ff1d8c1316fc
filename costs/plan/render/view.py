"""A plan in the words and the order in which people read it: what table, Markdown and HTML have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from costs.amounts import NOTHING, ONE, Range
from costs.plan.charges import Basis, Charge, ResourceCost
from costs.plan.plan import Change, Plan, Totals
from costs.plan.render import money

SIGNS = {"create": "+", "delete": "−", "replace": "±", "update": "~", "same": "", "read": ""}
KINDS = {"preview": "pulumi preview", "events": "the engine's events", "state": "the stack's state"}
PER = {Basis.MONTH: "a month", Basis.USAGE: "a month, by usage", Basis.RUN: "a run"}


@dataclass(frozen=True)
class Line:
    """One charge: what it is, how it is reckoned, and what it comes to."""

    name: str
    reckoned: str
    usd: str
    per: str


@dataclass(frozen=True)
class Row:
    """One resource."""

    sign: str
    kind: str
    name: str
    reason: str
    before: str
    after: str
    difference: str
    lines: tuple[Line, ...]
    telling: bool = True  # whether the reason says more than the names of the charges
    bar: tuple[float, float] = (0.0, 0.0)  # percent of the dearest, at the least and at the most
    hourly: str = ""
    hours: str = ""


@dataclass(frozen=True)
class Sum:
    """One total."""

    name: str
    before: str
    after: str
    difference: str
    strong: bool = False


@dataclass(frozen=True)
class Total:
    """One total in figures."""

    name: str
    before: Range
    after: Range
    strong: bool = False
    digits: int = 2


@dataclass(frozen=True)
class View:
    """A plan as it is shown."""

    stack: str
    about: str
    stays: tuple[Row, ...]
    goes: tuple[Row, ...]
    sums: tuple[Sum, ...]
    unpriced: tuple[Row, ...]
    free: tuple[tuple[str, int, str], ...]
    assumptions: tuple[tuple[str, str, str], ...]
    sources: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    complete: bool

    @property
    def new(self) -> bool:
        """Whether nothing of what stays was there before."""
        return not any(row.before for row in self.stays)


def short(token: str) -> str:
    """A type as people say it: `ec2 Instance` of `aws:ec2/instance:Instance`."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    return f"{module.partition('/')[0] if package == 'aws' else package} {name or module}"


def sign(op: str) -> str:
    """The mark of what happens to a resource."""
    return SIGNS.get(op, "±" if "replace" in op else "~")


def _reckoned(charge: Charge) -> str:
    low, high = charge.share.low * 100, charge.share.high * 100
    text = f"{money.quantity(charge.quantity)} {charge.price.unit} × "
    if charge.share == ONE:
        return text + money.price(charge.price.usd)
    if low == low.to_integral_value() and high == high.to_integral_value():  # a share of one price
        percent = f"{low:.0f}" if low == high else f"{low:.0f} {money.DASH} {high:.0f}"
        return f"{text}{money.price(charge.price.usd)} × {percent} %"
    low, high = charge.share.low * charge.price.usd, charge.share.high * charge.price.usd  # one of several prices
    return f"{text}{money.price(round(low, 4))} {money.DASH} {money.price(round(high, 4))}"


def _lines(cost: ResourceCost) -> tuple[Line, ...]:
    found = []
    for charge in cost.charges:
        hours = cost.ephemeral and charge.basis is Basis.MONTH
        per = "a month, while it stands" if hours else PER[charge.basis]
        found.append(Line(charge.name, _reckoned(charge), money.usd(charge.usd), per))
    return tuple(found)


def _row(change: Change, whole: Decimal) -> Row:
    one = change.one
    before = change.before.monthly if change.before else NOTHING
    after = change.after.monthly if change.after else NOTHING
    extra = {}
    if one.ephemeral:
        before = change.before.run if change.before else NOTHING
        after = change.after.run if change.after else NOTHING
        hours = one.hours or NOTHING
        standing = any(charge.basis is Basis.MONTH for charge in one.charges)
        extra = {"hourly": money.usd(one.hourly, 4), "hours": f"{money.quantity(hours)} h" if standing else ""}
    return Row(
        sign=sign(change.op),
        kind=short(one.type),
        name=one.name,
        reason=one.reason,
        before=money.usd(before) if change.before else "",
        after=money.usd(after) if change.after else "",
        difference=money.signed(Range(*sorted((after.low - before.low, after.high - before.high)))),
        lines=_lines(one),
        telling=one.reason != ", ".join(charge.name for charge in one.charges),
        bar=(money.share(after.low, whole), money.share(after.high, whole)),
        **extra,
    )


def _sums(before: Totals, after: Totals) -> tuple[Sum, ...]:
    rows = [
        Total("a month, idle", before.idle, after.idle),
        Total("a month, with usage", before.monthly, after.monthly, strong=True),
        Total("each hour that it is up", before.hourly, after.hourly, digits=4),
        Total("each hour that runs work", before.run_hourly, after.run_hourly, digits=4),
        Total("one run of everything", before.run, after.run, strong=True),
    ]
    found = []
    for row in [row for row in rows if row.before.high or row.after.high] or rows[:1]:
        was, now, digits = row.before, row.after, row.digits
        change = Range(*sorted((now.low - was.low, now.high - was.high)))
        shown = money.usd(was, digits), money.usd(now, digits), money.signed(change, digits)
        found.append(Sum(row.name, *shown, row.strong))
    return tuple(found)


def view(plan: Plan) -> View:
    """A plan as it is shown."""
    billed = [change for change in plan.changes if change.one.status == "priced" or change.one.charges]
    stays = sorted((c for c in billed if not c.one.ephemeral), key=_monthly)
    goes = sorted((c for c in billed if c.one.ephemeral), key=lambda c: (-c.one.run.high, c.one.name))
    most = max((c.one.monthly.low for c in stays), default=Decimal(0))
    dear = max((c.one.run.high for c in goes), default=Decimal(0))
    free: dict[str, list[str]] = {}
    for change in plan.changes:
        if change.one.status == "free":
            free.setdefault(change.one.reason, []).append(short(change.one.type))
    counts = Counter(change.one.status for change in plan.changes)
    about = f"{counts['priced']} priced, {counts['free']} free, {counts['unpriced']} unpriced"
    return View(
        stack=plan.stack,
        about=f"{KINDS[plan.kind]} of {len(plan.changes)} resources in {plan.region}: {about}",
        stays=tuple(_row(change, most) for change in stays),
        goes=tuple(_row(change, dear) for change in goes),
        sums=_sums(plan.before, plan.after),
        unpriced=tuple(_row(change, Decimal(0)) for change in plan.changes if change.one.status == "unpriced"),
        free=tuple(
            (reason, len(kinds), ", ".join(sorted(set(kinds))))
            for reason, kinds in sorted(free.items(), key=lambda item: (-len(item[1]), item[0]))
        ),
        assumptions=_assumptions(plan),
        sources=_sources(plan),
        warnings=plan.warnings,
        complete=plan.complete,
    )


def _monthly(change: Change) -> tuple[Decimal, Decimal, str]:
    after = change.after.monthly.high if change.after else Decimal(0)
    return -after, -change.one.monthly.high, change.one.name


def _assumptions(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    """(what, figure, whose), one for all resources that have the same."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for each in plan.assumptions:
        source = plan.usage or "usage file" if each.given else "default"
        key = f"{each.kind}.{each.key}", f"{money.quantity(Range.of(each.value))} {each.unit}", source
        found.setdefault(key, []).append(each.resource)
    return tuple(
        (what, figure, f"{source}, {len(names)} resources" if len(names) > 1 else f"{source}, {names[0]}")
        for (what, figure, source), names in sorted(found.items())
    )


def _sources(plan: Plan) -> tuple[tuple[str, str], ...]:
    """(source, date) of the prices, and what was said of spot."""
    found: dict[tuple[str, str], None] = {}
    for change in plan.changes:
        for charge in change.after.charges if change.after else ():
            found[charge.price.source, str(charge.price.as_of)] = None
    return tuple(sorted(found))


def grand(plans: Sequence[Plan]) -> tuple[Sum, ...]:
    """The totals of several stacks together; none for one."""
    if len(plans) < 2:
        return ()
    nothing = Totals.of([])
    return _sums(sum((plan.before for plan in plans), nothing), sum((plan.after for plan in plans), nothing))
