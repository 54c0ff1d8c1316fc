"""What starts machines: instances and requests for them, groups and fleets, Batch, reserved capacity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.plan.rules.base import COUNTS, HOURS, UNKNOWN, Pricing, number, plain
from costs.plan.rules.machines import (
    BY_SPECIFICATION,
    CONFIGURATION,
    INSTANCE,
    NOWHERE,
    TEMPLATE,
    Layer,
    Machine,
    require_alike,
    templates,
    vcpus,
)

EIP, ASSOCIATION = "aws:ec2/eip:Eip", "aws:ec2/eipAssociation:EipAssociation"
SCHEDULE = "aws:autoscaling/schedule:Schedule"
BATCH_ROOT = 30  # GB: root disk of the images that Batch takes where nobody names one
GROUP = replace(NOWHERE, subnet="vpcZoneIdentifiers")
OVERRIDE = replace(NOWHERE, subnet="subnetId")
BATCH = replace(NOWHERE, image="imageId", subnet="subnets")
RESERVATION = replace(NOWHERE, image="instancePlatform", tenancy="tenancy")


def _first(value: Any) -> Any:
    """One block that a program may write as a list of one."""
    return (value[0] if value else None) if isinstance(value, list) else value


def instance(p: Pricing) -> None:
    """An EC2 instance, or a request for one on spot capacity: its hours, its disks, its public address."""
    specification = _first(p.get("launchTemplate"))
    layers = [] if specification is None else templates(p, "launchTemplate", specification)
    own: list[Layer] = [(p.resource.inputs, INSTANCE)]
    if _brings_address(p):
        own.insert(0, ({"associatePublicIpAddress": False}, INSTANCE))
    machine = Machine(p, *own, *layers[:1], subnets="subnetId")
    kinds = [p.get("instanceType")]
    if kinds == [None]:
        kinds = [settings.get("instanceType", UNKNOWN) for settings, _ in layers] or [UNKNOWN]
    spot = True if p.resource.type.endswith(":SpotInstanceRequest") else machine.spot
    machine.bill(kinds, ONE, spot)


def _brings_address(p: Pricing) -> bool:
    """Whether no address is given to it: an elastic one, or that of its own interface, is a resource by itself."""
    given = (EIP, "instance"), (ASSOCIATION, "instanceId")
    own = any(p.get(path) for path in ("networkInterfaces", "primaryNetworkInterface"))
    return own or any(p.world.users(p.resource, kind, path) for kind, path in given)


def sizes(p: Pricing, least: str, most: str, wanted: str) -> Range:
    """How many machines a group may have: from its minimum to its maximum, by its desired size."""
    low, high = p.amount(least, 0, COUNTS), p.amount(most, 0, COUNTS)
    desired = low if p.get(wanted) is None else p.amount(wanted, 0, COUNTS)
    return Range(low.low, max(high.high, low.low)).around(desired.expected)


def group(p: Pricing) -> None:
    """An auto scaling group: from the least to the most machines that it may have, on its template."""
    count = sizes(p, "minSize", "maxSize", "desiredCapacity")
    ends = [count.low, count.high]
    for action in p.world.users(p.resource, SCHEDULE, "autoscalingGroupName"):
        for path in ("minSize", "maxSize", "desiredCapacity"):
            if (value := action.inputs.get(path)) is not None and number(value) != -1:  # which leaves it as it is
                size = p.amount(path, 0, COUNTS, action.inputs)
                ends += [size.low, size.high]
    count = Range(min(ends), max(ends)).around(count.expected)
    p.note(f"between {plain(count.low)} and {plain(count.high)} instances")
    policy = _first(p.get("mixedInstancesPolicy"))
    if policy is not None:
        _mixed(p, policy, count)
        return
    configured = p.get("launchConfiguration") is not None
    path, kind = ("launchConfiguration", CONFIGURATION) if configured else ("launchTemplate", TEMPLATE)
    layers = templates(p, path, _first(p.get(path)), kind)
    machine = Machine(p, (p.resource.inputs, GROUP), *layers[:1], subnets=GROUP.subnet)
    machine.bill([settings.get("instanceType", UNKNOWN) for settings, _ in layers], count, machine.spot)


@dataclass(frozen=True)
class Option:
    """One kind of machine that a fleet may start: its instance type, and how many units of capacity it stands for."""

    kind: Any
    weight: Decimal
    machine: Machine


def _options(p: Pricing, own: Sequence[Layer], layers: Sequence[Layer], overrides: Any, subnets: str) -> list[Option]:
    """The machines of a launch template with its overrides, in the order in which they are taken."""
    kinds: list[Any] = [settings.get("instanceType", UNKNOWN) for settings, _ in layers]
    options = []
    for override in p.items("overrides", {"overrides": overrides}) or ([UNKNOWN] if overrides is UNKNOWN else [{}]):
        weight = number(p.get("weightedCapacity", 1, override)) or Decimal(1)
        allowed = p.items("instanceRequirements.allowedInstanceTypes", override)
        named: list[Any] = [kind for kind in allowed if isinstance(kind, str) and "*" not in kind] or [UNKNOWN]
        chosen = p.get("instanceType", named if p.get("instanceRequirements", None, override) else kinds, override)
        machine = Machine(p, (override, OVERRIDE), *own, *layers[:1], subnets=subnets)
        options += [Option(kind, weight, machine) for kind in (chosen if isinstance(chosen, list) else [chosen])]
    return options


def _mixed(p: Pricing, policy: Any, count: Range) -> None:
    """A group of several kinds of machines, on demand and on spot capacity."""
    layers = templates(p, "mixedInstancesPolicy", p.get("launchTemplate.launchTemplateSpecification", None, policy))
    own = [(p.resource.inputs, GROUP)]
    options = _options(p, own, layers, p.get("launchTemplate.overrides", [], policy), GROUP.subnet)
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
    _fleet(
        p, options, steady, spare, count,
        p.get("onDemandAllocationStrategy", "prioritized", spread) == cheapest,
        p.get("spotAllocationStrategy", cheapest, spread) == cheapest,
    )  # fmt: skip


def _fleet(
    p: Pricing,
    options: Sequence[Option],
    steady: Range,
    spare: Range,
    total: Range,
    cheapest_on_demand: bool = True,
    cheapest_on_spot: bool = True,
) -> None:
    """The charges of `total` units of capacity, `steady` of them on demand and `spare` on spot.

    The type that is taken first is expected: the cheapest for its weight, or else the first that is named.
    """
    if not total.high:
        return
    kinds = [option.kind for option in options]
    weights = {option.kind: option.weight for option in options if isinstance(option.kind, str)}
    require_alike(p, [option.machine for option in options])
    priced = [option for option in options if isinstance(option.kind, str) and p.known("ec2", option.kind)]
    by_price = sorted(priced, key=lambda option: p.world.price("ec2", option.kind, p.region).usd / option.weight)
    for units, spot, cheapest in ((steady, False, cheapest_on_demand), (spare, True, cheapest_on_spot)):
        first = (by_price[0] if cheapest and by_price else options[0]).kind
        options[0].machine.hours(kinds, _whole(units, weights, first), spot, first, weights)
    machines = [total.low / max(weights.values(), default=ONE.low), total.high / min(weights.values(), default=ONE.low)]
    expected = total.expected and _multiple(total.expected / options[0].weight, Decimal(1))
    options[0].machine.surroundings(kinds, Range(machines[0], _multiple(machines[1], Decimal(1))).around(expected))


def _multiple(units: Decimal, weight: Decimal) -> Decimal:
    """Units rounded up to whole machines."""
    return (units / weight).to_integral_value(ROUND_CEILING) * weight


def _whole(units: Range, weights: Mapping[str, Decimal], first: Any) -> Range:
    """Units of capacity as whole machines bring them, where these weigh more than one: one machine more than needed
    at the most."""
    heaviest = max(weights.values(), default=Decimal(1))
    if heaviest == 1 or not units.high:
        return units
    low = _multiple(units.low, heaviest) if len(weights) == 1 else units.low
    high = _multiple(units.high, heaviest) if len(weights) == 1 else units.high + heaviest - 1
    return Range(low, high).around(units.expected and _multiple(units.expected, weights.get(first, heaviest)))


def fleet(p: Pricing) -> None:
    """A fleet of EC2: its target capacity, on demand and on spot, on the machines of its templates."""
    target = _first(p.get("targetCapacitySpecification", {}))
    total = p.amount("totalTargetCapacity", 0, COUNTS, target)
    on_demand, spot = (p.amount(f"{word}TargetCapacity", 0, COUNTS, target) for word in ("onDemand", "spot"))
    usual = p.get("defaultTargetCapacityType", UNKNOWN, target)
    if usual == "spot":
        steady, spare = on_demand, _rest(total, on_demand)
    elif usual == "on-demand":
        steady, spare = _rest(total, spot), spot
    else:
        steady, spare = _rest(total, spot).maybe, _rest(total, on_demand).maybe
    _requested(p, steady, spare, total, target)


def spot_fleet(p: Pricing) -> None:
    """A request for a fleet on spot capacity, of which a part may be on demand."""
    total = p.scaled(p.amount("targetCapacity", 0, COUNTS), "ec2:spot-fleet-request:TargetCapacity")
    steady = p.amount("onDemandTargetCapacity", 0, COUNTS)
    _requested(p, steady, _rest(total, steady), total, p.resource.inputs)


def _rest(total: Range, part: Range) -> Range:
    """What is left of a capacity."""
    low, high = (max(end, Decimal(0)) for end in (total.low - part.high, total.high - part.low))
    return Range(low, high).around(None if total.expected is None else total.expected - (part.expected or 0))


def _requested(p: Pricing, steady: Range, spare: Range, total: Range, target: Any) -> None:
    """What a fleet's templates and specifications come to."""
    options = [
        Option(
            p.get("instanceType", UNKNOWN, specification),
            number(p.get("weightedCapacity", 1, specification)) or Decimal(1),
            Machine(p, (specification, BY_SPECIFICATION), subnets="launchSpecifications"),
        )
        for specification in p.items("launchSpecifications")
    ]
    for settings in p.items("launchTemplateConfigs"):
        layers = templates(p, "launchTemplateConfigs", p.get("launchTemplateSpecification", None, settings))
        options += _options(p, [], layers, p.get("overrides", [], settings), "launchTemplateConfigs")
    if p.get("targetCapacityUnitType", "units", target) != "units":
        p.unpriced("its capacity is counted in processors or memory")
    elif not options:
        p.unpriced("which machines it starts is not known")
    else:
        _fleet(p, options, steady, spare, total)


