"""Networks: what lies in a VPC, and what of it is billed."""

from __future__ import annotations

import re
from typing import Any

from localcloud.aws.row import MINUTE, Call, Calls, Charge, Json, Listing, Metering, Read, ResourceType, Tags

PRODUCT, OTHER = "Amazon Virtual Private Cloud", "EC2 - Other"
PUBLIC_IPV4 = ("vpc", "public-ipv4")
FREE = "a part of a network, which costs nothing of its own"
TAGS = Tags(
    "create_tags", "delete_tags",
    adding={"Resources": ["=id"], "Tags": "=tagList"}, removing={"Resources": ["=id"], "Tags": "=removedKeys"},
)  # fmt: skip


def arn(kind: str) -> dict[str, str]:
    """The output `arn` of one of EC2's resources."""
    return {"arn": f"arn:aws:ec2:{{region}}:{{account}}:{kind}/{{id}}"}


def addressed(member: str) -> Json:
    """EC2 takes the id of one in one operation, and a list of ids in another."""
    return {member: "=id", f"{member}s": ["=id"]}


def _with_tags(client: Any, context: Json, item: Json) -> Json:
    """An interface with its tags, which MiniStack does not show among its facts."""
    own = [{"Name": "resource-id", "Values": [context["id"]]}]
    return item if "Tags" in item else {**item, "Tags": client.describe_tags(Filters=own)["Tags"]}


def _rule(direction: str) -> ResourceType:
    own = "IsEgress" if direction == "egress" else "!IsEgress"
    permission = {
        "IpProtocol": "=ipProtocol", "FromPort": "=fromPort", "ToPort": "=toPort",
        "UserIdGroupPairs":
            "=referencedSecurityGroupId && [{GroupId: referencedSecurityGroupId, Description: description}]",
        "IpRanges": "=cidrIpv4 && [{CidrIp: cidrIpv4, Description: description}]",
        "Ipv6Ranges": "=cidrIpv6 && [{CidrIpv6: cidrIpv6, Description: description}]",
        "PrefixListIds": "=prefixListId && [{PrefixListId: prefixListId, Description: description}]",
    }  # fmt: skip
    name = f"ecurityGroup{direction.title()}Rule"
    return ResourceType(
        "ec2", f"{direction}-rule", token=f"aws:vpc/s{name}:S{name}", parent="ec2/security-group",
        calls=Calls(
            "=answer.SecurityGroupRules[0].SecurityGroupRuleId",
            {"GroupId": "=securityGroupId", "SecurityGroupRuleIds": ["=id"]},
            create=(Call(f"authorize_security_group_{direction}", {"IpPermissions": [permission]},
                         tags="security-group-rule"),),
            read=(Read("describe_security_group_rules", "SecurityGroupRules[0]"),),
            parts=("describe_security_group_rules", f"SecurityGroupRules[?{own}]"),
            delete=(Call(f"revoke_security_group_{direction}"),),
            tags=TAGS,
            names={"securityGroupId": "groupid"},
            computed={"securityGroupRuleId": "=id", **arn("security-group-rule"),
                      "referencedSecurityGroupId": "=item.ReferencedGroupInfo.GroupId"},
        ),
    )  # fmt: skip


def _part(name: str, own: str = "`true`", *, item: str = "", create: tuple[Call, ...] = (), walk: str = "",
          **more: Any) -> ResourceType:  # fmt: skip
    """A part of a network that costs nothing of its own, and whose operations are named after it."""
    words = re.findall("[A-Z][a-z]*", name)
    snake, kebab, member, answer = "_".join(words).lower(), "-".join(words).lower(), f"{name}Id", f"{name}s"
    calls = Calls(
        f"=answer.{name}.{member}", addressed(member),
        create=(Call(f"create_{snake}", walk=walk, tags=kebab), *create),
        read=(Read(f"describe_{snake}s", f"{answer}[0]{item}"), *more.pop("read", ())),
        tags=TAGS, computed={**arn(kebab), **more.pop("computed", {})}, **more,
    )  # fmt: skip
    return ResourceType("ec2", kebab, Listing(f"describe_{snake}s", answer, member, own), calls, unmetered=FREE)


