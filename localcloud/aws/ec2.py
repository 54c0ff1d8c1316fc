"""EC2: launch templates, instances, and what they leave behind."""

from __future__ import annotations

import base64
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws.launches import TEMPLATE_ID, TEMPLATE_VERSION, instance_facts, tags_for, volume_facts
from localcloud.aws.row import MINUTE, Call, Calls, Charge, Json, Listing, Metering, Read, ResourceType, as_list
from localcloud.aws.vpc import OTHER, PRODUCT, PUBLIC_IPV4, TAGS, addressed, arn

COMPUTE = "Amazon Elastic Compute Cloud - Compute"
TEMPLATE_DATA = (
    "blockDeviceMappings creditSpecification disableApiStop disableApiTermination ebsOptimized iamInstanceProfile "
    "imageId instanceInitiatedShutdownBehavior instanceMarketOptions instanceType keyName maintenanceOptions "
    "metadataOptions monitoring networkInterfaces placement tagSpecifications userData vpcSecurityGroupIds"
)


def _launched(client: Any, context: Json) -> Json:
    """The data of the launch template that RunInstances wants laid in, and all tags: AWS does that by itself, and tags
    the instance with the template that it came from; MiniStack does neither."""
    template, tags = context.get("launchTemplate") or {}, dict(context.get("tags") or {})
    data: Json = {}
    if template:
        key = {"LaunchTemplateId": template["id"]} if "id" in template else {"LaunchTemplateName": template["name"]}
        version = str(template.get("version") or "$Default")
        answer = client.describe_launch_template_versions(**key, Versions=[version])["LaunchTemplateVersions"][0]
        data = dict(answer["LaunchTemplateData"])
        tags = {**tags_for(data, "instance"), **tags}
        tags |= {TEMPLATE_ID: answer["LaunchTemplateId"], TEMPLATE_VERSION: str(answer["VersionNumber"])}
    tagged = [item for item in data.get("TagSpecifications", []) if item["ResourceType"] != "instance"]
    if tags:
        tagged.append({"ResourceType": "instance", "Tags": as_list(tags)})
    given = context.get("userDataBase64") or data.get("UserData")
    return {"template": data, "tagged": tagged or None, "boot": context.get("userData") or _decoded(given)}


def _decoded(user_data: str | None) -> bytes | None:
    """User data as boto3 takes it, which encodes it by itself: a template's, and what a program gives as base64, would
    be so twice."""
    try:
        return base64.b64decode(user_data, validate=True) if user_data else None
    except ValueError:
        refusal = {"Code": "InvalidUserData.Malformed", "Message": "Invalid BASE64 encoding of user data"}
        raise ClientError({"Error": refusal}, "RunInstances") from None


def _terminate(client: Any, context: Json) -> None:
    """Terminates, and removes the volumes that go with it: AWS does that by itself, MiniStack does not. They go first,
    so that one who is killed in between finds all that is left by the instance."""
    attached = [{"Name": "attachment.instance-id", "Values": [context["id"]]}]
    for volume in client.describe_volumes(Filters=attached)["Volumes"]:
        if volume["Attachments"][0].get("DeleteOnTermination"):
            client.detach_volume(VolumeId=volume["VolumeId"], Force=True)
            client.delete_volume(VolumeId=volume["VolumeId"])
    client.terminate_instances(InstanceIds=[context["id"]])
    client.get_waiter("instance_terminated").wait(
        InstanceIds=[context["id"]], WaiterConfig={"Delay": 1, "MaxAttempts": 600}
    )


def _disk(usage: str, item: str, amount: str) -> Charge:
    return Charge(OTHER, f"EBS:Volume{usage}.{{type}}", "CreateVolume-{type}", ("ebs", item), amount, amount, MINUTE)


