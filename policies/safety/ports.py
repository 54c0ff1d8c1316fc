"""The rule `open-ports`: nobody in the internet reaches a port that is not meant for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from policies.rule import Context, Example, Finding, Resource, Rule, resource
from policies.values import UNKNOWN, at, each, number, text, texts

GROUPS = ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
WIDE = {4: 8, 6: 16}  # prefixes shorter than these hold much of the internet, whatever they are called
EVERY_PORT = (0, 65535)


def internet(cidr: str) -> bool:
    """Whether a block of addresses is the internet, or a large part of it."""
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return False
    return network.prefixlen < WIDE[network.version] and not network.is_private


def _openings(found: Resource) -> Iterator[tuple[str, Any, list[str]]]:
    """Each way in: where it is said, what says its ports, and from which addresses."""
    if found.type == INGRESS:
        yield "", found.props, [text(at(found.props, "cidrIpv4")), text(at(found.props, "cidrIpv6"))]
    elif found.type == RULE:
        if at(found.props, "type") == "ingress":
            yield "", found.props, _cidrs(found.props)
    else:
        for place, ingress in enumerate(each(at(found.props, "ingress"))):
            yield f"ingress[{place}].", ingress, _cidrs(ingress)


def _cidrs(rule: Any) -> list[str]:
    return [*texts(at(rule, "cidrBlocks")), *texts(at(rule, "ipv6CidrBlocks"))]


def _ports(rule: Any) -> tuple[int, int] | None:
    """First and last port; every port for every protocol. None where nobody knows yet, or where there are none."""
    protocol = at(rule, "protocol") or at(rule, "ipProtocol")
    if protocol is UNKNOWN:
        return None
    if str(protocol).lower() in ("-1", "all"):
        return EVERY_PORT
    if str(protocol).lower() in ("icmp", "icmpv6", "1", "58"):
        return None
    first, last = number(at(rule, "fromPort")), number(at(rule, "toPort"))
    if first is None or last is None:
        return None if UNKNOWN in (at(rule, "fromPort"), at(rule, "toPort")) else EVERY_PORT
    return int(first), int(last)


def check(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for each way in from the internet to ports other than those that are allowed."""
    allowed = {int(port) for each_ in each(context.config["ports"]) if (port := number(each_)) is not None}
    for path, rule, cidrs in _openings(found):
        ports = _ports(rule)
        world = [cidr for cidr in cidrs if internet(cidr)]
        if not world or ports is None or (ports[0] == ports[1] and ports[0] in allowed):
            continue
        where = {INGRESS: "cidr_ipv6" if ":" in world[0] else "cidr_ipv4"}.get(
            found.type, "ipv6_cidr_blocks" if ":" in world[0] else "cidr_blocks"
        )
        which = f"port {ports[0]}" if ports[0] == ports[1] else f"ports {ports[0]} to {ports[1]}"
        yield Finding(
            f"{path}{where}, for {which},", world[0] if len(world) == 1 else world,
            f"{path}{where}=your own network, a source security group, or Session Manager's port forwarding without "
            f"any "
            "open port",
        )  # fmt: skip


def _ingress(**props: Any) -> Resource:
    return resource(INGRESS, "ssh", securityGroupId="sg-0123456789abcdef0", ipProtocol="tcp", **props)


OPEN_PORTS = Rule(
    name="open-ports",
    group="safety",
    description="Only web ports are open to the internet.",
    why="An open SSH, database or tracking port is tried by strangers within minutes; a machine that they take mines "
    "coins at your cost.",
    change="Let in a security group or your own network. Session Manager reaches machines without any open port, free.",
    types=(*GROUPS, RULE, INGRESS),
    config={
        "ports": {
            "type": "array", "items": {"type": "number"}, "default": [80, 443],
            "description": "Ports that everybody may reach.",
        }
    },
    check=check,
    fails=Example((_ingress(fromPort=22, toPort=22, cidrIpv4="0.0.0.0/0"),)),
    passes=Example((_ingress(fromPort=22, toPort=22, cidrIpv4="10.20.0.0/16"),)),
)  # fmt: skip
