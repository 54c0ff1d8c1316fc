"""The network of an environment: a public subnet and a private way to S3, nothing that is paid by the hour."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import ClassVar

import pulumi
from pulumi_aws.ec2.internet_gateway import InternetGateway
from pulumi_aws.ec2.route import Route
from pulumi_aws.ec2.route_table import RouteTable
from pulumi_aws.ec2.route_table_association import RouteTableAssociation
from pulumi_aws.ec2.subnet import Subnet
from pulumi_aws.ec2.vpc import Vpc
from pulumi_aws.ec2.vpc_endpoint import VpcEndpoint

from components.arguments import arguments
from components.base import Component
from components.bounds import Cidr, Region, Zones

LETTERS = "abcdef"  # what the subnets are called by, whatever zones they lie in


@arguments
class NetworkArgs:
    """What a Network is made of."""

    region: Region
    """AWS region."""
    zones: Zones
    """Availability zones, with a subnet in each. Not every account has all of them, nor every zone all instance types:
    `aws ec2 describe-instance-type-offerings --location-type availability-zone` says where one is offered. Traffic
    between zones is billed for each GB and direction."""
    cidr: Cidr = "10.20.0.0/16"
    """Addresses of the network; /16 to /20."""


class Network(Component[NetworkArgs]):
    """A VPC with public subnets of /24, a route to the internet, and a gateway endpoint to S3.

    There is no NAT gateway, which would be the dearest part of the platform: what needs the internet has a public
    address, and what has none (training jobs: SageMaker gives their interfaces private addresses alone) reaches S3
    through the endpoint, and no package index. SageMaker itself pulls their images, outside this network.

    Nothing of it is billed: VPC, subnets, routes, internet gateway and S3 gateway endpoint are free.
    """

    token = "shoestring:network:Network"
    children: ClassVar = {
        "vpc": "aws:ec2/vpc:Vpc",
        "internet_gateway": "aws:ec2/internetGateway:InternetGateway",
        "route_table": "aws:ec2/routeTable:RouteTable",
        "route": "aws:ec2/route:Route",
        "s3_endpoint": "aws:ec2/vpcEndpoint:VpcEndpoint",
        "subnet": "aws:ec2/subnet:Subnet",
        "route_table_association": "aws:ec2/routeTableAssociation:RouteTableAssociation",
    }

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]

    def build(self, name: str, args: NetworkArgs) -> None:
        vpc = Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            opts=self.child("vpc"),
        )
        gateway = InternetGateway(name, vpc_id=vpc.id, opts=self.child("internet_gateway"))
        table = RouteTable(name, vpc_id=vpc.id, opts=self.child("route_table"))
        Route(
            name,
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self.child("route"),
        )
        VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc.id,
            service_name=f"com.amazonaws.{args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id],
            opts=self.child("s3_endpoint"),
        )
        blocks = IPv4Network(args.cidr).subnets(new_prefix=24)
        self.subnet_ids = []
        for letter, zone, block in zip(LETTERS, args.zones, blocks, strict=False):
            subnet = Subnet(
                f"{name}-{letter}",
                vpc_id=vpc.id,
                cidr_block=str(block),
                availability_zone=zone,
                map_public_ip_on_launch=True,
                opts=self.child("subnet"),
            )
            RouteTableAssociation(
                f"{name}-{letter}",
                subnet_id=subnet.id,
                route_table_id=table.id,
                opts=self.child("route_table_association"),
            )
            self.subnet_ids.append(subnet.id)
        self.vpc_id = vpc.id
