"""A priced plan as JSON: every figure a decimal in a string, in US dollars; ranges as {low, high}."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from costs.plan.charges import Basis, Charge, ResourceCost
from costs.plan.plan import Change, Plan, Totals
from costs.plan.render.money import plain, span


def facts(plans: Sequence[Plan]) -> dict[str, Any]:
    """Everything about one or more plans, with their totals together."""
    nothing = Totals.of([])
    before, after = sum((plan.before for plan in plans), nothing), sum((plan.after for plan in plans), nothing)
    return {
        "currency": "USD",
        "complete": all(plan.complete for plan in plans),
        "before": _totals(before),
        "after": _totals(after),
        "difference": _difference(plans),
        "stacks": [_plan(plan) for plan in plans],
    }


def text(plans: Sequence[Plan]) -> str:
    """The same as text, a line for each resource: a thousand of them, indented, take longer than to price them."""
    found = facts(plans)
    lines = [[json.dumps(each) for each in stack.pop("resources")] for stack in found["stacks"]]
    for number, stack in enumerate(found["stacks"]):
        stack["resources"] = f"@{number}@"
    whole = json.dumps(found, indent=2)
    for number, each in enumerate(lines):
        joined = "[\n        " + ",\n        ".join(each) + "\n      ]"
        whole = whole.replace(f'"@{number}@"', joined if each else "[]", 1)
    return whole


def _difference(plans: Sequence[Plan]) -> dict[str, str]:
    return {"low": plain(sum(p.difference.low for p in plans)), "high": plain(sum(p.difference.high for p in plans))}  # type: ignore[arg-type]


def _totals(totals: Totals) -> dict[str, Any]:
    return {f"{each.name}_usd": span(getattr(totals, each.name)) for each in fields(totals)}


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
                "resource": each.resource, "kind": each.kind, "key": each.key, "value": plain(each.value),
                "unit": each.unit, "source": plan.usage if each.given else "default",
            }
            for each in plan.assumptions
        ],
        "resources": [_change(change) for change in plan.changes],
    }  # fmt: skip


def _change(change: Change) -> dict[str, Any]:
    one = change.one
    return {
        "urn": one.urn,
        "type": one.type,
        "name": one.name,
        "op": change.op,
        "status": one.status,
        "reason": one.reason,
        "ephemeral": one.ephemeral,
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
