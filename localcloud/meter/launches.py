"""Instances and their root volumes as EC2 would have made them, where the emulated account is simpler than AWS.

It shows a public address on every instance, makes every root volume with 8 GB gp3 and without tags, and forgets that an
instance is on spot capacity. On AWS the subnet and the launch template decide; the template is known from the tags that
EC2 sets on its instances.
"""

from __future__ import annotations

from typing import Any

Item = dict[str, Any]
VOLUME = {"type": "VolumeType", "gb": "VolumeSize", "iops": "Iops", "throughput": "Throughput"}  # in a template


def _template(client: Any, instance: Item) -> Item:
    """The launch template's data, empty where the instance has none."""
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    template = tags.get("aws:ec2launchtemplate:id")
    if not template:
        return {}
    version = tags.get("aws:ec2launchtemplate:version", "$Latest")
    answer = client.describe_launch_template_versions(LaunchTemplateId=template, Versions=[version])
    return dict(answer["LaunchTemplateVersions"][0]["LaunchTemplateData"])


def instance(client: Any, found: Item) -> Item:
    """`public`, whether it has a public address; `on_demand` and `spot`, which capacity it is on."""
    data = _template(client, found)
    interfaces = data.get("NetworkInterfaces", [])
    public = interfaces[0].get("AssociatePublicIpAddress") if interfaces else None
    if public is None:
        subnets = client.describe_subnets(SubnetIds=[found["SubnetId"]])["Subnets"]
        public = any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    market = data.get("InstanceMarketOptions", {}).get("MarketType") or found.get("InstanceLifecycle")
    return {"public": bool(public), "spot": market == "spot", "on_demand": market != "spot"}


def volume(client: Any, found: Item) -> Item:
    """Type, size and `tags` that the template of a root volume's instance gives it; nothing where there is none.

    `owner` is the instance that a volume goes with, and `over` whether that has ended: the volume has then, too, though
    the emulated account keeps it.
    """
    attached = [item for item in found.get("Attachments", []) if item.get("DeleteOnTermination")]
    if not attached:
        return _extra(_own(found))
    owner = attached[0]["InstanceId"]
    mine = [{"Name": "instance-id", "Values": [owner]}]  # as a filter, for which an absent one is no error
    groups = client.describe_instances(Filters=mine)["Reservations"]
    if not groups:
        return {**_extra(_own(found)), "owner": owner, "over": True}
    instance = groups[0]["Instances"][0]
    data = _template(client, instance)
    devices = data.get("BlockDeviceMappings", [])
    root = attached[0].get("Device") == instance.get("RootDeviceName")
    ebs = devices[0].get("Ebs", {}) if devices and root else {}
    facts = _extra({**_own(found), **{name: ebs[member] for name, member in VOLUME.items() if member in ebs}})
    facts |= {"owner": owner, "over": instance["State"]["Name"] == "terminated"}
    if root and not found.get("Tags"):
        specified = [one for one in data.get("TagSpecifications", []) if one["ResourceType"] == "volume"]
        facts["tags"] = {tag["Key"]: tag["Value"] for one in specified for tag in one["Tags"]}
    return facts


def _own(found: Item) -> Item:
    """A volume as the account describes it."""
    return {"type": found["VolumeType"], "gb": found["Size"], "iops": found.get("Iops"),
            "throughput": found.get("Throughput")}  # fmt: skip


def _extra(facts: Item) -> Item:
    """What a volume has beyond what its price includes."""
    iops, throughput, kind = facts["iops"] or 0, facts["throughput"] or 0, facts["type"]
    free = {"gp3": 3000}.get(kind, 0)
    paid = kind in ("gp3", "io1", "io2")
    return {
        "type": kind,
        "gb": facts["gb"],
        "more_iops": max(0, iops - free) if paid else 0,
        "more_throughput": max(0, throughput - 125) if kind == "gp3" else 0,
    }
