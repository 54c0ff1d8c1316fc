"""Networks: gateways, endpoints, balancers, addresses, names."""

from __future__ import annotations

from costs.amounts import ONE, Range
from costs.plan.charges import Basis
from costs.plan.rules.base import HOURS, SUBNET, UNKNOWN, Pricing

ZONES = 1, 6  # of a region
BALANCERS = "application", "network", "gateway"


def zones(p: Pricing, path: str) -> Range:
    """How many zones, one for each of its subnets."""
    value = p.get(path)
    if isinstance(value, list) and value:
        return Range.of(len(value))
    if subnets := p.referred(path, SUBNET):
        return Range.of(len(subnets))
    if value is UNKNOWN:
        p.note(f"its zones are unknown: {ZONES[0]} to {ZONES[1]}")
        return Range.of(*ZONES)
    return Range.of(1)


def eip(p: Pricing) -> None:
    """An elastic address: billed the same whether it is attached or idle; one that the account has brought is free."""
    if p.get("publicIpv4Pool", "amazon") not in ("amazon", UNKNOWN) or p.get("customerOwnedIpv4Pool") is not None:
        p.free("an address of the account's own pool")
        return
    p.public_addresses(ONE, True)
    if not any(p.get(path) is not None for path in ("instance", "networkInterface")):
        p.note("public IPv4 address; billed attached or idle")


def nat(p: Pricing) -> None:
    """A NAT gateway; its address is a resource of its own. A regional one stands in each zone, and takes its own."""
    regional = p.get("availabilityMode", "zonal") != "zonal"
    zones_of = Range.of(*ZONES) if regional else ONE
    if regional:
        p.note(f"it stands in as many zones as need it: {ZONES[0]} to {ZONES[1]}")
    p.add("NAT gateway", HOURS * zones_of, "vpc", "nat-gateway")
    p.public_addresses(zones_of, regional and not p.items("availabilityZoneAddresses"))
    p.traffic("data through it", "nat", "data_gb", "vpc", "nat-gateway-data")


def endpoint(p: Pricing) -> None:
    """A VPC endpoint: a gateway is free, an interface is billed for each zone."""
    kind = p.get("vpcEndpointType", "Gateway")
    if kind == "Gateway":
        p.free("gateway endpoints are free")
        return
    if kind not in ("Interface", "GatewayLoadBalancer", UNKNOWN):
        p.unpriced(f"endpoints of type {kind} are not in the price book")
        return
    count = zones(p, "subnetIds")
    if kind is UNKNOWN:
        p.note("whether it is a gateway or an interface is unknown")
        count = count.maybe
    p.add("interface endpoint", HOURS * count, "vpc", "interface-endpoint")
    data = "balancer-endpoint-data" if kind == "GatewayLoadBalancer" else "interface-endpoint-data"
    p.traffic("data through it", "endpoint", "data_gb", "vpc", data)


def balancer(p: Pricing) -> None:
    """A load balancer: its hours and capacity units, and a public address in each zone where it faces the internet."""
    kind = p.get("loadBalancerType", "application")
    known = kind in BALANCERS
    if not known:
        p.note("its type is unknown")
    kinds, name = ([kind], f"{kind} load balancer") if known else (BALANCERS, "load balancer")
    units = HOURS * Range.of(p.use("loadbalancer", "capacity_units"))
    p.any_of(name, HOURS, "elb", [f"{word}-load-balancer" for word in kinds])
    p.any_of("capacity units", units, "elb", [f"{word}-lcu" for word in kinds], Basis.USAGE)
    addressed = p.get("ipAddressType", "ipv4")
    if kind == "gateway" or addressed == "dualstack-without-public-ipv4":
        return
    inside, mapped = p.flag("internal"), p.items("subnetMappings")
    if any(p.get("allocationId", None, subnet) is not None for subnet in mapped):
        return  # elastic addresses, which are resources of their own
    if inside is False and (not known or addressed is UNKNOWN):
        inside = None
    _addresses(p, Range.of(len(mapped)) if mapped else zones(p, "subnets"), inside)


def _addresses(p: Pricing, count: Range, inside: bool | None) -> None:
    """A public address in each zone of what faces the internet."""
    p.public_addresses(count, UNKNOWN if inside is None else not inside)


def classic(p: Pricing) -> None:
    """A load balancer of the old kind: its hours, its data, and a public address in each zone."""
    p.add("classic load balancer", HOURS, "elb", "classic-load-balancer")
    p.traffic("data through it", "loadbalancer", "data_gb", "elb", "classic-data")
    _addresses(p, zones(p, "subnets" if p.get("subnets") is not None else "availabilityZones"), p.flag("internal"))


def kubernetes_service(p: Pricing) -> None:
    """A service of Kubernetes: only those of one type make something of AWS."""
    if p.get("spec.type") in ("LoadBalancer", UNKNOWN):
        p.unpriced("the load balancer that it makes is in no plan")
    else:
        p.free("runs on nodes that are billed themselves")


TABLE = {
    "aws:alb/loadBalancer:LoadBalancer": balancer,
    "aws:ec2/eip:Eip": eip,
    "aws:ec2/natGateway:NatGateway": nat,
    "aws:ec2/vpcEndpoint:VpcEndpoint": endpoint,
    "aws:elb/loadBalancer:LoadBalancer": classic,
    "aws:lb/loadBalancer:LoadBalancer": balancer,
    "kubernetes:core/v1:Service": kubernetes_service,
}
