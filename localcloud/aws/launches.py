"""Instances and their root volumes as EC2 would have made them, where the emulated account is simpler than AWS.

It shows a public address on every instance, makes every root volume with 8 GB gp3 and without tags, and forgets that an
instance is on spot capacity. On AWS the subnet and the launch template decide; the template is known from the tags that
EC2 sets on its instances.
"""

from __future__ import annotations

from typing import Any

from localcloud.aws.row import Json, as_object

TEMPLATE_ID, TEMPLATE_VERSION = "aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version"
DISK = {"type": "VolumeType", "gb": "VolumeSize", "iops": "Iops", "throughput": "Throughput"}  # in a template


def template_data(client: Any, template: str, version: str) -> Json:
    """The data of a version of a launch template; empty where there is no such version."""
    answer = client.describe_launch_template_versions(LaunchTemplateId=template, Versions=[version])
    versions = answer["LaunchTemplateVersions"]
    return dict(versions[0]["LaunchTemplateData"]) if versions else {}


def template_of(client: Any, instance: Json) -> Json:
    """The data of an instance's launch template; empty where its tags name none."""
    tags = as_object(instance.get("Tags"))
    template = tags.get(TEMPLATE_ID)
    return template_data(client, template, tags.get(TEMPLATE_VERSION, "$Latest")) if template else {}


def tags_for(data: Json, kind: str) -> dict[str, str]:
    """The tags that a template's data gives to resources of a kind (`instance`, `volume`)."""
    specifications = [item["Tags"] for item in data.get("TagSpecifications", []) if item["ResourceType"] == kind]
    return as_object([tag for tags in specifications for tag in tags])


def is_spot(data: Json) -> bool:
    """Whether a template, or a request of RunInstances, asks for spot capacity: by itself, or by tags for the request
    (MiniStack keeps the tags of a template, and not its market)."""
    kinds = [item.get("ResourceType") for item in data.get("TagSpecifications", [])]
    return data.get("InstanceMarketOptions", {}).get("MarketType") == "spot" or "spot-instances-request" in kinds


def instance_facts(client: Any, instance: Json) -> Json:
    """`public`, whether it has a public address, and `spot`, whether it is on spot capacity."""
    data = template_of(client, instance)
    interfaces = data.get("NetworkInterfaces", [])
    public = interfaces[0].get("AssociatePublicIpAddress") if interfaces else None
    if public is None:
        subnets = client.describe_subnets(SubnetIds=[instance["SubnetId"]])["Subnets"]
        public = any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    return {"public": bool(public), "spot": is_spot(data) or instance.get("InstanceLifecycle") == "spot"}


def volume_facts(client: Any, volume: Json) -> Json:
    """Type, size and `tags` that the template of a root volume's instance gives it; nothing where there is none.

    `owner` is the instance that a volume goes with, and `over` whether that has ended: the volume has then, too, though
    the emulated account keeps it.
    """
    disk = {"type": volume["VolumeType"], "gb": volume["Size"], "iops": volume.get("Iops"),
            "throughput": volume.get("Throughput")}  # fmt: skip
    attached = [item for item in volume.get("Attachments", []) if item.get("DeleteOnTermination")]
    if not attached:
        return _billed(disk)
    owner = attached[0]["InstanceId"]
    by_id = [{"Name": "instance-id", "Values": [owner]}]  # as a filter, for which an absent one is no error
    reservations = client.describe_instances(Filters=by_id)["Reservations"]
    if not reservations:
        return {**_billed(disk), "owner": owner, "over": True}
    instance = reservations[0]["Instances"][0]
    data = template_of(client, instance)
    devices = data.get("BlockDeviceMappings", [])
    root = attached[0].get("Device") == instance.get("RootDeviceName")
    ebs = devices[0].get("Ebs", {}) if devices and root else {}
    facts = _billed({**disk, **{name: ebs[member] for name, member in DISK.items() if member in ebs}})
    facts |= {"owner": owner, "over": instance["State"]["Name"] == "terminated"}
    if root and not volume.get("Tags"):
        facts["tags"] = tags_for(data, "volume")
    return facts


def _billed(disk: Json) -> Json:
    """Type and size of a disk, and what it has beyond what its price includes."""
    iops, throughput, kind = disk["iops"] or 0, disk["throughput"] or 0, disk["type"]
    free = {"gp3": 3000}.get(kind, 0)
    paid = kind in ("gp3", "io1", "io2")
    return {
        "type": kind,
        "gb": disk["gb"],
        "more_iops": max(0, iops - free) if paid else 0,
        "more_throughput": max(0, throughput - 125) if kind == "gp3" else 0,
    }