TYPES = (
    ResourceType(
        "ec2", "launch-template", Listing("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
        Calls(
            "=answer.LaunchTemplate.LaunchTemplateId", addressed("LaunchTemplateId"),
            create=(Call("create_launch_template", {"LaunchTemplateName": "=name",
                         "VersionDescription": "=description"}, TEMPLATE_DATA, "LaunchTemplateData",
                         tags="launch-template"),),
            read=(
                Read("describe_launch_template_versions", "LaunchTemplateVersions[0].LaunchTemplateData",
                     {"Versions": ["$Latest"]}),
                Read("describe_launch_templates", "LaunchTemplates[0].{Name: LaunchTemplateName, LatestVersion: "
                     "LatestVersionNumber, DefaultVersion: DefaultVersionNumber, Tags: Tags}"),
            ),
            update=(Call("create_launch_template_version", {"VersionDescription": "=description"}, TEMPLATE_DATA,
                         "LaunchTemplateData", on=f"{TEMPLATE_DATA} description"),),
            tags=TAGS,
            provider_only="updateDefaultVersion",
            names={"vpcSecurityGroupIds": "securitygroupid"},
            computed=arn("launch-template"),
            volatile="latestVersion defaultVersion",
        ),
        unmetered="what is launched from it is billed",
    ),
    ResourceType(
        "ec2", "instance",
        Listing("describe_instances", "Reservations[].Instances[]", "InstanceId", "State.Name != 'terminated'"),
        Calls(
            "=answer.Instances[0].InstanceId", addressed("InstanceId"),
            create=(
                Call("run_instances", {
                    "MinCount": 1, "MaxCount": 1, "ImageId": "=ami || template.ImageId",
                    "InstanceType": "=instanceType || template.InstanceType",
                    "SubnetId": "=subnetId", "PrivateIpAddress": "=privateIp", "KeyName": "=keyName",
                    "SecurityGroupIds": "=vpcSecurityGroupIds || template.SecurityGroupIds",
                    "UserData": "=boot", "EbsOptimized": "=ebsOptimized",
                    "IamInstanceProfile": "=iamInstanceProfile && {Name: iamInstanceProfile}"
                                          " || template.IamInstanceProfile",
                    "MaintenanceOptions": "=maintenanceOptions && {AutoRecovery: maintenanceOptions.autoRecovery}"
                                          " || template.MaintenanceOptions",
                    "BlockDeviceMappings": "=template.BlockDeviceMappings", "TagSpecifications": "=tagged",
                }, late="Invalid IAM Instance Profile|has no associated IAM Roles"),
                Call("wait:instance_running"),
            ),
            read=(Read("describe_instances", "Reservations[].Instances[] | "
                       "[?State.Name != 'terminated' && State.Name != 'shutting-down'] | [0]"),),
            update=(Call("modify_instance_attribute", {"Groups": "=vpcSecurityGroupIds"}, on="vpcSecurityGroupIds"),),
            tags=TAGS,
            delete=(),  # `_terminate` ends it
            provider_only="userDataReplaceOnChange volumeTags",
            names={"privateIp": "privateipaddress", "publicIp": "publicipaddress", "ami": "imageid",
                   "publicDns": "publicdnsname", "privateDns": "privatednsname"},
            computed={**arn("instance"), "instanceState": "=item.State.Name",
                      "availabilityZone": "=item.Placement.AvailabilityZone"},
            prepare_create=_launched,
            prepared="launchTemplate userData userDataBase64",
            before_delete=_terminate,
        ),
        metering=Metering(
            (
                Charge(COMPUTE, "BoxUsage:{type}", "RunInstances", ("ec2", "{type}"), when="!spot", minimum=MINUTE),
                Charge(COMPUTE, "SpotUsage:{type}", "RunInstances:SV", ("ec2", "{type}"), when="spot", minimum=MINUTE,
                       spot=True),
                Charge(PRODUCT, "USE1-PublicIPv4:InUseAddress", "RunInstances", PUBLIC_IPV4, when="public",
                       minimum=MINUTE),
            ),
            {"type": "InstanceType"},
            begin="LaunchTime", active="State.Name == 'running'", more_facts=instance_facts,
            begins=("StartInstances",), ends=("TerminateInstances", "StopInstances"),
        ),
    ),
    ResourceType(
        "ec2", "volume", Listing("describe_volumes", "Volumes", "VolumeId", alone="State == 'available'"),
        Calls(
            "=answer.VolumeId", addressed("VolumeId"),
            create=(
                Call("create_volume", walk="availabilityZone size type iops throughput encrypted kmsKeyId snapshotId",
                     tags="volume"),
                Call("wait:volume_available"),
            ),
            update=(Call("modify_volume", walk="size type iops throughput"),),
            tags=TAGS,
            names={"type": "volumetype"},
            computed=arn("volume"),
        ),
        token="aws:ebs/volume:Volume",
        metering=Metering(
            (
                _disk("Usage", "{type}", "gb"),
                _disk("P-IOPS", "{type}-iops", "more_iops"),
                _disk("P-Throughput", "{type}-throughput", "more_throughput"),
            ),
            begin="CreateTime", more_facts=volume_facts, begins=("ModifyVolume",),
            ends=("DeleteVolume", "TerminateInstances"),
        ),
    ),
    ResourceType(
        "ec2", "snapshot", Listing("describe_snapshots", "Snapshots", "SnapshotId",
                                           arguments={"OwnerIds": ["self"]}),
        unmetered="the account does not say how many blocks of it differ",
    ),
    ResourceType("ec2", "image", Listing("describe_images", "Images", "ImageId", arguments={"Owners": ["self"]}),
                 unmetered="its snapshots are billed"),
    ResourceType("ec2", "key-pair", Listing("describe_key_pairs", "KeyPairs", "KeyName"), unmetered="free"),
    ResourceType(
        "autoscaling", "group", Listing("describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
        unmetered="its instances are billed",
    ),
    ResourceType(
        "autoscaling", "launch-configuration",
        Listing("describe_launch_configurations", "LaunchConfigurations", "LaunchConfigurationName"),
        unmetered="what is launched from it is billed",
    ),
)  # fmt: skip
