"""What starts machines: instances and requests for them, groups and fleets, Batch, reserved capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.book.shapes import vcpus
from costs.plan.rules.base import COUNTS, HOURS, UNKNOWN, Pricing, number, plain
from costs.plan.rules.machines import (
    BY_SPECIFICATION,
    CONFIGURATION,
    INSTANCE,
    NOWHERE,
    OVERRIDE,
    TEMPLATE,
    Layer,
    Machine,
    start,
    templates,
)

EIP, ASSOCIATION = "aws:ec2/eip:Eip", "aws:ec2/eipAssociation:EipAssociation"
SCHEDULE = "aws:autoscaling/schedule:Schedule"
BATCH_ROOT = 30  # GB: root disk of the images that Batch takes where nobody names one
GROUP = replace(NOWHERE, subnet="vpcZoneIdentifiers")
BATCH = replace(NOWHERE, kind="instanceType", image="imageId", subnet="subnets", weight="processors")
RESERVATION = replace(NOWHERE, kind="instanceType", image="instancePlatform", tenancy="tenancy")


def _first(value: Any) -> Any:
    """One block that a program may write as a list of one."""
    return (value[0] if value else None) if isinstance(value, list) else value


def instance(p: Pricing) -> None:
    """An EC2 instance, or a request for one on spot capacity: its hours, its disks, its public address."""
    own: list[Layer] = [(p.resource.inputs, INSTANCE)]
    if _brings_address(p):
        own.insert(0, ({"associatePublicIpAddress": False}, INSTANCE))
    described = templates(p, "launchTemplate", _first(p.get("launchTemplate")))
    machines = [Machine(p, *own, *layers, subnets="subnetId") for layers in described]
    on_spot = p.resource.type.endswith(":SpotInstanceRequest") or machines[0].spot
    start(p, machines, (ONE, on_spot, False))


def _brings_address(p: Pricing) -> bool:
    """Whether no address is given to it: an elastic one, or that of its own interface, is a resource by itself."""
    given = (EIP, "instance"), (ASSOCIATION, "instanceId")
    own = any(p.get(path) for path in ("networkInterfaces", "primaryNetworkInterface"))
    return own or any(p.world.users(p.resource, kind, path) for kind, path in given)


def sizes(p: Pricing, least: str, most: str, wanted: str) -> Range:
    """How many machines a group may have: from its minimum to its maximum, by its desired size."""
    desired = p.amount(least if p.get(wanted) is None else wanted, 0, COUNTS)
    return p.span(least, most, COUNTS).around(desired.expected)


def group(p: Pricing) -> None:
    """An auto scaling group: from the least to the most machines that it may have, on its template."""
    count = sizes(p, "minSize", "maxSize", "desiredCapacity")
    sizes_of = [count]
    for action in p.world.users(p.resource, SCHEDULE, "autoscalingGroupName"):
        for path in ("minSize", "maxSize", "desiredCapacity"):
            if (value := action.inputs.get(path)) is not None and number(value) != -1:  # which leaves it as it is
                sizes_of.append(p.amount(path, 0, COUNTS, action.inputs))
    count = Range.spanning(sizes_of).around(count.expected)
    p.note(f"between {plain(count.low)} and {plain(count.high)} instances")
    policy = _first(p.get("mixedInstancesPolicy"))
    if policy is not None:
        _mixed(p, policy, count)
        return
    configured = p.get("launchConfiguration") is not None
    path, kind = ("launchConfiguration", CONFIGURATION) if configured else ("launchTemplate", TEMPLATE)
    own = (p.resource.inputs, GROUP)
    described = templates(p, path, _first(p.get(path)), kind)
    machines = [Machine(p, own, *layers, subnets=GROUP.subnet) for layers in described]
    start(p, machines, (count, machines[0].spot, False))


def _overridden(p: Pricing, path: str, settings: Any, subnets: str, *own: Layer) -> list[Machine]:
    """The machines of a launch template with its overrides."""
    described = templates(p, path, p.get("launchTemplateSpecification", None, settings))
    overrides: list[Any] = []
    for override in p.items("overrides", settings, [UNKNOWN]) or [{}]:
        kinds: list[Any] = [p.get("instanceType", None, override)]
        if p.get("instanceRequirements", None, override) is not None:
            allowed = p.items("instanceRequirements.allowedInstanceTypes", override)
            kinds = [kind for kind in allowed if isinstance(kind, str) and "*" not in kind] or [UNKNOWN]
        overrides += [{**({} if override is UNKNOWN else override), "instanceType": kind} for kind in kinds]
    return [
        Machine(p, (override, OVERRIDE), *own, *layers, subnets=subnets)
        for override in overrides
        for layers in described
    ]


def _mixed(p: Pricing, policy: Any, count: Range) -> None:
    """A group of several kinds of machines, on demand and on spot capacity."""
    own = (p.resource.inputs, GROUP)
    template = p.get("launchTemplate", {}, policy)
    machines = _overridden(p, "mixedInstancesPolicy", template, GROUP.subnet, own)
    spread = p.get("instancesDistribution", {}, policy)
    base = p.amount("onDemandBaseCapacity", 0, COUNTS, spread)
    share = p.amount("onDemandPercentageAboveBaseCapacity", 100, (0, 100), spread) / 100

    def on_demand(total: Decimal, base: Decimal, share: Decimal) -> Decimal:
        return min(total, base) + max(total - base, Decimal(0)) * share

    steady = Range(on_demand(count.low, base.low, share.low), on_demand(count.high, base.high, share.high))
    spare = Range(
        count.low - on_demand(count.low, base.high, share.high), count.high - on_demand(count.high, base.low, share.low)
    )
    if count.expected is not None and base.expected is not None and share.expected is not None:
        expected = on_demand(count.expected, base.expected, share.expected)
        steady, spare = steady.around(expected), spare.around(count.expected - expected)
    cheapest = "lowest-price"
    start(
        p, machines,
        (_whole(steady, machines), False, p.get("onDemandAllocationStrategy", "prioritized", spread) == cheapest),
        (_whole(spare, machines), True, p.get("spotAllocationStrategy", cheapest, spread) == cheapest),
    )  # fmt: skip


def _whole(units: Range, machines: Sequence[Machine]) -> Range:
    """Units of capacity as whole machines bring them: less than the heaviest one more than are wanted."""
    more = max(machine.weight for machine in machines) - 1
    return Range(units.low, units.high + more).around(units.expected) if more and units.high else units


def fleet(p: Pricing) -> None:
    """A fleet of EC2, or a request for one on spot capacity: its target capacity on the machines of its templates and
    specifications."""
    target = _first(p.get("targetCapacitySpecification", p.resource.inputs))
    requested = target is p.resource.inputs
    total = p.amount("targetCapacity" if requested else "totalTargetCapacity", 0, COUNTS, target)
    total = p.scaled(total, "ec2:spot-fleet-request:TargetCapacity")
    on_demand, spot = (p.amount(f"{word}TargetCapacity", 0, COUNTS, target) for word in ("onDemand", "spot"))
    usual = "spot" if requested else p.get("defaultTargetCapacityType", UNKNOWN, target)
    steady = on_demand if usual == "spot" else total.above(spot)
    spare = spot if usual == "on-demand" else total.above(on_demand)
    if usual is UNKNOWN:
        steady, spare = steady.maybe, spare.maybe
    machines = [
        Machine(p, (specification, BY_SPECIFICATION), subnets="launchSpecifications")
        for specification in p.items("launchSpecifications")
    ]
    path = "launchTemplateConfigs"
    for settings in p.items(path):
        machines += _overridden(p, path, settings, path)
    if p.get("targetCapacityUnitType", "units", target) != "units":
        p.unpriced("its capacity is counted in processors or memory")
    elif not machines:
        p.unpriced("which machines it starts is not known")
    else:
        start(p, machines, (_whole(steady, machines), False, True), (_whole(spare, machines), True, True))


def batch_environment(p: Pricing) -> None:
    """A Batch environment: processors from its minimum to its maximum, on its instance types."""
    resources = _first(p.get("computeResources"))
    if resources is None:
        p.free("unmanaged: its instances are resources of their own")
        return
    market = p.get("type", UNKNOWN, resources)
    wanted = p.amount("desiredVcpus", 0, COUNTS, resources)
    processors = p.span("minVcpus", "maxVcpus", COUNTS, resources).around(wanted.expected)
    p.note(f"{plain(processors.low)} to {plain(processors.high)} processors")
    if isinstance(market, str) and market.startswith("FARGATE"):
        p.add("Fargate processors", HOURS * processors.maybe, "ecs", "fargate-vcpu-x86")
        p.at_least("the memory of its jobs is in no plan")
        return
    kinds: list[str] = []
    for name in p.items("instanceTypes", of=resources):
        listed = [name] if "." in str(name) else p.world.items("ec2", p.region)  # one type, or all of a family
        known = [item for item in listed if item.startswith(str(name)) and vcpus(item)]
        if not known:
            p.unpriced(f"no price for a processor of {name!r}: name instance types such as m5.large")
            return
        kinds += known
    if not kinds:
        p.unpriced("its instance types are not known")
        return
    described = templates(p, "computeResources", _first(p.get("launchTemplate", None, resources)))
    machines = [
        Machine(
            p, ({**resources, "instanceType": kind, "processors": vcpus(kind)}, BATCH), *layers,
            subnets="computeResources", default_subnet=False, root_gb=BATCH_ROOT,
        )
        for kind in kinds for layers in described
    ]  # fmt: skip
    start(p, machines, (processors, None if market is UNKNOWN else market == "SPOT", False))


def capacity_reservation(p: Pricing) -> None:
    """Reserved capacity is billed as if it ran."""
    machine = Machine(p, (p.resource.inputs, RESERVATION))
    count = p.amount("instanceCount", 1, COUNTS)
    machine.hours([machine.kind], count, False, machine.kind, None)
    machine.licence([machine.kind], count)
    p.note("billed whether used or not; instances in it are not billed again")


TABLE = {
    "aws:autoscaling/group:Group": group,
    "aws:batch/computeEnvironment:ComputeEnvironment": batch_environment,
    "aws:ec2/capacityReservation:CapacityReservation": capacity_reservation,
    "aws:ec2/fleet:Fleet": fleet,
    "aws:ec2/instance:Instance": instance,
    "aws:ec2/spotFleetRequest:SpotFleetRequest": fleet,
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": instance,
}
