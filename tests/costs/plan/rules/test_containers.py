"""EKS and ECS by any route: what runs, where it runs, and how much of it, recomputed by hand from the price book."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from costs.book.prices import PriceBook
from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from costs.plan.preview import UNKNOWN, PlannedResource

BOOK = PriceBook.load()
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
CLUSTER, PROVIDERS = "aws:ecs/cluster:Cluster", "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
SERVICE, TASK = "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition"
TASK_SET, TARGET = "aws:ecs/taskSet:TaskSet", "aws:appautoscaling/target:Target"
ACTION = "aws:appautoscaling/scheduledAction:ScheduledAction"
EKS, NODES, TEMPLATE = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:ec2/launchTemplate:LaunchTemplate"
URN = "urn:pulumi:dev::shop::{}::{}"


def resource(kind: str, name: str = "one", /, **inputs: Any) -> PlannedResource:
    depends = inputs.pop("depends", {})
    return PlannedResource(URN.format(kind, name), kind, name, inputs, depends)


def price(*resources: PlannedResource, now: datetime = NOW) -> ResourceCost:
    """What the last of some resources costs."""
    return price_resources(resources, "us-east-1", BOOK, now=now)[-1]


def task(**inputs: Any) -> PlannedResource:
    return resource(TASK, "t", **{"cpu": "1024", "memory": "2048", "family": "t", **inputs})


def service(**inputs: Any) -> PlannedResource:
    """A service of one task, which costs 36.0401 a month on Fargate: 730 x (0.04048 + 2 x 0.004445)."""
    depends = {"taskDefinition": (task().urn,), **inputs.pop("depends", {})}
    wanted = {"name": "web", "desiredCount": 1, "taskDefinition": UNKNOWN, **inputs}
    return resource(SERVICE, "s", **wanted, depends=depends)


def strategy(*parts: tuple[str, int, int]) -> list[dict[str, Any]]:
    return [{"capacityProvider": name, "base": base, "weight": weight} for name, base, weight in parts]


def target(**inputs: Any) -> PlannedResource:
    usual = {"minCapacity": 2, "maxCapacity": 8, "resourceId": "service/main/web"}
    return resource(TARGET, "t", **{**usual, "scalableDimension": "ecs:service:DesiredCount", **inputs})


ON_FARGATE: dict[str, Any] = {"launchType": "FARGATE"}
BOTH = strategy(("FARGATE", 1, 1), ("FARGATE_SPOT", 0, 3))
DEFAULT = resource(PROVIDERS, "p", clusterName="main", defaultCapacityProviderStrategies=strategy(("FARGATE", 0, 1)))
OWN_POOL = resource(PROVIDERS, "p", clusterName=UNKNOWN, defaultCapacityProviderStrategies=strategy(("pool", 0, 1)),
                    depends={"clusterName": (URN.format(CLUSTER, "c"),)})  # fmt: skip
IN_CLUSTER = {"cluster": UNKNOWN, "depends": {"cluster": (URN.format(CLUSTER, "c"),)}}
OUTSIDE = resource(SERVICE, "s", name="web", desiredCount=4, deploymentController={"type": "EXTERNAL"})
SET_OF = {"service": UNKNOWN, "taskDefinition": UNKNOWN,
          "depends": {"service": (OUTSIDE.urn,), "taskDefinition": (task().urn,)}}  # fmt: skip
EBS = {"name": "v", "managedEbsVolume": {"sizeInGb": 100, "roleArn": "r"}}
ONE_NODE = {"scalingConfig": {"minSize": 1, "maxSize": 1, "desiredSize": 1}}

# name → the resources, of which the last is priced; status, dollars a month at the least, as expected and at the most
SAMPLES: dict[str, tuple[list[PlannedResource], str, str, str | None, str]] = {
    "a strategy of its own": ([task(), service(capacityProviderStrategies=strategy(("FARGATE", 0, 1)))],
                              "priced", *["36.0401"] * 3),
    "tasks on spot, some of them at full price": (
        [task(), service(desiredCount=5, capacityProviderStrategies=BOTH)], "priced", "54.06015", None, "180.2005"),
    "a provider that gets no task": (
        [task(), service(capacityProviderStrategies=strategy(("FARGATE", 0, 1), ("FARGATE_SPOT", 0, 0)))],
        "priced", *["36.0401"] * 3),
    "a strategy of instances": ([task(), service(capacityProviderStrategies=strategy(("pool", 0, 1)))],
                                "free", *["0"] * 3),
    "the default strategy of a cluster by its name": ([task(), DEFAULT, service(cluster="main")],
                                                      "priced", *["36.0401"] * 3),
    "the default strategy of a cluster of instances": (
        [resource(CLUSTER, "c"), OWN_POOL, task(), service(**IN_CLUSTER)], "free", *["0"] * 3),
    "a cluster without a default strategy": ([resource(CLUSTER, "c"), task(), service(**IN_CLUSTER)],
                                             "free", *["0"] * 3),
    "a cluster outside the plan, tasks for Fargate alone": (
        [task(requiresCompatibilities=["FARGATE"]), service(cluster="far")], "priced", *["36.0401"] * 3),
    "a cluster outside the plan": ([task(requiresCompatibilities=["EC2", "FARGATE"]), service(cluster="far")],
                                   "priced", "0", None, "36.0401"),
    "a strategy that is unknown": ([task(), service(capacityProviderStrategies=UNKNOWN)],
                                   "priced", "0", None, "36.0401"),
    "a default strategy that is unknown": (
        [task(), resource(PROVIDERS, "p", clusterName="main", defaultCapacityProviderStrategies=UNKNOWN),
         service(cluster="main")], "priced", "0", None, "36.0401"),
    "its own machines": ([task(), service(launchType="EXTERNAL")], "free", *["0"] * 3),
    "ARM": ([task(runtimePlatform={"cpuArchitecture": "ARM64"}), service(**ON_FARGATE)], "priced", *["28.835"] * 3),
    "Windows": ([task(runtimePlatform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}), service(**ON_FARGATE)],
                "priced", *["115.0334"] * 3),  # 730 x (0.09148 + 0.046 + 2 x 0.01005)
    "sizes in words": ([task(cpu="1 vCPU", memory="2 GB"), service(**ON_FARGATE)], "priced", *["36.0401"] * 3),
    "storage above 20 GB": ([task(ephemeralStorage={"sizeInGib": 120}), service(**ON_FARGATE)],
                            "priced", *["44.1431"] * 3),  # 100 x 730 x 0.000111
    "a volume for each task": ([task(), service(**ON_FARGATE, volumeConfiguration=EBS)], "priced", *["44.0401"] * 3),
    "a volume for each task on instances": ([task(), service(launchType="EC2", volumeConfiguration=EBS)],
                                            "priced", *["8.00"] * 3),
    "a public address for each task": (
        [task(), service(**ON_FARGATE, desiredCount=2, networkConfiguration={"assignPublicIp": True})],
        "priced", *["79.3802"] * 3),
    "perhaps a public address": ([task(), service(**ON_FARGATE, networkConfiguration={"assignPublicIp": UNKNOWN})],
                                 "priced", "36.0401", "39.6901", "39.6901"),
    "no task": ([task(), service(**ON_FARGATE, desiredCount=0)], "priced", *["0"] * 3),
    "a target by the service's name": ([task(), target(), service(**ON_FARGATE, desiredCount=3)],
                                       "priced", "72.0802", "108.1203", "288.3208"),
    "a target of another service": ([task(), target(resourceId="service/main/api"), service(**ON_FARGATE)],
                                    "priced", *["36.0401"] * 3),
    "a target that may be of any service": ([task(), target(resourceId=UNKNOWN), service(**ON_FARGATE)],
                                            "priced", "36.0401", "36.0401", "288.3208"),
    "a target with a scheduled action": (
        [task(), target(), resource(ACTION, resourceId=UNKNOWN, scalableTargetAction={"maxCapacity": 20}, depends={
            "resourceId": (target().urn,)}), service(**ON_FARGATE)], "priced", "72.0802", "72.0802", "720.802"),
    "a service whose tasks come in sets": ([OUTSIDE], "free", *["0"] * 3),
    "half of its tasks in a set": ([OUTSIDE, task(), resource(TASK_SET, launchType="FARGATE", scale={"value": 50},
                                                              **SET_OF)], "priced", *["72.0802"] * 3),
    "a set on instances": ([OUTSIDE, task(), resource(TASK_SET, launchType="EC2", **SET_OF)], "free", *["0"] * 3),
    "a cluster with Container Insights": (
        [resource(CLUSTER, settings=[{"name": "containerInsights", "value": "enabled"}])], "unpriced", *["0"] * 3),
    "a cluster without": ([resource(CLUSTER, settings=[{"name": "containerInsights", "value": "disabled"}])],
                          "free", *["0"] * 3),
    "EKS in standard support": ([resource(EKS, version="1.34")], "priced", *["73.00"] * 3),
    "EKS in extended support": ([resource(EKS, version="1.32")], "priced", *["438.00"] * 3),
    "EKS that is updated before extended support": (
        [resource(EKS, version="1.32", upgradePolicy={"supportType": "STANDARD"})], "priced", *["73.00"] * 3),
    "EKS of a version that is not known": ([resource(EKS, version=UNKNOWN)], "priced", "73.00", None, "438.00"),
    "EKS with a control plane of its own size": (
        [resource(EKS, controlPlaneScalingConfig={"tier": "tier-xl"})], "at least", *["73.00"] * 3),
    "nodes by their desired number": (
        [resource(NODES, scalingConfig={"minSize": 0, "maxSize": 4, "desiredSize": 2})],
        "priced", "0", "63.936", "127.872"),
    "the first type of nodes is expected": ([resource(NODES, **ONE_NODE, instanceTypes=["m5.large", "m5.xlarge"])],
                                            "priced", "71.68", "71.68", "141.76"),
    "nodes on spot": ([resource(NODES, **ONE_NODE, capacityType="SPOT")], "priced", "4.6368", "15.543", "31.968"),
    "nodes of Windows": ([resource(NODES, **ONE_NODE, amiType="WINDOWS_CORE_2022_x86_64")],
                         "priced", *["47.80"] * 3),  # 43.80 and 50 GB
    "nodes with a larger disk": ([resource(NODES, **ONE_NODE, diskSize=100)], "priced", *["38.368"] * 3),
    "nodes by a template": (
        [resource(TEMPLATE, "t", instanceType="m5.large", blockDeviceMappings=[
            {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 100, "volumeType": "gp3"}}]),
         resource(NODES, **ONE_NODE, launchTemplate={"id": UNKNOWN, "version": "1"}, depends={
             "launchTemplate": (URN.format(TEMPLATE, "t"),)})], "priced", *["78.08"] * 3),
    "nodes by a template without a type or a disk": (
        [resource(TEMPLATE, "t", name="t"), resource(NODES, **ONE_NODE, launchTemplate={"name": "t", "version": "1"})],
        "priced", *["31.968"] * 3),
    "nodes by a template outside the plan, of a known type": (
        [resource(NODES, **ONE_NODE, instanceTypes=["m5.large"], launchTemplate={"id": "lt-1", "version": "1"})],
        "at least", *["70.08"] * 3),
    "nodes of reserved blocks": ([resource(NODES, **ONE_NODE, capacityType="CAPACITY_BLOCK")],
                                 "at least", *["31.968"] * 3),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_the_price_is_the_one_by_hand(name: str) -> None:
    resources, status, low, expected, high = SAMPLES[name]
    cost = price(*resources)
    month = cost.monthly
    assert cost.status == status, cost.reason
    assert [value and value.quantize(Decimal("0.0000001")) for value in (month.low, month.expected, month.high)] == [
        value and Decimal(value) for value in (low, expected, high)
    ], (cost.reason, [(c.name, c.usd) for c in cost.charges])


def test_support_ends_at_the_beginning_of_its_day() -> None:
    cluster = resource(EKS, version="1.34")
    before, after = (price(cluster, now=datetime(2026, 12, day, tzinfo=UTC)).monthly.high for day in (1, 2))
    assert (before, after) == (73, 438)


def test_a_version_newer_than_the_table_is_unknown_once_the_table_is_old() -> None:
    cluster = resource(EKS, version="1.99")
    assert price(cluster).monthly.exact
    later = price(cluster, now=datetime(2028, 1, 1, tzinfo=UTC))
    assert not later.monthly.exact and "whether version 1.99 is in extended support is unknown" in later.reason
