"""The rules of what each type of resource costs: a table from type token to rule, one module a theme.

A type that no table has is unpriced, and says so; nothing is left out.
"""

from __future__ import annotations

from costs.preview import PlannedResource
from costs.rules import compute, containers, database, ml, network, observability, serverless, storage, volumes
from costs.rules import free as nothing
from costs.rules.base import Pricing, Rule, free, unpriced

MODULES = (compute, volumes, containers, storage, database, network, serverless, ml, observability, nothing)


def _table() -> dict[str, Rule]:
    found: dict[str, Rule] = {}
    for module in MODULES:
        table: dict[str, Rule] = module.TABLE  # type: ignore[assignment]
        if twice := found.keys() & table.keys():
            raise ValueError(f"two rules for {', '.join(sorted(twice))}")
        found |= table
    return found


TABLE = _table()


def rule(one: PlannedResource) -> Rule:
    """The rule of a resource."""
    if one.op == "read":
        return free(nothing.READ)
    if found := TABLE.get(one.type):
        return found
    provider, _, rest = one.type.partition(":")
    if provider in nothing.DYNAMIC:
        return unpriced("a dynamic resource: what its program makes is in no plan")
    if provider in nothing.PROVIDERS:
        return free(nothing.PROVIDERS[provider])
    if not one.custom:
        return free(nothing.COMPONENT)
    service = rest.partition("/")[0].partition(":")[0]
    if provider == "aws" and service in nothing.SERVICES:
        return free(nothing.SERVICES[service])
    if provider == "kubernetes":
        return _kubernetes
    return unpriced(f"no rule for {one.type}")


def _kubernetes(p: Pricing) -> None:
    kind = p.one.type.rpartition(":")[2]
    if kind == "Service" and p.get("spec.type") == "LoadBalancer":
        p.unpriced("the load balancer that it makes is in no plan")
    elif kind == "PersistentVolumeClaim" or kind == "StatefulSet":
        p.unpriced("the volumes that it makes are in no plan")
    elif kind == "Ingress":
        p.unpriced("the load balancer that it may make is in no plan")
    else:
        p.free(nothing.KUBERNETES)
