"""Machines of EC2 in every form that a program may give them, recomputed by hand from the price book."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from costs.amounts import cents
from costs.book.prices import PriceBook
from costs.book.spot import Observed
from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from costs.plan.preview import UNKNOWN, PlannedResource
from costs.plan.traffic import Usage

BOOK = PriceBook.load()
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
MONTH = 730
INSTANCE, REQUEST = "aws:ec2/instance:Instance", "aws:ec2/spotInstanceRequest:SpotInstanceRequest"
TEMPLATE, CONFIGURATION = "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/launchConfiguration:LaunchConfiguration"
GROUP, SCHEDULE = "aws:autoscaling/group:Group", "aws:autoscaling/schedule:Schedule"
FLEET, SPOT_FLEET = "aws:ec2/fleet:Fleet", "aws:ec2/spotFleetRequest:SpotFleetRequest"
BATCH = "aws:batch/computeEnvironment:ComputeEnvironment"
SUBNET, VPC = "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"


def resource(kind: str, name: str = "one", /, *, op: str = "create", **inputs: Any) -> PlannedResource:
    depends = inputs.pop("depends", {})
    return PlannedResource(f"urn:pulumi:dev::shop::{kind}::{name}", kind, name, inputs, depends, op)


def price(*resources: PlannedResource, book: PriceBook = BOOK, usage: Usage | None = None) -> ResourceCost:
    """What the last of some resources costs."""
    return price_resources(resources, "us-east-1", book, usage, now=NOW)[-1]


PRIVATE = resource(SUBNET, "private", mapPublicIpOnLaunch=False)
INSIDE = {"vpcZoneIdentifiers": UNKNOWN, "depends": {"vpcZoneIdentifiers": (PRIVATE.urn,)}}
ALONE = {"instanceType": "t3.medium", "associatePublicIpAddress": False}
MEDIUM, ROOT, ADDRESS = "30.368", "0.64", "3.65"  # t3.medium, 8 GB of gp3, a month
ONE_OF = {"minSize": 1, "maxSize": 1}


def template(**inputs: Any) -> PlannedResource:
    return resource(TEMPLATE, "t", name="t", **{"instanceType": "t3.medium", **inputs})


def group(*, name: str = "t", **inputs: Any) -> PlannedResource:
    return resource(GROUP, "g", **{**ONE_OF, "launchTemplate": {"name": name}, **INSIDE, **inputs})


def mixed(overrides: Any, **distribution: Any) -> dict[str, Any]:
    return {
        "launchTemplate": None,
        "mixedInstancesPolicy": {
            "launchTemplate": {"launchTemplateSpecification": {"launchTemplateName": "t"}, "overrides": overrides},
            "instancesDistribution": distribution,
        },
    }


def launched(**inputs: Any) -> list[PlannedResource]:
    """A group of one machine by a launch configuration."""
    configuration = resource(CONFIGURATION, "c", name="c", **{"instanceType": "t3.medium", **inputs})
    return [PRIVATE, configuration, group(launchTemplate=None, launchConfiguration="c")]


TWO_KINDS = [{"instanceType": "g4dn.xlarge"}, {"instanceType": "g5.xlarge"}]
WEIGHED = [
    {"instanceType": "m5.large", "weightedCapacity": "2"},
    {"instanceType": "m5.xlarge", "weightedCapacity": "4"},
]
DATA = {"deviceName": "/dev/xvdf", "ebs": {"volumeSize": 1000}}
SPECIFICATION = {"instanceType": "t3.medium", "ami": "ami-1", "associatePublicIpAddress": False}
DEDICATED = resource(INSTANCE, "first", **ALONE, tenancy="dedicated")
ONLY_DEDICATED = resource(VPC, "v", instanceTenancy="dedicated")
THERE = resource(SUBNET, "s", vpcId=UNKNOWN, depends={"vpcId": (ONLY_DEDICATED.urn,)})

# name → the resources, of which the last is priced; its dollars a month at the least, as expected and at the most. On
# spot capacity a t3.medium is expected at 0.0191 an hour, as in the median zone of the catalogue.
SAMPLES: dict[str, tuple[list[PlannedResource], str, str | None, str]] = {
    "data disk of a template, gp2 as nothing else is said": (
        [template(blockDeviceMappings=[DATA]), resource(INSTANCE, launchTemplate={"name": "t"}, **ALONE)],
        *["131.008"] * 3),
    "data disk of a request on spot": (
        [resource(REQUEST, **ALONE, ebsBlockDevices=[{"deviceName": "xvdf", "volumeSize": 100}])],
        "13.6768", "24.583", "41.008"),
    "own root disk in the place of the template's": (
        [template(blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 100, "volumeType": "gp3"}}]),
         resource(INSTANCE, **ALONE, launchTemplate={"name": "t"}, rootBlockDevice={"volumeSize": 20})],
        *["31.968"] * 3),
    "monitored by the template": (
        [PRIVATE, template(monitoring={"enabled": True}), group()], *["33.108"] * 3),  # 7 metrics of 0.30
    "perhaps monitored": ([resource(INSTANCE, **ALONE, monitoring=UNKNOWN)], "31.008", None, "33.108"),
    "a launch configuration is monitored unless it says otherwise": (launched(), *["33.108"] * 3),
    "a launch configuration that is not monitored": (launched(enableMonitoring=False), *["31.008"] * 3),
    "a launch configuration on spot": (launched(enableMonitoring=False, spotPrice="0.05"),
                                     "3.6768", "14.583", "31.008"),
    "Windows by the image of a template": ([PRIVATE, template(imageId="ami-windows-2022"), group()], *["44.44"] * 3),
    "Windows, four processors of 0.046": (
        [resource(INSTANCE, **{**ALONE, "instanceType": "m5.xlarge"}, ami="resolve:ssm:/aws/ami-windows-latest/x")],
        *["275.12"] * 3),
    "Windows of which the password is asked for": ([resource(INSTANCE, **ALONE, getPasswordData=True)], *["44.44"] * 3),
    "Red Hat, sixteen processors of 0.0108": (
        [resource(INSTANCE, **{**ALONE, "instanceType": "c5.4xlarge"}, ami="ami-rhel-9")], *["623.184"] * 3),
    "Windows reserved": ([resource("aws:ec2/capacityReservation:CapacityReservation", instanceCount=2,
                                   instanceType="t3.medium", instancePlatform="Windows")], *["87.60"] * 3),
    "dedicated by a template, 5 to 11 % above 70.08, and the region's fee": (
        [PRIVATE, template(instanceType="m5.large", placement={"tenancy": "dedicated"}), group()],
        "1534.224", None, "1538.4288"),
    "dedicated in a region whose fee is counted already": (
        [DEDICATED, resource(INSTANCE, "second", **ALONE, tenancy="dedicated")], *["32.833"] * 3),
    "in a network of dedicated machines": (
        [ONLY_DEDICATED, THERE, resource(INSTANCE, **ALONE, subnetId=UNKNOWN, depends={"subnetId": (THERE.urn,)})],
        *["1492.833"] * 3),
    "a group by its desired size": (
        [PRIVATE, template(), group(minSize=0, maxSize=10, desiredCapacity=3)], "0", "93.024", "310.08"),
    "a group starts at its least size": (
        [PRIVATE, template(), group(minSize=2, maxSize=3)], "62.016", "62.016", "93.024"),
    "a group with a scheduled action": (
        [PRIVATE, template(), resource(SCHEDULE, autoscalingGroupName=UNKNOWN, minSize=-1, maxSize=-1,
                                       desiredCapacity=4, depends={"autoscalingGroupName": (group().urn,)}), group()],
        "31.008", "31.008", "124.032"),
    "a mixed group on demand, the first type expected": (
        [PRIVATE, template(), group(**mixed(TWO_KINDS))], "384.62", "384.62", "735.02"),
    "types that stand for several units: 8 of them are 4 m5.large": (
        [PRIVATE, template(), group(minSize=8, maxSize=8, **mixed(WEIGHED))],
        # at the least 8 x 0.048 and two disks, at the most three units more
        "281.60", "282.88", "388.96"),
    "types by their requirements": (
        [PRIVATE, template(instanceType=None), group(**mixed([{"instanceRequirements": {
            "allowedInstanceTypes": ["t3.medium"]}}]))], *["31.008"] * 3),
    "a fleet, two of five on demand": (
        [template(networkInterfaces=[{"associatePublicIpAddress": False}]), resource(
            FLEET, targetCapacitySpecification={"totalTargetCapacity": 5, "onDemandTargetCapacity": 2,
                                                "defaultTargetCapacityType": "spot"},
            launchTemplateConfigs=[{"launchTemplateSpecification": {"launchTemplateName": "t"}}])],
        "73.0464", "105.765", "155.04"),
    "a request for a fleet": (
        [resource(SPOT_FLEET, targetCapacity=2, launchSpecifications=[{**SPECIFICATION, "monitoring": True}])],
        "11.5536", "33.366", "66.216"),
    "a request for a fleet in a default subnet": (
        [resource(SPOT_FLEET, targetCapacity=1, launchSpecifications=[{"instanceType": "t3.medium", "ami": "ami-1"}])],
        "7.3268", "18.233", "34.658"),
    "Batch with its disks and addresses": (
        [resource(SUBNET, "public", mapPublicIpOnLaunch=True), resource(
            BATCH, computeResources={"type": "EC2", "minVcpus": 4, "maxVcpus": 8, "desiredVcpus": 4,
                                     "instanceTypes": ["m5.large"], "subnets": [UNKNOWN]},
            depends={"computeResources": ("urn:pulumi:dev::shop::aws:ec2/subnet:Subnet::public",)})],
        "152.26", "152.26", "304.52"),  # 2 to 4 of them: 70.08, a disk of 30 GB, an address
    "Batch by a family": ([resource(BATCH, computeResources={"type": "EC2", "minVcpus": 0, "maxVcpus": 4,
                                                             "instanceTypes": ["g4dn"]})], "0", "0", "386.38"),
    "a disk of the size of its snapshot's": (
        [resource("aws:ebs/volume:Volume", "v", size=50), resource("aws:ebs/snapshot:Snapshot", "s", volumeId=UNKNOWN,
            depends={"volumeId": ("urn:pulumi:dev::shop::aws:ebs/volume:Volume::v",)}),
         resource("aws:ebs/volume:Volume", snapshotId=UNKNOWN, type="gp3",
                  depends={"snapshotId": ("urn:pulumi:dev::shop::aws:ebs/snapshot:Snapshot::s",)})], *["4.00"] * 3),
    "operations of io2 by their tiers": (
        # 12.50, and 32,000 x 0.065 + 32,000 x 0.0455 + 16,000 x 0.03185
        [resource("aws:ebs/volume:Volume", size=100, type="io2", iops=80000)], *["4058.10"] * 3),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_the_price_is_the_one_by_hand(name: str) -> None:
    resources, low, expected, high = SAMPLES[name]
    cost = price(*resources)
    month = cost.monthly
    assert cost.status == "priced", cost.reason
    assert [value if value is None else value.quantize(Decimal("0.0000001")) for value in (
        month.low, month.expected, month.high)] == [value if value is None else Decimal(value) for value in (
            low, expected, high)], (cost.reason, [(c.name, c.usd) for c in cost.charges])  # fmt: skip


# name → the resources, of which the last costs at least so many dollars a month; what its reason says
PARTIAL: dict[str, tuple[list[PlannedResource], str, str]] = {
    "a request on spot that wants a host": (
        [resource(REQUEST, **ALONE, tenancy="host")], ROOT, "it runs on a dedicated host, which is not in the plan"),
    "a group on hosts": (
        [PRIVATE, template(placement={"hostResourceGroupArn": "arn"}), group()], ROOT, "a dedicated host"),
    "a template outside the plan": (
        [resource(INSTANCE, **ALONE, launchTemplate={"id": "lt-1"})], MEDIUM, "its launch template is not in the plan"),
    "a group whose template is outside the plan": ([PRIVATE, group(name="far")], "3.066", "launch template is not in"),
    "an earlier version of a template": (
        [PRIVATE, resource(TEMPLATE, "t", op="update", name="t", instanceType="t3.medium"),
         group(launchTemplate={"name": "t", "version": "3"})], "31.008", "it takes version 3 of t"),
    "the default version, which an update leaves": (
        [PRIVATE, resource(TEMPLATE, "t", op="update", name="t", instanceType="t3.medium"), group()],
        "31.008", "version $Default of t"),
    "templates that differ": (
        [template(), resource(TEMPLATE, "u", instanceType="t3.medium", blockDeviceMappings=[DATA]),
         resource(INSTANCE, launchTemplate={"id": UNKNOWN}, associatePublicIpAddress=False)],
        "31.008", "differ in disks or settings"),
    "SQL Server": ([resource(INSTANCE, **ALONE, ami="windows-2022-sql-2019")], "44.44", "SQL Server comes on top"),
    "SUSE": ([resource(INSTANCE, **ALONE, ami="suse-sles-15")], "31.008", "no price for ec2-licence suse"),
    "Windows on a type that is unknown": (
        [resource(INSTANCE, **{**ALONE, "instanceType": UNKNOWN}, ami="windows")], "3.706", "licence of windows on"),
    "a capacity block": ([resource(INSTANCE, **ALONE, instanceMarketOptions={"marketType": "capacity-block"})],
                         "31.008", "bought beforehand"),
    "a warm pool": (
        [PRIVATE, template(), group(warmPool={"minSize": 1})], "31.008", "warmPool: machines of its warm pool"),
    "a disk of a snapshot outside the plan": (
        [resource(INSTANCE, **ALONE, ebsBlockDevices=[{"deviceName": "x", "snapshotId": "snap-1"}])],
        "31.008", "that of a snapshot outside the plan"),
    "Batch on Fargate": (
        [resource(BATCH, computeResources={"type": "FARGATE", "maxVcpus": 4})], "0", "memory of its jobs"),
    "specifications that differ": (
        [resource(SPOT_FLEET, targetCapacity=1, launchSpecifications=[
            SPECIFICATION, {**SPECIFICATION, "ebsBlockDevices": [{"deviceName": "x", "volumeSize": 9}]}])],
        "3.6768", "differ in disks or settings"),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTIAL)
def test_what_is_not_known_makes_it_at_least(name: str) -> None:
    resources, low, said = PARTIAL[name]
    cost = price(*resources)
    assert cost.status == "at least" and said in cost.reason, cost.reason
    assert cost.monthly.low.quantize(Decimal("0.0000001")) == Decimal(low), [(c.name, c.usd) for c in cost.charges]


def test_a_host_in_the_plan_is_billed_in_the_place_of_its_machines() -> None:
    host = resource("aws:ec2/dedicatedHost:DedicatedHost", "h", instanceType="c5.large")
    cost = price(host, resource(INSTANCE, **ALONE, tenancy="host"))
    assert (cost.status, cost.monthly.high) == ("priced", Decimal(ROOT)) and "billed in its place" in cost.reason


def test_a_disk_alone_of_a_snapshot_outside_the_plan_is_unpriced() -> None:
    cost = price(resource("aws:ebs/volume:Volume", snapshotId="snap-1"))
    assert cost.status == "unpriced" and "that of a snapshot outside the plan" in cost.reason


def test_a_usage_file_says_which_system_runs() -> None:
    usage = Usage(assume={"one": {"platform": "Windows"}})
    assert price(resource(INSTANCE, **ALONE), usage=usage).monthly.high == Decimal("44.44")


@pytest.mark.parametrize(("read", "most"), [(date(2026, 11, 24), "0.60"), (date(2026, 11, 1), "1.006")])
def test_a_mixed_fleet_is_expected_at_the_spot_price_that_was_seen(read: date, most: str) -> None:
    """Within bounds that were seen in the last days, or of which nothing newer is known than what AWS advertises."""
    seen = [
        Observed(
            item, "us-east-1", *map(Decimal, (low, high)), "the history of spot prices", read, Decimal(likely), "z"
        )
        for item, low, high, likely in (("g4dn.xlarge", "0.15", "0.25", "0.20"), ("g5.xlarge", "0.40", "0.60", "0.50"))
    ]
    sizes = {"minSize": 0, "maxSize": 10, "desiredCapacity": 10}
    spread = {"onDemandPercentageAboveBaseCapacity": 10, "spotAllocationStrategy": "price-capacity-optimized"}
    fleet = [PRIVATE, template(), group(**sizes, **mixed(TWO_KINDS, **spread))]
    cost = price(*fleet, book=BOOK.overlaid([], seen))
    # one g4dn.xlarge on demand, nine at the price of the median zone, ten disks
    expected = Decimal("0.526") * MONTH + 9 * Decimal("0.20") * MONTH + 10 * Decimal(ROOT)
    assert cost.monthly.expected is not None and cents(cost.monthly.expected) == cents(expected) == Decimal("1704.38")
    assert cost.monthly.low == 0
    assert cents(cost.monthly.high) == cents(Decimal("1.006") * MONTH + 9 * Decimal(most) * MONTH + 10 * Decimal(ROOT))
    assert "spot at 38 % of the price on demand: the history of spot prices, median zone z" in cost.reason
    without = price(*fleet, book=PriceBook(BOOK))
    assert without.monthly.expected is None and "no spot price of g4dn.xlarge to g5.xlarge" in without.reason


def test_a_type_that_is_unknown_has_no_expected_price() -> None:
    cost = price(PRIVATE, template(instanceType=UNKNOWN), group())
    assert cost.monthly.expected is None and cost.monthly.low < 10 < cost.monthly.high


def test_what_scales_a_request_for_a_fleet_is_its_target() -> None:
    fleet = resource(SPOT_FLEET, "f", targetCapacity=2, launchSpecifications=[SPECIFICATION])
    bounds = {"minCapacity": 1, "maxCapacity": 4, "resourceId": UNKNOWN, "depends": {"resourceId": (fleet.urn,)}}
    target = resource(
        "aws:appautoscaling/target:Target", scalableDimension="ec2:spot-fleet-request:TargetCapacity", **bounds
    )
    cost = price(target, fleet)
    assert cost.monthly.high == 4 * Decimal("31.008") and "scales between 1 and 4" in cost.reason
    other = replace(target, inputs={**target.inputs, "scalableDimension": "ecs:service:DesiredCount"})
    assert price(other, fleet).monthly.high == 2 * Decimal("31.008")
