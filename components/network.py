"""The network of an environment: a public subnet and a private way to S3, nothing that is paid by the hour."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_aws.ec2.internet_gateway import InternetGateway
from pulumi_aws.ec2.route import Route
from pulumi_aws.ec2.route_table import RouteTable
from pulumi_aws.ec2.route_table_association import RouteTableAssociation
from pulumi_aws.ec2.security_group import SecurityGroup
from pulumi_aws.ec2.subnet import Subnet
from pulumi_aws.ec2.vpc import Vpc
from pulumi_aws.ec2.vpc_endpoint import VpcEndpoint
from pulumi_aws.vpc.security_group_egress_rule import SecurityGroupEgressRule

from components.money import PricedComponent


@dataclass(frozen=True)
class NetworkArgs:
    """What a Network is made of."""

    region: str
    """AWS region; the subnets lie in its first zones."""
    cidr: str = "10.20.0.0/16"
    """Addresses of the network; /16 to /20."""
    zones: int = 1
    """Subnets, each in a zone of its own. Traffic between zones is billed for each GB and direction."""


class Network(PricedComponent):
    """A VPC with public subnets of /24, a route to the internet, a gateway endpoint to S3 and the jobs' security group.

    There is no NAT gateway, which would be the dearest part of the platform: what needs the internet has a public
    address, and what has none (training jobs: SageMaker gives their interfaces private addresses alone) reaches S3
    through the endpoint, and no package index. SageMaker itself pulls their images, outside this network. The jobs'
    security group has no way in.

    Nothing of it is billed: VPC, subnets, routes, internet gateway, S3 gateway endpoint and security groups are free.
    """

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    jobs_security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shoestring:network:Network", name, opts, args.region)
        child = pulumi.ResourceOptions(parent=self)
        vpc = Vpc(name, cidr_block=args.cidr, enable_dns_support=True, enable_dns_hostnames=True, opts=child)
        gateway = InternetGateway(name, vpc_id=vpc.id, opts=child)
        table = RouteTable(name, vpc_id=vpc.id, opts=child)
        Route(name, route_table_id=table.id, destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id, opts=child)
        VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc.id,
            service_name=f"com.amazonaws.{args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id],
            opts=child,
        )
        blocks = IPv4Network(args.cidr).subnets(new_prefix=24)
        self.subnet_ids = []
        for zone, block in zip("abcdef"[: args.zones], blocks, strict=False):
            subnet = Subnet(
                f"{name}-{zone}",
                vpc_id=vpc.id,
                cidr_block=str(block),
                availability_zone=f"{args.region}{zone}",
                map_public_ip_on_launch=True,
                opts=child,
            )
            RouteTableAssociation(f"{name}-{zone}", subnet_id=subnet.id, route_table_id=table.id, opts=child)
            self.subnet_ids.append(subnet.id)
        jobs = SecurityGroup(
            f"{name}-jobs", vpc_id=vpc.id, name=f"{name}-jobs", description="Training jobs: no way in", opts=child
        )
        SecurityGroupEgressRule(
            f"{name}-jobs",
            security_group_id=jobs.id,
            ip_protocol="-1",
            cidr_ipv4="0.0.0.0/0",
            description="S3, tracking server",
            opts=child,
        )
        self.vpc_id = vpc.id
        self.jobs_security_group_id = jobs.id
        self.register_outputs(
            {
                "vpc_id": vpc.id,
                "subnet_ids": self.subnet_ids,
                "jobs_security_group_id": jobs.id,
            }
        )
