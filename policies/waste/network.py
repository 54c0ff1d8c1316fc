"""The rules `nat-gateways`, `interface-endpoints` and `idle-addresses`: networks that are paid by the hour."""

from __future__ import annotations

from collections.abc import Iterator

from policies.money import month, rate
from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.values import UNKNOWN, at, text

NAT = "aws:ec2/natGateway:NatGateway"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
ADDRESS, ASSOCIATION = "aws:ec2/eip:Eip", "aws:ec2/eipAssociation:EipAssociation"
BALANCERS = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")


def check_nat(resource: Resource, context: Context) -> Iterator[Violation]:
    """A NAT gateway is a violation by itself."""
    yield Violation(
        "connectivity_type", text(at(resource.props, "connectivityType")) or "public",
        "public subnets with public addresses and closed security groups, and gateway endpoints to S3 and DynamoDB, "
        "which are free", f"{month(resource, context)}; traffic {rate(resource, context, 'nat-gateway-data')}",
    )  # fmt: skip


def check_endpoint(resource: Resource, context: Context) -> Iterator[Violation]:
    """An interface endpoint whose service is not in the allow list."""
    kind, service = at(resource.props, "vpcEndpointType"), text(at(resource.props, "serviceName"))
    if kind not in ("Interface", "GatewayLoadBalancer") or any(
        service.endswith(word) for word in context.config["allow"]
    ):
        return
    yield Violation(
        "vpc_endpoint_type", kind,
        'vpc_endpoint_type="Gateway" for S3 and DynamoDB; the service\'s public address for others; or '
        f"{service.rpartition('.')[2]!r} in `allow` of the policy configuration", month(resource, context),
    )  # fmt: skip


def check_addresses(stack: Stack, context: Context) -> Iterator[Violation]:
    """Elastic addresses that nothing in the program uses."""
    users = [
        *((user, "allocationId") for user in stack.of(ASSOCIATION, NAT)),
        *((gateway, "secondaryAllocationIds") for gateway in stack.of(NAT)),
        *((balancer, "subnetMappings") for balancer in stack.of(*BALANCERS)),
    ]
    for address in stack.of(ADDRESS):
        own = [at(address.props, key) for key in ("instance", "networkInterface", "associateWithPrivateIp")]
        if any(value is UNKNOWN or value for value in own):
            continue
        if any(_uses(stack, user, prop, address) for user, prop in users):
            continue
        yield Violation(
            "instance", None, "instance=…, network_interface=…, or no address", month(address, context), address
        )


def _uses(stack: Stack, user: Resource, prop: str, address: Resource) -> bool:
    if address.urn in user.dependencies.get(prop, ()) or address.urn in user.dependencies.get("publicIp", ()):
        return True
    return not user.dependencies.get(prop) and at(user.props, prop) is UNKNOWN


S3 = "com.amazonaws.us-east-1.s3"
NAT_GATEWAYS = Rule(
    name="nat-gateways",
    group="waste",
    description="No NAT gateways.",
    why="A NAT gateway costs {vpc nat-gateway} before the first byte, more than four idle platforms.",
    change="Give what needs the internet a public address ({vpc public-ipv4}) behind a security group without a way "
    "in.",
    types=(NAT,),
    check=check_nat,
    fails=Example((declare(NAT, "out", subnetId="subnet-0123456789abcdef0", connectivityType="private"),)),
    passes=Example(
        (declare("aws:ec2/internetGateway:InternetGateway", "out", vpcId="vpc-0123456789abcdef0"),)
    ),
)  # fmt: skip
INTERFACE_ENDPOINTS = Rule(
    name="interface-endpoints",
    group="waste",
    description="No interface endpoints but those that are allowed by name.",
    why="Each costs {vpc interface-endpoint} in every zone, used or not; gateway endpoints to S3 and DynamoDB are "
    "free.",
    change="Use a gateway endpoint, or the service's public address.",
    types=(ENDPOINT,),
    config={
        "allow": {
            "type": "array", "items": {"type": "string"}, "default": [],
            "description": "Services that may have one, by the end of their names, such as secretsmanager.",
        }
    },
    check=check_endpoint,
    fails=Example(
        (declare(ENDPOINT, "s3", vpcId="vpc-0123456789abcdef0", serviceName=S3, vpcEndpointType="Interface"),)
    ),
    passes=Example(
        (declare(ENDPOINT, "s3", vpcId="vpc-0123456789abcdef0", serviceName=S3, vpcEndpointType="Gateway"),)
    ),
)  # fmt: skip
IDLE_ADDRESSES = Rule(
    name="idle-addresses",
    group="waste",
    description="Every elastic address belongs to something.",
    why="A public IPv4 address costs {vpc public-ipv4}, also while nothing answers there.",
    change="Attach it, or remove it.",
    check_stack=check_addresses,
    fails=Example((declare(ADDRESS, "tracking", domain="vpc"),)),
    passes=Example((declare(ADDRESS, "tracking", domain="vpc", instance="i-0123456789abcdef0"),)),
)
