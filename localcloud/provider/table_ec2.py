"""EC2: the network, launch templates, instances."""

from __future__ import annotations

from typing import Any

from localcloud.provider.kinds import Call, Kind, Read, Tags, words

TAGS = Tags(
    Call("create_tags", {"Resources": ["=id"], "Tags": "=tagList"}),
    Call("delete_tags", {"Resources": ["=id"], "Tags": "=removedKeys"}),
)
PERMISSION = {
    "IpProtocol": "=ipProtocol",
    "FromPort": "=fromPort",
    "ToPort": "=toPort",
    "UserIdGroupPairs": "=groups",
    "IpRanges": "=ranges",
    "Ipv6Ranges": "=ranges6",
    "PrefixListIds": "=lists",
}


def _arn(kind: str) -> dict[str, str]:
    return {"arn": f"join('', ['arn:aws:ec2:', region, ':', account, ':{kind}/', id])"}


def _permission(context: dict[str, Any]) -> dict[str, Any]:
    """A rule's peer, in the member of the permission that it belongs in."""

    def peer(member: str, name: str) -> list[dict[str, str]] | None:
        if not context.get(name):
            return None
        described = {"Description": context["description"]} if context.get("description") else {}
        return [{member: context[name], **described}]

    return {
        "groups": peer("GroupId", "referencedSecurityGroupId"),
        "ranges": peer("CidrIp", "cidrIpv4"),
        "ranges6": peer("CidrIpv6", "cidrIpv6"),
        "lists": peer("PrefixListId", "prefixListId"),
    }


def _rule(direction: str) -> Kind:
    group = {"GroupId": "=securityGroupId"}
    return Kind(
        "ec2",
        "answer.SecurityGroupRules[0].SecurityGroupRuleId",
        (
            Call(
                f"authorize_security_group_{direction}", {**group, "IpPermissions": [PERMISSION]},
                tags="security-group-rule",
            ),
        ),
        (Read("describe_security_group_rules", {"SecurityGroupRuleIds": ["=id"]}, "SecurityGroupRules[0]"),),
        (Call(f"revoke_security_group_{direction}", {**group, "SecurityGroupRuleIds": ["=id"]}),),
        tags=TAGS,
        names={"securityGroupId": "groupid"},
        computed={"securityGroupRuleId": "id", **_arn("security-group-rule"),
                  "securityGroupId": "item.GroupId",
                  "referencedSecurityGroupId": "item.ReferencedGroupInfo.GroupId"},
        prepare=_permission,
        prepared=words("referencedSecurityGroupId cidrIpv4 cidrIpv6 prefixListId description"),
    )  # fmt: skip


def _vpc_attribute(member: str, name: str) -> Call:
    return Call("modify_vpc_attribute", {"VpcId": "=id", member: {"Value": f"={name}"}}, on=words(name))


def _instance(client: Any, context: dict[str, Any]) -> dict[str, Any]:
    """What RunInstances wants, its launch template's part included: AWS lays that in by itself, and tags the instance
    with the template that it came from; MiniStack does neither."""
    template, tags = context.get("launchTemplate") or {}, dict(context.get("tags") or {})
    data: dict[str, Any] = {}
    if template:
        which = {"LaunchTemplateId": template["id"]} if "id" in template else {"LaunchTemplateName": template["name"]}
        version = str(template.get("version") or "$Default")
        answer = client.describe_launch_template_versions(**which, Versions=[version])["LaunchTemplateVersions"][0]
        data = dict(answer["LaunchTemplateData"])
        for specification in data.get("TagSpecifications", []):
            if specification["ResourceType"] == "instance":
                tags = {**{tag["Key"]: tag["Value"] for tag in specification["Tags"]}, **tags}
        tags["aws:ec2launchtemplate:id"] = answer["LaunchTemplateId"]
        tags["aws:ec2launchtemplate:version"] = str(answer["VersionNumber"])
    name, recovery = context.get("iamInstanceProfile"), context.get("maintenanceOptions")
    tagged = [item for item in data.get("TagSpecifications", []) if item["ResourceType"] != "instance"]
    if tags:
        described = [{"Key": key, "Value": value} for key, value in tags.items()]
        tagged.append({"ResourceType": "instance", "Tags": described})
    return {
        "image": context.get("ami") or data.get("ImageId"),
        "type": context.get("instanceType") or data.get("InstanceType"),
        "groups": context.get("vpcSecurityGroupIds") or data.get("SecurityGroupIds"),
        "user": context.get("userDataBase64") or context.get("userData") or data.get("UserData"),
        "profile": {"Name": name} if name else data.get("IamInstanceProfile"),
        "maintenance": {"AutoRecovery": recovery["autoRecovery"]} if recovery else data.get("MaintenanceOptions"),
        "devices": data.get("BlockDeviceMappings"),
        "tagged": tagged or None,
    }