def batch_environment(p: Pricing) -> None:
    """A Batch environment: processors from its minimum to its maximum, on its instance types."""
    resources = _first(p.get("computeResources"))
    if resources is None:
        p.free("unmanaged: its instances are resources of their own")
        return
    kind = p.get("type", UNKNOWN, resources)
    least, most, wanted = (p.amount(f"{word}Vcpus", 0, COUNTS, resources) for word in ("min", "max", "desired"))
    processors = Range(least.low, max(most.high, least.low)).around(wanted.expected)
    p.note(f"{plain(processors.low)} to {plain(processors.high)} processors")
    if isinstance(kind, str) and kind.startswith("FARGATE"):
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
    template = _first(p.get("launchTemplate", None, resources))
    layers = [] if template is None else templates(p, "computeResources", template)
    own = {"imageId": p.get("imageId", None, resources), "subnets": p.get("subnets", None, resources)}
    machine = Machine(
        p, (own, BATCH), *layers[:1], subnets="computeResources", default_subnet=False, root_gb=BATCH_ROOT
    )
    weights = {kind: vcpus(kind) or ONE.low for kind in kinds}
    machine.hours(kinds, processors, None if kind is UNKNOWN else kind == "SPOT", weights=weights)
    largest, smallest = max(weights.values()), min(weights.values())
    alike = processors.expected if largest == smallest else None
    count = Range(processors.low / largest, processors.high / smallest).around(alike and alike / largest)
    machine.surroundings(kinds, count)


def capacity_reservation(p: Pricing) -> None:
    """Reserved capacity is billed as if it ran."""
    machine = Machine(p, (p.resource.inputs, RESERVATION))
    count = p.amount("instanceCount", 1, COUNTS)
    kinds = [p.get("instanceType", UNKNOWN)]
    machine.hours(kinds, count, spot=False)
    machine.licence(kinds, count)
    p.note("billed whether used or not; instances in it are not billed again")


TABLE = {
    "aws:autoscaling/group:Group": group,
    "aws:batch/computeEnvironment:ComputeEnvironment": batch_environment,
    "aws:ec2/capacityReservation:CapacityReservation": capacity_reservation,
    "aws:ec2/fleet:Fleet": fleet,
    "aws:ec2/instance:Instance": instance,
    "aws:ec2/spotFleetRequest:SpotFleetRequest": spot_fleet,
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": instance,
}