def _attribute(member: str, name: str) -> tuple[Call, Read]:
    """The call that sets an attribute of a VPC, and that which reads it."""
    read = Read("describe_vpc_attribute", f"{{{member}: {member}.Value}}", {"Attribute": name})
    return Call("modify_vpc_attribute", {member: {"Value": f"={name}"}}, on=name), read


SET_DNS, READ_DNS = zip(
    _attribute("EnableDnsSupport", "enableDnsSupport"), _attribute("EnableDnsHostnames", "enableDnsHostnames"),
    strict=True,
)  # fmt: skip
TYPES = (
    _part("Vpc", "!IsDefault", walk="cidrBlock instanceTenancy", create=(Call("wait:vpc_available"),), put=SET_DNS,
          read=READ_DNS),
    _part(
        "Subnet", "!DefaultForAz", walk="vpcId cidrBlock availabilityZone",
        put=(Call("modify_subnet_attribute", {"MapPublicIpOnLaunch": {"Value": "=mapPublicIpOnLaunch"}},
                  on="mapPublicIpOnLaunch"),),
    ),
    _part(
        "InternetGateway", "InternetGatewayId != 'igw-00000001'",  # the default network's has this id in MiniStack
        create=(Call("attach_internet_gateway", {"VpcId": "=vpcId"}, on="vpcId"),),
        computed={"vpcId": "=item.Attachments[0].VpcId"},
        delete=(Call("detach_internet_gateway", {"VpcId": "=vpcId"}, given="vpcId"), Call("delete_internet_gateway")),
    ),
    _part("RouteTable", "!(Associations[?Main])", walk="vpcId", item=".{VpcId: VpcId, Tags: Tags}"),
    ResourceType(
        "ec2", "route", parent="ec2/route-table",
        calls=Calls(
            "{routeTableId}_{destinationCidrBlock}",
            {"RouteTableId": "=routeTableId", "DestinationCidrBlock": "=destinationCidrBlock",
             "RouteTableIds": ["=routeTableId"]},
            create=(Call("create_route", walk="gatewayId"),),
            read=(Read("describe_route_tables",
                       "RouteTables[0].Routes[?DestinationCidrBlock=='{destinationCidrBlock}'] | [0]"),),
            update=(Call("replace_route", walk="gatewayId"),),
            computed={"routeTableId": "=routeTableId"},
        ),
    ),
    ResourceType(
        "ec2", "route-table-association", parent="ec2/route-table",
        calls=Calls(
            "=answer.AssociationId", {"AssociationId": "=id", "RouteTableIds": ["=routeTableId"]},
            create=(Call("associate_route_table", walk="routeTableId subnetId gatewayId"),),
            read=(Read("describe_route_tables",
                       "RouteTables[0].Associations[?RouteTableAssociationId=='{id}'] | [0]"),),
            parts=("describe_route_tables",
                   "RouteTables[].Associations[].{AssociationId: RouteTableAssociationId}"),
            delete=(Call("disassociate_route_table"),),
        ),
    ),
    ResourceType(
        "ec2", "vpc-endpoint", Listing("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
        Calls(
            "=answer.VpcEndpoint.VpcEndpointId", addressed("VpcEndpointId"),
            create=(Call(
                "create_vpc_endpoint", {"PolicyDocument": "=policy"},
                "vpcId serviceName vpcEndpointType routeTableIds subnetIds securityGroupIds privateDnsEnabled",
                tags="vpc-endpoint",
            ),),
            delete=(Call("delete_vpc_endpoints"),),
            update=(Call("modify_vpc_endpoint", {"PolicyDocument": "=policy"}, on="policy"),),
            tags=TAGS,
            names={"policy": "policydocument"},
            computed=arn("vpc-endpoint"),
        ),
        metering=Metering(
            (Charge(PRODUCT, "USE1-VpcEndpoint-Hours", "VpcEndpoint", ("vpc", "interface-endpoint"), "zones",
                    "interface"),),
            {"zones": "length(SubnetIds || `[]`)", "interface": "VpcEndpointType == 'Interface'"},
            begin="CreationTimestamp", begins=("CreateVpcEndpoint",), ends=("DeleteVpcEndpoints",),
        ),
    ),
    ResourceType(
        "ec2", "security-group",
        Listing("describe_security_groups", "SecurityGroups", "GroupId", "GroupName != 'default'"),
        Calls(
            "=answer.GroupId", addressed("GroupId"),
            create=(
                Call("create_security_group", {"GroupName": "=name", "Description": "=description", "VpcId": "=vpcId"},
                     tags="security-group"),
                # AWS lets a new group reach everything; the official provider takes that back, and so do we
                Call("revoke_security_group_egress",
                     {"IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}),
            ),
            tags=TAGS,
            provider_only="revokeRulesOnDelete",
            names={"name": "groupname"},
            defaults={"description": "Managed by Pulumi"},
            computed=arn("security-group"),
        ),
        unmetered=FREE,
    ),
    _rule("ingress"),
    _rule("egress"),
    ResourceType("ec2", "network-acl", Listing("describe_network_acls", "NetworkAcls", "NetworkAclId", "!IsDefault"),
                 unmetered=FREE),
    ResourceType(
        "ec2", "network-interface",
        Listing("describe_network_interfaces",
                "NetworkInterfaces[].merge(@, TagSet != `null` && {Tags: TagSet} || `{}`)", "NetworkInterfaceId",
                alone="Status == 'available'"),
        Calls(
            "=answer.NetworkInterface.NetworkInterfaceId", addressed("NetworkInterfaceId"),
            create=(Call("create_network_interface", {"Groups": "=securityGroups"}, "subnetId description"),),
            update=(Call("modify_network_interface_attribute", {"Groups": "=securityGroups"}, on="securityGroups"),),
            tags=TAGS,
            computed={**arn("network-interface"), "securityGroups": "=item.Groups[].GroupId",
                      "privateIp": "=item.PrivateIpAddress"},
            complete=_with_tags,
        ),
        unmetered=FREE,
    ),
    ResourceType(
        "ec2", "address", Listing("describe_addresses", "Addresses", "AllocationId"),
        metering=Metering(
            (
                Charge(PRODUCT, "USE1-PublicIPv4:InUseAddress", "AssociateAddressVPC", PUBLIC_IPV4, when="used",
                       minimum=MINUTE),
                Charge(PRODUCT, "USE1-PublicIPv4:IdleAddress", "AllocateAddressVPC", PUBLIC_IPV4, when="!used",
                       minimum=MINUTE),
            ),
            {"used": "AssociationId != `null`"},
            begins=("AllocateAddress", "AssociateAddress", "DisassociateAddress"), ends=("ReleaseAddress",),
        ),
    ),
    ResourceType(
        "ec2", "nat-gateway", Listing("describe_nat_gateways", "NatGateways", "NatGatewayId", "State != 'deleted'"),
        metering=Metering(
            (Charge(OTHER, "NatGateway-Hours", "NatGateway", ("vpc", "nat-gateway")),),
            begin="CreateTime", active="State != 'deleted' && State != 'deleting'", ends=("DeleteNatGateway",),
        ),
    ),
    ResourceType(
        "elbv2", "load-balancer", Listing("describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
        metering=Metering(
            (Charge("Amazon Elastic Load Balancing", "LoadBalancerUsage", "LoadBalancing:Application",
                    ("elb", "application-load-balancer"), when="application"),),
            {"application": "Type == 'application'"},
            begin="CreatedTime", begins=("CreateLoadBalancer",), ends=("DeleteLoadBalancer",),
        ),
    ),
    ResourceType("elbv2", "target-group", Listing("describe_target_groups", "TargetGroups", "TargetGroupArn"),
                 unmetered="its load balancer is billed"),
)  # fmt: skip