def _detach_gateway(client: Any, context: dict[str, Any]) -> None:
    if context.get("vpcId"):
        client.detach_internet_gateway(InternetGatewayId=context["id"], VpcId=context["vpcId"])


def _terminate(client: Any, context: dict[str, Any]) -> None:
    """Terminates, and removes the volumes that go with it: AWS does that by itself, MiniStack does not."""
    mine = [{"Name": "attachment.instance-id", "Values": [context["id"]]}]
    volumes = client.describe_volumes(Filters=mine)["Volumes"]
    client.terminate_instances(InstanceIds=[context["id"]])
    client.get_waiter("instance_terminated").wait(
        InstanceIds=[context["id"]], WaiterConfig={"Delay": 1, "MaxAttempts": 600}
    )
    left = {volume["VolumeId"] for volume in client.describe_volumes()["Volumes"]}
    for volume in volumes:
        if volume["VolumeId"] in left and volume["Attachments"][0].get("DeleteOnTermination"):
            client.detach_volume(VolumeId=volume["VolumeId"], Force=True)
            client.delete_volume(VolumeId=volume["VolumeId"])


TEMPLATE_DATA = words(
    "blockDeviceMappings creditSpecification disableApiStop disableApiTermination ebsOptimized iamInstanceProfile "
    "imageId instanceInitiatedShutdownBehavior instanceMarketOptions instanceType keyName maintenanceOptions "
    "metadataOptions monitoring networkInterfaces placement tagSpecifications userData vpcSecurityGroupIds"
)
TEMPLATE = {"LaunchTemplateId": "=id"}

