"""Machines: EC2 instances, their templates and groups, Batch, Lightsail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.book.price import Price, UnknownPrice
from costs.plan.rules import volumes
from costs.plan.rules.base import COUNTS, HOURS, UNKNOWN, Pricing, plain

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration"
EIP, ASSOCIATION = "aws:ec2/eip:Eip", "aws:ec2/eipAssociation:EipAssociation"
VCPUS = re.compile(r"[a-z0-9-]+\.(?:(\d+)?xlarge|(large|medium|small|micro|nano))")


def templates(p: Pricing, path: str, value: Any, kind: str = TEMPLATE) -> list[Mapping[str, Any]]:
    """The inputs of the launch templates that a property may mean; none where it names one outside the plan."""
    found = p.referred(path, kind, value)
    if len(found) > 1:
        p.note(f"which launch template is not known: one of {', '.join(sorted(each.name for each in found))}")
    return [each.inputs for each in found]


def _template_value(p: Pricing, path: str = "launchTemplate") -> Any:
    for word in ("id", "name", "launchTemplateId", "launchTemplateName"):
        if (value := p.get(f"{path}.{word}")) is not None:
            return value
    return None


def _market(settings: Mapping[str, Any]) -> bool | None:
    """Whether machines are asked for on spot capacity; None where it is unknown."""
    options = settings.get("instanceMarketOptions")
    kind = options.get("marketType") if isinstance(options, Mapping) else options
    return None if kind is UNKNOWN else kind == "spot"


def address(p: Pricing, template: Mapping[str, Any], count: Range, subnet_path: str) -> None:
    """The charge for the public IPv4 address that machines get, as machine, template or subnet ask for."""
    own = p.get("associatePublicIpAddress")
    if own is None:
        cards = p.items("networkInterfaces", of=template)
        own = next((p.get("associatePublicIpAddress", of=card) for card in cards), None)
    p.public_addresses(count, own, subnet_path)


def instance(p: Pricing) -> None:
    """An EC2 instance: its hours, its disks, its public address."""
    found = templates(p, "launchTemplate", _template_value(p)) if p.get("launchTemplate") is not None else []
    kinds: list[Any] = [p.get("instanceType")]
    if kinds == [None]:
        kinds = [each.get("instanceType", UNKNOWN) for each in found] or [UNKNOWN]
    template = found[0] if found else {}
    spot = _market(p.resource.inputs)
    if not spot and found:
        markets = {_market(each) for each in found}
        spot = markets.pop() if len(markets) == 1 else None
    if p.get("hostId") is not None or p.get("tenancy") == "host":
        p.note("on a dedicated host, which is billed in its place")
    else:
        p.machines("ec2", kinds, HOURS, spot=spot)
    volumes.of_instance(p, template)
    if not _has_own_address(p):
        address(p, template, ONE, "subnetId")
    if p.get("getPasswordData") or "windows" in str(p.get("ami", "")).lower():
        p.note("the price is that of Linux")


def _has_own_address(p: Pricing) -> bool:
    """Whether an elastic address takes the place of the automatic one: it is billed as a resource of its own."""
    return bool(p.world.users(p.resource, EIP, "instance") or p.world.users(p.resource, ASSOCIATION, "instanceId"))


def spot_request(p: Pricing) -> None:
    """A request for a spot instance."""
    p.machines("ec2", [p.get("instanceType", UNKNOWN)], HOURS, spot=True)
    volumes.of_instance(p, {})
    address(p, {}, ONE, "subnetId")


def sizes(p: Pricing, least: str, most: str) -> Range:
    """How many machines a group may have: from its minimum to its maximum."""
    low, high = p.amount(least, 0, COUNTS), p.amount(most, 0, COUNTS)
    return Range(low.low, max(high.high, low.low))


def group(p: Pricing) -> None:
    """An auto scaling group: from the least to the most machines that it may have, on its template."""
    count = sizes(p, "minSize", "maxSize")
    p.note(f"between {plain(count.low)} and {plain(count.high)} instances")
    policy = p.get("mixedInstancesPolicy")
    if isinstance(policy, list):
        policy = policy[0] if policy else None
    if policy is not None:
        _mixed(p, policy, count)
        return
    kind, path, value = TEMPLATE, "launchTemplate", _template_value(p)
    if p.get("launchConfiguration") is not None:
        kind, path, value = CONFIGURATION, "launchConfiguration", p.get("launchConfiguration")
    found = templates(p, path, value, kind)
    template = found[0] if found else {}
    spot = _market(template) or template.get("spotPrice") is not None
    p.machines("ec2", [each.get("instanceType", UNKNOWN) for each in found], HOURS * count, spot=spot)
    _around(p, template, count)


def _mixed(p: Pricing, policy: Any, count: Range) -> None:
    specification = p.get("launchTemplate.launchTemplateSpecification", {}, policy)
    value = p.get("launchTemplateId", p.get("launchTemplateName", None, specification), specification)
    found = templates(p, "mixedInstancesPolicy", value)
    template = found[0] if found else {}
    overrides = p.items("launchTemplate.overrides", of=policy)
    kinds = [p.get("instanceType", None, each) for each in overrides]
    kinds = [kind for kind in kinds if kind is not None] or [each.get("instanceType", UNKNOWN) for each in found]
    if p.get("launchTemplate.overrides", None, policy) is UNKNOWN:
        kinds = [UNKNOWN]
    if any(p.get("weightedCapacity", None, each) is not None for each in overrides):
        p.note("weights are counted as one instance each")
    spread = p.get("instancesDistribution", {}, policy)
    base = p.amount("onDemandBaseCapacity", 0, COUNTS, spread)
    share = p.amount("onDemandPercentageAboveBaseCapacity", 100, (0, 100), spread) / 100

    def on_demand(total: Decimal, base: Decimal, share: Decimal) -> Decimal:
        return min(total, base) + max(total - base, Decimal(0)) * share

    steady = Range(on_demand(count.low, base.low, share.low), on_demand(count.high, base.high, share.high))
    spare = Range(
        count.low - on_demand(count.low, base.high, share.high), count.high - on_demand(count.high, base.low, share.low)
    )
    p.machines("ec2", kinds, HOURS * steady)
    p.machines("ec2", kinds, HOURS * spare, spot=True)
    _around(p, template, count)


def _around(p: Pricing, template: Mapping[str, Any], count: Range) -> None:
    if count.high:
        volumes.of_instance(p, template, count)
        address(p, template, count, "vpcZoneIdentifiers")


def vcpus(kind: str) -> Decimal | None:
    """Processors of an instance type, by the rule that its size's name follows; None for `metal` and the like."""
    found = VCPUS.fullmatch(kind)
    if found is None:
        return None
    return Decimal(4 * int(found[1] or 1)) if found[2] is None else Decimal(1 if found[2] == "medium" else 2)


