"""A priced plan as JSON: every figure a decimal in a string, in US dollars; ranges as {low, high}, with `expected`
where the two differ and somebody can say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from costs.amounts import NOTHING, Range
from costs.plan.charges import Basis, Charge, ResourceCost
from costs.plan.plan import Change, Plan, Totals
from costs.plan.render.money import plain, span


def facts(plans: Sequence[Plan]) -> dict[str, Any]:
    """Everything about one or more plans, with their totals together."""
    nothing = Totals.of([])
    before, after = sum((plan.before for plan in plans), nothing), sum((plan.after for plan in plans), nothing)
    difference = sum((plan.difference for plan in plans), NOTHING)
    return {
        "currency": "USD",
        "complete": all(plan.complete for plan in plans),
        "before": _totals(before),
        "after": _totals(after),
        "difference": span(difference),
        "stacks": [_plan(plan) for plan in plans],
    }


def text(plans: Sequence[Plan]) -> str:
    """The same as text, a line for each resource: a thousand of them, indented, take longer than to price them."""
    document = facts(plans)
    lines = [[json.dumps(resource) for resource in stack.pop("resources")] for stack in document["stacks"]]
    for number, stack in enumerate(document["stacks"]):
        stack["resources"] = f"@{number}@"
    whole = json.dumps(document, indent=2)
    for number, resources in enumerate(lines):
        joined = "[\n        " + ",\n        ".join(resources) + "\n      ]"
        whole = whole.replace(f'"@{number}@"', joined if resources else "[]", 1)
    return whole


def _totals(totals: Totals) -> dict[str, Any]:
    sums = {part.name: getattr(totals, part.name) for part in fields(totals)}
    return {f"{name}_usd": span(value) for name, value in sums.items() if isinstance(value, Range)} | {
        "status": totals.status
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "stack": plan.stack,
        "project": plan.project,
        "source": plan.kind,
        "region": plan.region,
        "complete": plan.complete,
        "hidden_resources": plan.hidden,
        "warnings": list(plan.warnings),
        "before": _totals(plan.before),
        "after": _totals(plan.after),
        "difference_monthly_usd": span(plan.difference),
        "assumptions": [
            {
                "resource": assumed.resource, "kind": assumed.kind, "key": assumed.key, "value": plain(assumed.value),
                "unit": assumed.unit, "source": plan.usage if assumed.given else "default",
            }
            for assumed in plan.assumptions
        ],
        "resources": [_change(change) for change in plan.changes],
    }  # fmt: skip


def _change(change: Change) -> dict[str, Any]:
    resource = change.resource
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "op": change.op,
        "status": resource.status,
        "reason": resource.reason,
        "ephemeral": resource.ephemeral,
        "before": _cost(change.before),
        "after": _cost(change.after),
    }


def _cost(cost: ResourceCost | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    return {
        "monthly_usd": span(cost.monthly),
        "idle_usd": span(cost.idle),
        "hourly_usd": span(cost.hourly),
        "run_usd": span(cost.run),
        "hours": span(cost.hours) if cost.ephemeral and cost.hours else None,
        "charges": [_charge(charge) for charge in cost.charges],
    }


def _charge(charge: Charge) -> dict[str, Any]:
    price = charge.price
    return {
        "name": charge.name,
        "basis": charge.basis.value,
        "quantity": span(charge.quantity),
        "share": span(charge.share),
        "usd": span(charge.usd),
        "per": "run" if charge.basis is Basis.RUN else "month",
        "note": charge.note,
        "price": {
            "service": price.service, "item": price.item, "region": price.region, "unit": price.unit,
            "usd": str(price.usd), "source": price.source, "as_of": str(price.as_of),
        },
    }  # fmt: skip
