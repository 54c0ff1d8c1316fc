"""The rules `on-demand-share` and `oversized-instances`: how much capacity is paid in full, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.money import machine
from policies.rule import Context, Example, Finding, Resource, Rule, Stack, resource, usd
from policies.values import UNKNOWN, at, each, known, number, shown, text
from policies.waste.machines import BATCH, DATABASE, GROUP, INSTANCE, NODES, leased, running

FULL = 100  # per cent on demand, where a mixed group says nothing


def check_share(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for a group of machines of which too many are on demand."""
    most = number(context.here("maxPercent"))
    if most is None or most >= FULL:
        return
    if found.type == GROUP:
        yield from _group(found, context, int(most))
    elif found.type == NODES:
        value = at(found.props, "capacityType")
        if value is None or value == "ON_DEMAND":
            kinds = [kind for kind in each(at(found.props, "instanceTypes")) if isinstance(kind, str)]
            count = int(number(at(found.props, "scalingConfig", "desiredSize")) or 1)
            price = machine(context, "ec2", kinds[0], found, count) if kinds else ""
            yield Finding("capacity_type", value, 'capacity_type="SPOT"', price)
    else:
        value = at(found.props, "computeResources", "type")
        if value in ("EC2", "FARGATE"):
            spot = "SPOT" if value == "EC2" else "FARGATE_SPOT"
            yield Finding("compute_resources.type", value, f'compute_resources.type="{spot}"', SAVES)


def _group(found: Resource, context: Context, most: int) -> Iterator[Finding]:
    mixed = at(found.props, "mixedInstancesPolicy")
    if not mixed or mixed is UNKNOWN:
        return  # a single machine, or a template that asks for spot itself
    shares = at(mixed, "instancesDistribution")
    above, base = at(shares, "onDemandPercentageAboveBaseCapacity"), at(shares, "onDemandBaseCapacity")
    if UNKNOWN in (shares, above):
        return
    percent = FULL if above is None else number(above)
    if percent is not None and percent > most:
        value = above if known(above) else f"{FULL} (the default of AWS)"
        path = "mixed_instances_policy.instances_distribution.on_demand_percentage_above_base_capacity"
        yield Finding(path, value, f"{path}={most}", SAVES)
    if (number(base) or 0) > (number(context.config["maxBase"]) or 0):
        path = "mixed_instances_policy.instances_distribution.on_demand_base_capacity"
        yield Finding(path, base, f"{path}={shown(context.config['maxBase'])}", SAVES)


def check_size(stack: Stack, context: Context) -> Iterator[Finding]:
    """A finding for each machine that runs all the time and is larger than its environment needs."""
    most, allowed = number(context.here("maxHourlyUsd")), each(context.here("allowed"))
    found = [(one.resource, one.prop, one.service, one.kind, one.kind, one.count) for one in running(stack)]
    for one in stack.of(DATABASE):
        kind, engine = text(at(one.props, "instanceClass")), text(at(one.props, "engine"))
        engine = {"postgresql": "postgres", "mariadb": "mysql"}.get(engine, engine)
        found.append((one, "instance_class", "rds", kind, f"{kind}-{engine}", 1))
    for one, prop, service, kind, item, count in found:
        price = context.price(service, item, one.region)
        if not kind or kind in allowed or leased(one) or price is None or most is None or price.usd <= most:
            continue
        limit = f"the limit in {context.environment} is {most.normalize():f} $ an hour, {usd(most * 730)} a month"
        change = f"a smaller one, or {kind!r} in `allowed` of the policy configuration for {context.environment}"
        yield Finding(prop, kind, change, f"{machine(context, service, item, one, count)}; {limit}", one)


def _nodes(**props: Any) -> Resource:
    return resource(
        NODES, "workers", clusterName="ml", nodeRoleArn="arn:aws:iam::123456789012:role/nodes",
        subnetIds=["subnet-0123456789abcdef0"], instanceTypes=["m5.large"],
        scalingConfig={"desiredSize": 2, "minSize": 0, "maxSize": 4}, **props,
    )  # fmt: skip


def _server(kind: str) -> Resource:
    return resource(INSTANCE, "tracking", ami="ami-0abcdef1234567890", instanceType=kind)


SAVES = "spot capacity costs 60 to 90 % less for the same machines"
BY_ENVIRONMENT = {"type": "object", "additionalProperties": {"type": "number"}}
ON_DEMAND_SHARE = Rule(
    name="on-demand-share",
    group="waste",
    description="Groups of machines run mostly on spot capacity.",
    why="A group replaces what AWS takes away: it is made for spot capacity, which costs 60 to 90 % less. A mixed "
    "group "
    "that says nothing is on demand altogether.",
    change="Lower on_demand_percentage_above_base_capacity, or ask for SPOT.",
    types=(GROUP, NODES, BATCH),
    config={
        "maxPercent": {
            **BY_ENVIRONMENT, "default": {"default": 25},
            "description": "Per cent of the capacity above the base that may be on demand, by environment.",
        },
        "maxBase": {
            "type": "number", "minimum": 0, "default": 1, "description": "Machines that may be on demand as a base.",
        },
    },
    check=check_share,
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