EC2 = {
    "aws:ec2/vpc:Vpc": Kind(
        "ec2",
        "answer.Vpc.VpcId",
        (
            Call("create_vpc", {}, words("cidrBlock instanceTenancy"), tags="vpc"),
            Call("wait:vpc_available", {"VpcIds": ["=id"]}),
            _vpc_attribute("EnableDnsSupport", "enableDnsSupport"),
            _vpc_attribute("EnableDnsHostnames", "enableDnsHostnames"),
        ),
        (
            Read("describe_vpcs", {"VpcIds": ["=id"]}, "Vpcs[0]"),
            Read(
                "describe_vpc_attribute", {"VpcId": "=id", "Attribute": "enableDnsSupport"},
                "{EnableDnsSupport: EnableDnsSupport.Value}",
            ),
            Read(
                "describe_vpc_attribute", {"VpcId": "=id", "Attribute": "enableDnsHostnames"},
                "{EnableDnsHostnames: EnableDnsHostnames.Value}",
            ),
        ),
        (Call("delete_vpc", {"VpcId": "=id"}),),
        (
            _vpc_attribute("EnableDnsSupport", "enableDnsSupport"),
            _vpc_attribute("EnableDnsHostnames", "enableDnsHostnames"),
        ),
        tags=TAGS,
        computed=_arn("vpc"),
    ),
    "aws:ec2/subnet:Subnet": Kind(
        "ec2",
        "answer.Subnet.SubnetId",
        (
            Call("create_subnet", {}, words("vpcId cidrBlock availabilityZone"), tags="subnet"),
            Call(
                "modify_subnet_attribute",
                {"SubnetId": "=id", "MapPublicIpOnLaunch": {"Value": "=mapPublicIpOnLaunch"}},
                on=words("mapPublicIpOnLaunch"),
            ),
        ),
        (Read("describe_subnets", {"SubnetIds": ["=id"]}, "Subnets[0]"),),
        (Call("delete_subnet", {"SubnetId": "=id"}),),
        (
            Call(
                "modify_subnet_attribute",
                {"SubnetId": "=id", "MapPublicIpOnLaunch": {"Value": "=mapPublicIpOnLaunch"}},
                on=words("mapPublicIpOnLaunch"),
            ),
        ),
        tags=TAGS,
        computed=_arn("subnet"),
    ),
    "aws:ec2/internetGateway:InternetGateway": Kind(
        "ec2",
        "answer.InternetGateway.InternetGatewayId",
        (
            Call("create_internet_gateway", tags="internet-gateway"),
            Call(
                "attach_internet_gateway", {"InternetGatewayId": "=id", "VpcId": "=vpcId"}, on=words("vpcId")
            ),
        ),
        (Read("describe_internet_gateways", {"InternetGatewayIds": ["=id"]}, "InternetGateways[0]"),),
        (Call("delete_internet_gateway", {"InternetGatewayId": "=id"}),),
        tags=TAGS,
        computed={**_arn("internet-gateway"), "vpcId": "item.Attachments[0].VpcId"},
        before_delete=_detach_gateway,
    ),
    "aws:ec2/routeTable:RouteTable": Kind(
        "ec2",
        "answer.RouteTable.RouteTableId",
        (Call("create_route_table", {}, words("vpcId"), tags="route-table"),),
        (Read("describe_route_tables", {"RouteTableIds": ["=id"]}, "RouteTables[0].{VpcId: VpcId, Tags: Tags}"),),
        (Call("delete_route_table", {"RouteTableId": "=id"}),),
        tags=TAGS,
        computed=_arn("route-table"),
    ),
    "aws:ec2/route:Route": Kind(
        "ec2",
        "join('_', [routeTableId, destinationCidrBlock])",
        (Call("create_route", {}, words("routeTableId destinationCidrBlock gatewayId")),),
        (
            Read(
                "describe_route_tables", {"RouteTableIds": ["=routeTableId"]},
                "RouteTables[0].Routes[?DestinationCidrBlock=='{destinationCidrBlock}'] | [0]",
            ),
        ),
        (Call("delete_route", {"RouteTableId": "=routeTableId", "DestinationCidrBlock": "=destinationCidrBlock"}),),
        (Call("replace_route", {}, words("routeTableId destinationCidrBlock gatewayId"), on=words("gatewayId")),),
        parts=r"(?P<routeTableId>[^_]+)_(?P<destinationCidrBlock>.+)",
        computed={"routeTableId": "routeTableId"},
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Kind(
        "ec2",
        "answer.AssociationId",
        (Call("associate_route_table", {}, words("routeTableId subnetId gatewayId")),),
        (
            Read(
                "describe_route_tables", {"RouteTableIds": ["=routeTableId"]},
                "RouteTables[0].Associations[?RouteTableAssociationId=='{id}'] | [0]",
            ),
        ),
        (Call("disassociate_route_table", {"AssociationId": "=id"}),),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Kind(
        "ec2",
        "answer.VpcEndpoint.VpcEndpointId",
        (
            Call(
                "create_vpc_endpoint", {"PolicyDocument": "=policy"},
                words("vpcId serviceName vpcEndpointType routeTableIds subnetIds securityGroupIds privateDnsEnabled"),
                tags="vpc-endpoint",
            ),
        ),
        (Read("describe_vpc_endpoints", {"VpcEndpointIds": ["=id"]}, "VpcEndpoints[0]"),),
        (Call("delete_vpc_endpoints", {"VpcEndpointIds": ["=id"]}),),
        (
            Call(
                "modify_vpc_endpoint", {"VpcEndpointId": "=id", "PolicyDocument": "=policy"}, on=words("policy")
            ),
        ),
        tags=TAGS,
        names={"policy": "policydocument"},
        computed=_arn("vpc-endpoint"),
    ),
    "aws:ec2/securityGroup:SecurityGroup": Kind(
        "ec2",
        "answer.GroupId",
        (
            Call(
                "create_security_group",
                {"GroupName": "=name", "Description": "=description", "VpcId": "=vpcId"},
                tags="security-group",
            ),
            # AWS lets a new group reach everything; the official provider takes that back, and so do we
            Call(
                "revoke_security_group_egress",
                {"GroupId": "=id", "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]},
            ),
        ),
        (
            Read(
                "describe_security_groups", {"GroupIds": ["=id"]},
                "SecurityGroups[0].{Name: GroupName, Description: Description, VpcId: VpcId, Tags: Tags, "
                "OwnerId: OwnerId}",
            ),
        ),
        (Call("delete_security_group", {"GroupId": "=id"}),),
        tags=TAGS,
        name="name",
        ours=words("revokeRulesOnDelete"),
        defaults={"description": "Managed by Pulumi"},
        computed=_arn("security-group"),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("egress"),
    "aws:ec2/launchTemplate:LaunchTemplate": Kind(
        "ec2",
        "answer.LaunchTemplate.LaunchTemplateId",
        (
            Call(
                "create_launch_template",
                {"LaunchTemplateName": "=name", "VersionDescription": "=description"},
                TEMPLATE_DATA,
                "LaunchTemplateData",
                tags="launch-template",
            ),
        ),
        (
            Read(
                "describe_launch_template_versions", {**TEMPLATE, "Versions": ["$Latest"]},
                "LaunchTemplateVersions[0].LaunchTemplateData",
            ),
            Read(
                "describe_launch_templates", {"LaunchTemplateIds": ["=id"]},
                "LaunchTemplates[0].{Name: LaunchTemplateName, LatestVersion: LatestVersionNumber, "
                "DefaultVersion: DefaultVersionNumber, Tags: Tags}",
            ),
        ),
        (Call("delete_launch_template", TEMPLATE),),
        (
            Call(
                "create_launch_template_version", {**TEMPLATE, "VersionDescription": "=description"},
                TEMPLATE_DATA, "LaunchTemplateData", on=TEMPLATE_DATA | {"description"},
            ),
        ),
        tags=TAGS,
        name="name",
        ours=words("updateDefaultVersion"),
        names={"vpcSecurityGroupIds": "securitygroupid"},
        computed=_arn("launch-template"),
        moving=words("latestVersion defaultVersion"),
    ),
    "aws:ec2/instance:Instance": Kind(
        "ec2",
        "answer.Instances[0].InstanceId",
        (
            Call(
                "run_instances",
                {
                    "MinCount": 1, "MaxCount": 1, "ImageId": "=image", "InstanceType": "=type",
                    "SubnetId": "=subnetId", "PrivateIpAddress": "=privateIp", "KeyName": "=keyName",
                    "SecurityGroupIds": "=groups", "UserData": "=user", "IamInstanceProfile": "=profile",
                    "EbsOptimized": "=ebsOptimized", "MaintenanceOptions": "=maintenance",
                    "BlockDeviceMappings": "=devices", "TagSpecifications": "=tagged",
                },
            ),
            Call("wait:instance_running", {"InstanceIds": ["=id"]}),
        ),
        (
            Read(
                "describe_instances", {"InstanceIds": ["=id"]},
                "Reservations[].Instances[] | [?State.Name != 'terminated' && State.Name != 'shutting-down'] | [0]",
            ),
        ),
        (),
        (
            Call("modify_instance_attribute", {"InstanceId": "=id", "Groups": "=vpcSecurityGroupIds"},
                 on=words("vpcSecurityGroupIds")),
        ),
        tags=TAGS,
        ours=words("userDataReplaceOnChange volumeTags"),
        names={"privateIp": "privateipaddress", "publicIp": "publicipaddress", "ami": "imageid",
               "publicDns": "publicdnsname", "privateDns": "privatednsname"},
        computed={**_arn("instance"), "instanceState": "item.State.Name",
                  "availabilityZone": "item.Placement.AvailabilityZone"},
        prepare_create=_instance,
        before_delete=_terminate,
        prepared=words(
            "ami instanceType vpcSecurityGroupIds userData userDataBase64 iamInstanceProfile launchTemplate "
            "maintenanceOptions"
        ),
    ),
}  # fmt: skip
