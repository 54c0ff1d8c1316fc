"""The rules of what each type of resource costs: a table from type token to rule, one module a theme.

What is free, or known to cost what nobody can say from a plan, stands in `types.csv`, with whole services as `aws:x/*`
and whole providers as `x:*`; what is billed the same whatever its properties are, in `rates.csv`. A type that none of
them has is unpriced, and says so; nothing is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from costs.plan.preview import PlannedResource
from costs.plan.rules import (
    compute,
    containers,
    database,
    ml,
    network,
    observability,
    serverless,
    storage,
    volumes,
)
from costs.plan.rules.base import Pricing, Rule
from shoestring.base.paths import rows

MODULES = (compute, volumes, containers, storage, database, network, serverless, ml, observability)
COMPONENT = "a component: what it is made of is listed itself"
READ = "only read here: it is billed where it is managed"


def _free(reason: str) -> Rule:
    """The rule of what costs nothing of its own."""
    return lambda p: p.free(reason)


def _unpriced(reason: str) -> Rule:
    """The rule of what is known to cost, and by which nobody can say how much."""
    return lambda p: p.unpriced(reason)


def _rated(charges: Sequence[Mapping[str, str]]) -> Rule:
    """The rule of what is billed the same whatever its properties are, by rows of `rates.csv`: so many units of a price
    in a month, or a figure of its usage."""

    def rule(p: Pricing) -> None:
        for row in charges:
            kind, _, key = row["usage"].partition(".")
            if key:
                p.traffic(row["name"], kind, key, row["service"], row["item"])
            else:
                p.add(row["name"], row["units"], row["service"], row["item"])
            if row["reason"]:
                p.note(row["reason"])

    return rule


def _table() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for row in rows(Path(__file__).with_name("types.csv")):
        rules[row["type"]] = _free(row["reason"]) if row["status"] == "free" else _unpriced(row["reason"])
    rates: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows(Path(__file__).with_name("rates.csv")):
        for kind in row["types"].split():
            rates[kind].append(row)
    for table in ({kind: _rated(charges) for kind, charges in rates.items()}, *(module.TABLE for module in MODULES)):
        if twice := rules.keys() & table.keys():
            raise ValueError(f"two rules for {', '.join(sorted(twice))}")
        rules |= table
    return rules


TABLE = _table()


def rule(resource: PlannedResource) -> Rule:
    """The rule of a resource."""
    if resource.op == "read":
        return _free(READ)
    provider = resource.type.partition(":")[0]
    for known in (resource.type, f"{resource.type.partition('/')[0]}/*", f"{provider}:*"):
        if pricing_rule := TABLE.get(known):
            return pricing_rule
    return _unpriced(f"no rule for {resource.type}") if resource.custom else _free(COMPONENT)
