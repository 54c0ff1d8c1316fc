"""EC2: quotas of vCPUs, networks and addresses, the size of user data, and instance profiles."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from costs.book.quotas import ADDRESSES, NETWORKS, of_instances
from costs.book.shapes import vcpus
from localcloud.aws.launches import TEMPLATE_ID, TEMPLATE_VERSION, instance_facts, is_spot, template_data
from localcloud.aws.row import Json, absent, as_object
from localcloud.protocol import ServiceError
from localcloud.refusals.account import TAGS, Account, Check
from localcloud.refusals.roles import known, require_passing

USER_DATA = 16384  # bytes, before base64
RUNNING = ("pending", "running")


def _template(ec2: Any, request: Json) -> Json:
    """The data of the launch template that a request names, by itself or (the stand-in provider's) by its tags."""
    named = request.get("LaunchTemplate", {})
    if name := named.get("LaunchTemplateName"):
        templates = ec2.describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
        named = {**named, "LaunchTemplateId": templates[0]["LaunchTemplateId"]}
    if not named:
        tags = _instance_tags(request)
        named = {"LaunchTemplateId": tags.get(TEMPLATE_ID), "Version": tags.get(TEMPLATE_VERSION)}
    template = named.get("LaunchTemplateId")
    return template_data(ec2, template, str(named.get("Version") or "$Default")) if template else {}


def _instance_tags(request: Json) -> dict[str, str]:
    specifications = [item for item in request.get("TagSpecifications", []) if item.get("ResourceType") == "instance"]
    return as_object([tag for item in specifications for tag in item.get("Tags", [])])


def _check_user_data(request: Json, account: Account) -> None:
    data = request.get("UserData") or _template(account.client("ec2"), request).get("UserData", "")
    try:
        decoded = base64.b64decode(data, validate=True)
    except binascii.Error:
        decoded = data.encode()
    if len(decoded) > USER_DATA:
        raise ServiceError("InvalidParameterValue", f"User data is limited to {USER_DATA} bytes")


def _check_vcpus(request: Json, account: Account) -> None:
    ec2 = account.client("ec2")
    template = _template(ec2, request)
    kind = request.get("InstanceType") or template.get("InstanceType", "m1.small")
    spot = is_spot(request) or is_spot(template)
    quota, each = of_instances(kind, spot), vcpus(kind)
    if quota is None or each is None:
        return
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": list(RUNNING)}]
    )
    instances = [item for page in pages for group in page["Reservations"] for item in group["Instances"]]
    used = sum(
        vcpus(item["InstanceType"]) or 0
        for item in instances
        if item["State"]["Name"] in RUNNING
        and of_instances(item["InstanceType"], spot) == quota
        and instance_facts(ec2, item)["spot"] == spot
    )
    limit = account.limit(quota)
    if used + each * int(request.get("MinCount", 1)) <= limit:
        return
    if spot:
        raise ServiceError("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
    raise ServiceError(
        "VcpuLimitExceeded",
        f"You have requested more vCPU capacity than your current vCPU limit of {limit:.0f} allows for the instance "
        "bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request "
        "to request an adjustment to this limit.",
    )


def _check_zone(request: Json, account: Account) -> None:
    lacking = account.settings.lacking_types
    if not lacking:
        return
    ec2, template = account.client("ec2"), _template(account.client("ec2"), request)
    kind = request.get("InstanceType") or template.get("InstanceType", "m1.small")
    zone = (request.get("Placement") or template.get("Placement") or {}).get("AvailabilityZone")
    if subnet := request.get("SubnetId"):
        zone = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailabilityZone"]
    if kind in lacking.get(str(zone), ()):
        zones = [item["ZoneName"] for item in ec2.describe_availability_zones()["AvailabilityZones"]]
        others = ", ".join(name for name in zones if kind not in lacking.get(name, ()))
        raise ServiceError(
            "Unsupported",
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}). "
            f"Please retry your request by not specifying an Availability Zone or choosing {others}.",
        )


def _check_spot(request: Json, account: Account) -> None:
    """A persistent request must name its end. AWS takes one that does not, and ends it after 7 days: an interruption
    after that is the last, which nobody would see on this machine. An end that is over, or of a one-time request, AWS
    refuses; what it says of an end that is over, nobody has published.
    """
    data = request.get("LaunchTemplateData", request)
    options = data.get("InstanceMarketOptions", {}).get("SpotOptions", {})
    persistent, until = options.get("SpotInstanceType") == "persistent", options.get("ValidUntil")
    if until and not persistent:
        raise ServiceError(
            "InvalidParameterCombination",
            "The parameter validUntil cannot be specified when the SpotRequestType is set to 'one-time'.",
        )
    if persistent and not until:
        raise ServiceError(
            "InvalidParameterCombination",
            "The local cloud takes no persistent Spot request without ValidUntil: AWS would end it after 7 days.",
        )
    if until and _moment(until) <= datetime.now(UTC):
        raise ServiceError("InvalidParameterValue", f"The validUntil {until} is not in the future.")


