"""The rules `on-demand-share` and `oversized-instances`: how much capacity is paid in full, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from costs.amounts import dollars, listed
from costs.book.price import HOURS_A_MONTH
from policies.money import hours, machines, month, on_spot
from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.shapes.machines import BATCH, GROUP, INSTANCE, NODES, Machine, leased, running, templates
from policies.values import UNKNOWN, at, items, known, number, snake, text

FULL = 100  # per cent on demand, where a mixed group says nothing
SHARE = "onDemandPercentageAboveBaseCapacity"
BASE = "onDemandBaseCapacity"
SIZES = {  # databases and their like: type → the property that says how large their machines are
    "aws:rds/instance:Instance": ("instanceClass",),
    "aws:rds/clusterInstance:ClusterInstance": ("instanceClass",),
    "aws:docdb/clusterInstance:ClusterInstance": ("instanceClass",),
    "aws:neptune/clusterInstance:ClusterInstance": ("instanceClass",),
    "aws:elasticache/cluster:Cluster": ("nodeType",),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("nodeType",),
    "aws:memorydb/cluster:Cluster": ("nodeType",),
    "aws:redshift/cluster:Cluster": ("nodeType",),
    "aws:opensearch/domain:Domain": ("clusterConfig", "instanceType"),
    "aws:elasticsearch/domain:Domain": ("clusterConfig", "instanceType"),
}


def check_share(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each group of machines of which too many are on demand."""
    most = number(context.here("maxPercent"))
    if most is None or most >= FULL:
        return
    for group in stack.of(GROUP):
        mixed = at(group.props, "mixedInstancesPolicy")
        yield from _mixed(stack, group, mixed, most, context) if mixed else _plain(stack, group, context)
    for nodes in stack.of(NODES):
        value = at(nodes.props, "capacityType")
        if value is None or value == "ON_DEMAND":
            cost = on_spot(nodes, context, {"capacityType": "SPOT"}, stack.around(nodes))
            yield Violation("capacity_type", value, 'capacity_type="SPOT"', cost, nodes)
    for environment in stack.of(BATCH):
        resources = at(environment.props, "computeResources")
        value = at(resources, "type")
        if value in ("EC2", "FARGATE"):
            spot = "SPOT" if value == "EC2" else "FARGATE_SPOT"
            mended = {"computeResources": {**resources, "type": spot}}
            cost = on_spot(environment, context, mended, stack.around(environment))
            yield Violation("compute_resources.type", value, f'compute_resources.type="{spot}"', cost, environment)


def _mixed(stack: Stack, group: Resource, mixed: Any, most: Decimal, context: Context) -> Iterator[Violation]:
    """Violations of a group that says itself how much of it is on demand."""
    shares = at(mixed, "instancesDistribution")
    above, base = at(shares, SHARE), at(shares, BASE)
    if UNKNOWN in (mixed, shares, above):
        return
    most_base = number(context.config["maxBase"]) or Decimal(0)
    percent = Decimal(FULL) if above is None else number(above)
    wrong = {
        SHARE: (
            above if known(above) else f"{FULL} (the default of AWS)",
            most,
            percent is not None and percent > most,
        ),
        BASE: (base, most_base, (number(base) or 0) > most_base),
    }
    for key, (value, wanted, too_much) in wrong.items():
        if too_much:
            path = f"mixed_instances_policy.instances_distribution.{snake(key)}"
            distribution = {**(shares if isinstance(shares, Mapping) else {}), key: wanted}
            mended = {"mixedInstancesPolicy": {**mixed, "instancesDistribution": distribution}}
            cost = on_spot(group, context, mended, stack.around(group))
            yield Violation(path, value, f"{path}={wanted:f}", cost, group)


def _plain(stack: Stack, group: Resource, context: Context) -> Iterator[Violation]:
    """A violation of a group on one template: as large as it may be, on demand unless the template asks for spot."""
    sources = [*templates(stack, group), *templates(stack, group, "launchConfiguration")]
    largest, most = number(at(group.props, "maxSize")), number(context.config["maxBase"]) or 0
    if largest is None or largest <= most or not sources or any(_spot(source) for source in sources):
        return
    change = f"mixed_instances_policy with {snake(SHARE)}, or a template that asks for spot capacity"
    yield Violation("mixed_instances_policy", None, change, month(group, context, stack.around(group)), group)