def batch_environment(p: Pricing) -> None:
    """A Batch environment: processors from its minimum to its maximum, on its instance types."""
    resources = p.get("computeResources")
    if resources is None:
        p.free("unmanaged: its instances are resources of their own")
        return
    kind = p.get("type", UNKNOWN, resources)
    if isinstance(kind, str) and kind.startswith("FARGATE"):
        limit = p.amount("maxVcpus", 0, (0, 256), resources)
        p.add("Fargate processors", HOURS * Range(Decimal(0), limit.high), "ecs", "fargate-vcpu-x86")
        p.note("memory of its jobs comes on top")
        return
    low, high = p.amount("minVcpus", 0, (0, 256), resources), p.amount("maxVcpus", 0, (0, 256), resources)
    prices: dict[str, tuple[Price, Decimal]] = {}
    for each in p.items("instanceTypes", of=resources):
        count = vcpus(each) if isinstance(each, str) else None
        if count is None:
            p.unpriced(f"no price for a processor of {each!r}: name instance types such as m5.large")
            return
        try:
            prices[each] = p.world.price("ec2", each, p.region), count
        except UnknownPrice as error:
            p.lacking.append(error)
            return
    if not prices:
        p.unpriced("its instance types are not known")
        return
    dearest = max(prices, key=lambda each: prices[each][0].usd / prices[each][1])
    cheapest = min(prices, key=lambda each: prices[each][0].usd / prices[each][1])
    price, processors = prices[dearest]
    least = prices[cheapest][0].usd / prices[cheapest][1] * low.low / price.usd  # in instances of the dearest type
    most = max(high.high, low.low) / processors
    p.note(f"{plain(low.low)} to {plain(high.high)} processors, of {dearest} at the dearest")
    p.machines("ec2", [dearest], HOURS * Range(min(least, most), most), spot=kind == "SPOT")


def capacity_reservation(p: Pricing) -> None:
    """Reserved capacity is billed as if it ran."""
    p.machines("ec2", [p.get("instanceType", UNKNOWN)], HOURS * p.amount("instanceCount", 1, COUNTS))
    p.note("billed whether used or not; instances in it are not billed again")


def development_environment(p: Pricing) -> None:
    """A Cloud9 environment: its instance, unless it sleeps."""
    p.machines("ec2", [p.get("instanceType", UNKNOWN)], HOURS)
    p.note("never asleep")


TABLE = {
    "aws:autoscaling/group:Group": group,
    "aws:batch/computeEnvironment:ComputeEnvironment": batch_environment,
    "aws:cloud9/environmentEC2:EnvironmentEC2": development_environment,
    "aws:ec2/capacityReservation:CapacityReservation": capacity_reservation,
    "aws:ec2/instance:Instance": instance,
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": spot_request,
}