def _check_profile(place: str = "IamInstanceProfile") -> Check:
    """A check of the instance profile that a request, or its launch template, names; RunInstances passes its role."""
    expression = jmespath.compile(place)

    def check(request: Json, account: Account) -> None:
        iam = account.client("iam")
        named = expression.search(request) or _template(account.client("ec2"), request).get("IamInstanceProfile")
        if not named:
            return
        member, value = next(iter(named.items()))
        try:
            profile = iam.get_instance_profile(InstanceProfileName=value.rpartition("/")[2])["InstanceProfile"]
        except ClientError as error:
            if not absent(error):
                raise
            profile = None
        if profile is None or not known(profile, account):
            raise ServiceError(
                "InvalidParameterValue",
                f"Value ({value}) for parameter iamInstanceProfile.{member.lower()} is invalid. "
                f"Invalid IAM Instance Profile {'ARN' if member == 'Arn' else 'name'}",
            )
        if not profile["Roles"]:
            text = f'IAM Instance Profile "{profile["Arn"]}" has no associated IAM Roles'
            raise ServiceError("InvalidParameterValue", text)
        require_passing("ec2", profile["Roles"][0]["Arn"], "ec2.amazonaws.com", account)

    return check


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_tags(request: Json, account: Account) -> None:
    for item in request.get("TagSpecifications", []):
        given = [key for key in as_object(item.get("Tags")) if not key.startswith("aws:")]
        if len(given) > TAGS:
            # The code is AWS's; the words, which it does not publish, are those of moto.
            raise ServiceError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")


def _check_addresses(request: Json, account: Account) -> None:
    if len(account.client("ec2").describe_addresses()["Addresses"]) >= account.limit(ADDRESSES):
        raise ServiceError("AddressLimitExceeded", "The maximum number of addresses has been reached.")


def _check_networks(request: Json, account: Account) -> None:
    if len(account.client("ec2").describe_vpcs()["Vpcs"]) >= account.limit(NETWORKS):
        raise ServiceError("VpcLimitExceeded", "The maximum number of VPCs has been reached.")


def _check_unused(request: Json, account: Account) -> None:
    """No interface is in the subnet or security group that is to go."""
    resource = request.get("GroupId") or request.get("SubnetId")
    for item in account.client("ec2").describe_network_interfaces()["NetworkInterfaces"]:
        if resource in (item["SubnetId"], *(group["GroupId"] for group in item["Groups"])):
            if "GroupId" in request:
                raise ServiceError("DependencyViolation", f"resource {resource} has a dependent object")
            raise ServiceError(
                "DependencyViolation", f"The subnet '{resource}' has dependencies and cannot be deleted."
            )


def _check_detached(request: Json, account: Account) -> None:
    interfaces = account.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[request["NetworkInterfaceId"]])[
        "NetworkInterfaces"
    ]
    if any(item.get("Attachment") for item in interfaces):
        problem = f"Network interface '{request['NetworkInterfaceId']}' is currently in use."
        raise ServiceError("InvalidParameterValue", problem)


CHECKS: dict[tuple[str, str], tuple[Check, ...]] = {
    ("ec2", "RunInstances"): (
        _check_user_data, _check_tags, _check_profile(), _check_zone, _check_spot, _check_vcpus,
    ),
    ("ec2", "RequestSpotInstances"): (_check_profile("LaunchSpecification.IamInstanceProfile"),),
    ("ec2", "AssociateIamInstanceProfile"): (_check_profile(),),
    ("ec2", "ReplaceIamInstanceProfileAssociation"): (_check_profile(),),
    ("ec2", "AllocateAddress"): (_check_addresses,),
    ("ec2", "DeleteNetworkInterface"): (_check_detached,),
    ("ec2", "DeleteSecurityGroup"): (_check_unused,),
    ("ec2", "DeleteSubnet"): (_check_unused,),
    ("ec2", "CreateVpc"): (_check_networks, _check_tags),
    **{("ec2", name): (_check_tags,) for name in ("CreateSubnet", "CreateSecurityGroup")},
    ("ec2", "CreateLaunchTemplate"): (_check_tags, _check_spot),
    ("ec2", "CreateLaunchTemplateVersion"): (_check_spot,),
}  # fmt: skip