def _spot(template: Resource) -> bool:
    """Whether a template asks for spot capacity, or may do so."""
    market = at(template.props, "instanceMarketOptions", "marketType")
    return market in ("spot", UNKNOWN) or at(template.props, "spotPrice") is not None


def check_size(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each machine that runs all the time and is larger than its environment needs."""
    most, allowed = number(context.here("maxHourlyUsd")), items(context.here("allowed"))
    for machine in [*running(stack), *_databases(stack)]:
        if machine.kind in allowed or leased(machine.resource) or most is None:
            continue
        charge = hours(machine.alone[0], context, machine.kind, machine.alone[1:])
        if charge is None or charge.price.usd <= most:
            continue
        limit = (
            f"the limit in {context.environment} is ${listed(most)} an hour, {dollars(most * HOURS_A_MONTH)} a month"
        )
        change = (
            f"a smaller one, or {machine.kind!r} in `allowed` of the policy configuration for {context.environment}"
        )
        cost = f"{machines(machine, context)}; {limit}"
        yield Violation(machine.prop, machine.kind, change, cost, machine.resource)


def _databases(stack: Stack) -> Iterator[Machine]:
    for database in stack.of(*SIZES):
        path = SIZES[database.type]
        if kind := text(at(database.props, *path)):
            alone = replace(database, props={**database.props, "multiAz": False})
            yield Machine(database, snake(".".join(path)), kind, (alone, *stack.around(database)))


def _nodes(**props: Any) -> Resource:
    return declare(
        NODES, "workers", clusterName="ml", nodeRoleArn="arn:aws:iam::123456789012:role/nodes",
        subnetIds=["subnet-0123456789abcdef0"], instanceTypes=["m5.large"],
        scalingConfig={"desiredSize": 2, "minSize": 0, "maxSize": 4}, **props,
    )  # fmt: skip


def _server(kind: str) -> Resource:
    return declare(INSTANCE, "tracking", ami="ami-0abcdef1234567890", instanceType=kind)


BY_ENVIRONMENT = {"type": "object", "additionalProperties": {"type": "number"}}
ON_DEMAND_SHARE = Rule(
    name="on-demand-share",
    group="waste",
    description="Groups of machines run mostly on spot capacity.",
    why="A group replaces what AWS takes away: it is made for spot capacity, which is cheaper: in "
    "early 2026 the median zone of us-east-1 asked 13 to 54 % of the price on demand, by type. A group that "
    "says nothing about it is on demand altogether.",
    change="Lower on_demand_percentage_above_base_capacity, or ask for SPOT.",
    config={
        "maxPercent": {
            **BY_ENVIRONMENT, "default": {"default": 25},
            "description": "Per cent of the capacity above the base that may be on demand, by environment.",
        },
        "maxBase": {
            "type": "number", "minimum": 0, "default": 1, "description": "Machines that may be on demand as a base.",
        },
    },
    check_stack=check_share,
    fails=Example((_nodes(),)),
    passes=Example((_nodes(capacityType="SPOT"),)),
)  # fmt: skip
OVERSIZED_INSTANCES = Rule(
    name="oversized-instances",
    group="waste",
    description="What runs all the time is no larger than its environment needs.",
    why="A machine is chosen once and paid 730 hours a month; each size up doubles the price.",
    change="Take a smaller one; `shoestring cost rightsize` measures what is used. What carries a lease is left alone.",
    config={
        "maxHourlyUsd": {
            **BY_ENVIRONMENT, "default": {"local": 0.05, "dev": 0.05, "staging": 0.1, "prod": 0.4, "default": 0.1},
            "description": "Dollars an hour that one machine may cost at most, by environment.",
        },
        "allowed": {
            "type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}, "default": {},
            "description": "Instance types that may run whatever they cost, by environment.",
        },
    },
    check_stack=check_size,
    fails=Example((_server("m5.xlarge"),)),
    passes=Example((_server("t4g.micro"),)),
)  # fmt: skip
