"""A plan in the words and the order in which people read it: what table, Markdown and HTML have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from costs.amounts import NOTHING, ONE, Range, listed, rounded, written
from costs.plan.charges import Basis, Charge, ResourceCost, Status
from costs.plan.plan import Change, Plan, Totals
from costs.plan.render import money

SIGNS = {"create": "+", "delete": "−", "replace": "±", "update": "~", "same": "", "read": ""}
KINDS = {"preview": "pulumi preview", "events": "the engine's events", "state": "the stack's state"}
SUMS = {  # part of the totals → its name, the digits of its cents, whether it is one of those that count
    "idle": ("a month, idle", 2, False),
    "monthly": ("a month, with usage", 2, True),
    "hourly": ("each hour that it is up", 4, False),
    "run_hourly": ("each hour that runs work", 4, False),
    "run": ("one run of everything", 2, True),
}
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


@dataclass(frozen=True)
class Sum:
    """One total."""

    name: str
    before: str
    after: str
    difference: str
    strong: bool = False


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
    amount = f"{money.quantity(charge.quantity)} {charge.price.unit} × "
    if charge.share == ONE:
        return amount + listed(charge.price.usd)
    return amount + written(
        charge.share.map(lambda share: rounded(share * charge.price.usd, 4)), listed, f" {money.DASH} "
    )


def _lines(cost: ResourceCost) -> tuple[Line, ...]:
    lines = []
    for charge in cost.charges:
        hours = cost.ephemeral and charge.basis is Basis.MONTH
        per = "a month, while it stands" if hours else PER[charge.basis]
        lines.append(Line(charge.name, _reckoned(charge), money.usd(charge.usd), per))
    return tuple(lines)


def _stated(value: Range, status: Status, digits: int = 2) -> str:
    """A figure as far as it is known."""
    if status == "unpriced":
        return status
    return f"{'at least ' if status == 'at least' else ''}{money.usd(value, digits)}"


def _row(change: Change, whole: Decimal) -> Row:
    resource = change.resource
    before, after = (
        (cost.run if resource.ephemeral else cost.monthly) if cost else None for cost in (change.before, change.after)
    )
    bar = after or NOTHING
    return Row(
        sign=sign(change.op),
        kind=short(resource.type),
        name=resource.name,
        reason=resource.reason,
        before=_stated(before, change.before.status) if before and change.before else "",
        after=_stated(after, change.after.status) if after and change.after else "",
        difference=money.signed(change.difference),
        lines=_lines(resource),
        telling=resource.reason != ", ".join(charge.name for charge in resource.charges),
        bar=(money.share(bar.low, whole), money.share(bar.high, whole)),
        hourly=_stated(resource.hourly, resource.status, 4) if resource.ephemeral else "",
    )


def _sums(before: Totals, after: Totals) -> tuple[Sum, ...]:
    rows = []
    for part, (name, digits, strong) in SUMS.items():
        old, new = getattr(before, part), getattr(after, part)
        if old.high or new.high:
            stated = _stated(old, before.status, digits), _stated(new, after.status, digits)
            rows.append(Sum(name, *stated, money.signed(new.since(old), digits), strong))
    return tuple(rows) or (Sum(SUMS["idle"][0], _stated(NOTHING, before.status), _stated(NOTHING, after.status), ""),)


def view(plan: Plan) -> View:
    """A plan as it is shown."""
    billed = [change for change in plan.changes if change.resource.status in ("priced", "at least")]
    stays = sorted((change for change in billed if not change.resource.ephemeral), key=_monthly)
    goes = [change for change in billed if change.resource.ephemeral]
    goes.sort(key=lambda change: (-change.resource.run.high, change.resource.name))
    most = max((change.resource.monthly.low for change in stays), default=Decimal(0))
    dear = max((change.resource.run.high for change in goes), default=Decimal(0))
    free: dict[str, list[str]] = {}
    for change in plan.changes:
        if change.resource.status == "free":
            free.setdefault(change.resource.reason, []).append(short(change.resource.type))
    counts = Counter(change.resource.status for change in plan.changes)
    about = f"{counts['priced']} priced, {counts['free']} free, {counts['unpriced']} unpriced"
    if counts["at least"]:
        about += f", {counts['at least']} priced in part"
    return View(
        stack=plan.stack,
        about=f"{KINDS[plan.kind]} of {len(plan.changes)} resources in {plan.region}: {about}",
        stays=tuple(_row(change, most) for change in stays),
        goes=tuple(_row(change, dear) for change in goes),
        sums=_sums(plan.before, plan.after),
        unpriced=tuple(_row(change, Decimal(0)) for change in plan.changes if change.resource.status == "unpriced"),
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
    return -after, -change.resource.monthly.high, change.resource.name


def _assumptions(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    """(what, figure, whose), one for all resources that have the same."""
    names: dict[tuple[str, str, str], list[str]] = {}
    for assumed in plan.assumptions:
        source = plan.usage or "usage file" if assumed.given else "default"
        figure = f"{money.quantity(Range.of(assumed.value))} {assumed.unit}"
        names.setdefault((f"{assumed.kind}.{assumed.key}", figure, source), []).append(assumed.resource)
    return tuple(
        (what, figure, f"{source}, {len(of)} resources" if len(of) > 1 else f"{source}, {of[0]}")
        for (what, figure, source), of in sorted(names.items())
    )


def _sources(plan: Plan) -> tuple[tuple[str, str], ...]:
    """(source, date) of the prices."""
    costs = [change.after for change in plan.changes if change.after]
    return tuple(sorted({(charge.price.source, str(charge.price.as_of)) for cost in costs for charge in cost.charges}))


def grand(plans: Sequence[Plan]) -> tuple[Sum, ...]:
    """The totals of several stacks together; none for one."""
    if len(plans) < 2:
        return ()
    nothing = Totals.of([])
    return _sums(sum((plan.before for plan in plans), nothing), sum((plan.after for plan in plans), nothing))
