"""The rule `cost-increase`: a change that raises the monthly cost by more than a share asks for a recorded override."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from costs.amounts import dollars
from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from policies.budget.pricing import monthly, of_type, source
from policies.money import of_stack
from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.taggable import plainly_taggable
from policies.values import UNKNOWN, at, number, shown
from shoestring.base.names import OVERRIDE_TAG

SETTING = "shoestring:costOverride"
FORM = re.compile(r"(\d+(?:\.\d{1,2})?) +([^@\s]+@[^@\s]+\.[^@\s]+)( .+)?")  # 40 you@example.com larger server


def check(stack: Stack, context: Context) -> Iterator[Violation]:
    """One violation where the month gets dearer than allowed and what gets dearer carries no override."""
    after = of_stack(stack, context)
    total = monthly(after)
    share, floor = number(context.config["share"]), number(context.config["floorUsd"])
    if share is None or floor is None or total <= floor:
        return  # it cannot have risen by more
    earlier = context.earlier()
    if earlier.problem:
        message = f"the cost of {context.stack} could not be compared with the one before: {earlier.problem}"
        yield Violation("", None, "", message=message, level="advisory")
    if earlier.resources is None:
        return  # the first update of a stack: monthly-budget bounds it
    before = price_resources(
        earlier.resources, context.region, context.prices, config=context.settings, now=context.now
    )
    rise = total - monthly(before)
    if rise <= max(floor, monthly(before) * share / 100) or not context.came_up():
        return
    dearer = _dearer(before, after)
    growing = [resource for cost in dearer if (resource := stack.by_urn.get(cost.urn))]
    without = [resource for resource in growing if not _overridden(resource, total)]
    if without:
        yield _refusal(context, before, after, dearer, without)


def _dearer(before: list[ResourceCost], after: list[ResourceCost]) -> list[ResourceCost]:
    """The resources that cost more than before, dearest first."""
    was = {cost.urn: cost.monthly.high for cost in before}
    rises = [(cost.monthly.high - was.get(cost.urn, Decimal(0)), cost) for cost in after]
    return [cost for rise, cost in sorted(rises, key=lambda pair: -pair[0]) if rise > 0]


def _overridden(resource: Resource, total: Decimal) -> bool:
    """Whether a resource carries a tag that allows this monthly cost; what takes no tags needs none."""
    if not plainly_taggable(resource.type):
        return True
    override = at(resource.props, "tags", OVERRIDE_TAG)
    if override is UNKNOWN:
        return True  # the update knows it
    form = FORM.fullmatch(override) if isinstance(override, str) else None
    return form is not None and Decimal(form[1]) >= total


def _refusal(
    context: Context,
    before: list[ResourceCost],
    after: list[ResourceCost],
    dearer: list[ResourceCost],
    without: list[Resource],
) -> Violation:
    was, total = monthly(before), monthly(after)
    old = {cost.urn: cost.monthly.high for cost in before}
    named = [
        f"{cost.name} ({cost.type}) {dollars(old.get(cost.urn, Decimal(0)))} → {dollars(cost.monthly.high)}"
        for cost in dearer[:3]
    ]
    allowed = total.to_integral_value(ROUND_CEILING)
    tag = f"{allowed} you@example.com why"
    percent = f" (+{rise:.0f} %)" if was and (rise := (total - was) / was * 100) else ""
    carried = [(resource, override) for resource in without if (override := at(resource.props, "tags", OVERRIDE_TAG))]
    lines = [
        f"the change raises the monthly cost of {context.stack} from {dollars(was)} to {dollars(total)}{percent}",
        f"  cost: {dollars(total - was)} a month more; the largest: {'; '.join(named)}",
        f"  limit: {shown(context.config['share'])} % and ${shown(context.config['floorUsd'])} more at a time, "
        f"whichever is more; {source(after)}",
        *(f"  override: {of_type(resource)} has {shown(override)}: expected {allowed} or more and an e-mail address"
          for resource, override in carried[:1]),
        f'  change: the plan, or record who agreed, up to which amount, and why: pulumi config set {SETTING} "{tag}" '
        f'--stack {context.stack}, which tags the resources; in programs without Shoestring: '
        f'tags={{"{OVERRIDE_TAG}": "{tag}"}} on {", ".join(resource.name for resource in without[:3])}',
        "  explained by: shoestring policies explain cost-increase",
    ]  # fmt: skip
    return Violation("monthly cost", None, lines[-2], message="\n".join(lines))


def _server(kind: str, **tags: str) -> Resource:
    return declare("aws:ec2/instance:Instance", "tracking", ami="ami-0abcdef1234567890", instanceType=kind, tags=tags)


COST_INCREASE = Rule(
    name="cost-increase",
    group="budget",
    description="A change that raises the monthly cost by more than a share needs an override, recorded as a tag.",
    why="A limit alone lets the bill creep up to it, and one careless change multiply it. The plan is compared with "
    "the stack's own state before the update; a stack's first successful update is bounded by monthly-budget alone.",
    change=f'Make the change cheaper, or record who agreed: pulumi config set {SETTING} "40 you@example.com why" puts '
    f"the tag {OVERRIDE_TAG} on the stack's resources. It names the monthly dollars up to which the stack may grow, "
    "who agreed (an e-mail address) and why; a later rise above that amount needs a new one.",
    config={
        "share": {"type": "number", "minimum": 0, "default": 25, "description": "Per cent that a change may add."},
        "floorUsd": {
            "type": "number", "minimum": 0, "default": 5,
            "description": "Dollars a month that a change may always add, whatever the share: small platforms can "
            "grow.",
        },
    },
    check_stack=check,
    compares=True,
    fails=Example((_server("t4g.medium"),), before=(_server("t4g.nano"),)),
    passes=Example(
        (_server("t4g.medium", **{OVERRIDE_TAG: "40 you@example.com four people at once"}),),
        before=(_server("t4g.nano"),),
    ),
)  # fmt: skip
