"""The rule `open-ports`: nobody in the internet reaches a port that is not meant for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.machines import NODES
from policies.shapes.statements import internet
from policies.values import UNKNOWN, at, items, number, text, texts

GROUPS = ("aws:ec2/securityGroup:SecurityGroup", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EVERY_PORT = (0, 65535)
SSH = "with a key and no source, EKS opens port 22 of every node to the internet"


def _openings(resource: Resource) -> Iterator[tuple[str, Any, list[str]]]:
    """Each way in: where it is said, what says its ports, and from which addresses."""
    if resource.type == INGRESS:
        yield "", resource.props, [text(at(resource.props, "cidrIpv4")), text(at(resource.props, "cidrIpv6"))]
    elif resource.type == RULE:
        if at(resource.props, "type") == "ingress":
            yield "", resource.props, _cidrs(resource.props)
    else:
        for place, ingress in enumerate(items(at(resource.props, "ingress"))):
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


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for each way in from the internet to ports other than those that are allowed."""
    if resource.type == NODES:
        remote = at(resource.props, "remoteAccess")
        if at(remote, "ec2SshKey") and not at(remote, "sourceSecurityGroupIds"):
            prop = "remote_access.source_security_group_ids"
            change = f"{prop}=[who may connect], or Session Manager without any key"
            yield Violation(prop, at(remote, "sourceSecurityGroupIds"), change, SSH)
        return
    allowed = {int(port) for port in map(number, items(context.config["ports"])) if port is not None}
    for path, rule, cidrs in _openings(resource):
        ports = _ports(rule)
        world = [cidr for cidr in cidrs if internet(cidr)]
        if not world or ports is None or (ports[0] == ports[1] and ports[0] in allowed):
            continue
        names = ("cidr_ipv4", "cidr_ipv6") if resource.type == INGRESS else ("cidr_blocks", "ipv6_cidr_blocks")
        where = names[":" in world[0]]
        which = f"port {ports[0]}" if ports[0] == ports[1] else f"ports {ports[0]} to {ports[1]}"
        yield Violation(
            f"{path}{where}, for {which},", world[0] if len(world) == 1 else world,
            f"{path}{where}=your own network, a source security group, or Session Manager's port forwarding without "
            "any open port",
        )  # fmt: skip


def _ingress(**props: Any) -> Resource:
    return declare(INGRESS, "ssh", securityGroupId="sg-0123456789abcdef0", ipProtocol="tcp", **props)


OPEN_PORTS = Rule(
    name="open-ports",
    group="safety",
    description="Only web ports are open to the internet.",
    why="An open SSH, database or tracking port is tried by strangers within minutes; a machine that they take mines "
    "coins at your cost.",
    change="Let in a security group or your own network. Session Manager reaches machines without any open port, free.",
    types=(*GROUPS, RULE, INGRESS, NODES),
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
