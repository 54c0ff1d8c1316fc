"""Containers: EKS, ECS, Fargate, images."""

from __future__ import annotations

from costs.amounts import ONE, Range
from costs.plan.rules import volumes
from costs.plan.rules.base import COUNTS, HOURS, UNKNOWN, Pricing, by_traffic, number
from costs.plan.rules.compute import sizes, templates

TASK = "aws:ecs/taskDefinition:TaskDefinition"
CHIPS = {"ARM64": "arm64", "X86_64": "x86"}
NODES = {"instanceTypes": "t3.medium", "diskSize": 20}  # what EKS takes where nothing is said


def node_group(p: Pricing) -> None:
    """Nodes of EKS: from the least to the most that its scaling allows."""
    count = sizes(p, "scalingConfig.minSize", "scalingConfig.maxSize")
    p.note(f"between {count.low.normalize():f} and {count.high.normalize():f} nodes")
    value = p.get("launchTemplate.id") or p.get("launchTemplate.name")
    found = templates(p, "launchTemplate", value) if p.get("launchTemplate") is not None else []
    kinds = p.items("instanceTypes") or ([UNKNOWN] if p.get("instanceTypes") is UNKNOWN else [])
    kinds = kinds or [each["instanceType"] for each in found if "instanceType" in each] or [NODES["instanceTypes"]]
    capacity = p.get("capacityType", "ON_DEMAND")
    p.machines("ec2", kinds, HOURS * count, spot=None if capacity is UNKNOWN else capacity == "SPOT")
    if found:
        volumes.of_instance(p, found[0], count)
    elif count.high:
        volumes.disk(p, {"volumeSize": p.get("diskSize", NODES["diskSize"])}, count, "root")


def service(p: Pricing) -> None:
    """An ECS service: on Fargate its tasks, else nothing beyond the instances."""
    providers = [p.get("capacityProvider", "", each) for each in p.items("capacityProviderStrategies")]
    kind = p.get("launchType")
    if kind != "FARGATE" and not any(str(each).startswith("FARGATE") for each in providers):
        p.free("its tasks run on instances that are billed themselves")
        return
    share = Range.of("0.3", 1) if "FARGATE_SPOT" in providers else ONE
    if share is not ONE:
        p.note("Fargate Spot is advertised at up to 70 % off")
    count = p.scaled(p.amount("desiredCount", 1, COUNTS), "ecs:service:DesiredCount")
    tasks = [each.inputs for each in p.referred("taskDefinition", TASK)]
    if not tasks:
        p.unpriced("its task definition is not in the plan")
        return
    chips = {CHIPS.get(p.get("runtimePlatform.cpuArchitecture", "X86_64", each)) for each in tasks}
    suffixes = sorted(CHIPS.values()) if None in chips else sorted(chip for chip in chips if chip)
    units = [p.amount("cpu", 256, (256, 16384), each) / 1024 for each in tasks]
    memory = [p.amount("memory", 512, (512, 122880), each) / 1024 for each in tasks]
    hours = HOURS * count
    vcpus, gigabytes = ([f"fargate-{what}-{suffix}" for suffix in suffixes] for what in ("vcpu", "memory"))
    p.any_of("Fargate processors", hours * _span(units), "ecs", vcpus, share=share)
    p.any_of("Fargate memory", hours * _span(memory), "ecs", gigabytes, share=share)
    more = [max((number(p.get("ephemeralStorage.sizeInGib", 20, each)) or 20) - 20, 0) for each in tasks]
    p.add("Fargate storage above 20 GB", hours * Range.of(min(more), max(more)), "ecs", "fargate-storage", share=share)


def _span(amounts: list[Range]) -> Range:
    return Range(min(each.low for each in amounts), max(each.high for each in amounts))


def cluster(p: Pricing) -> None:
    """The control plane of EKS."""
    p.add("control plane", HOURS, "eks", "control-plane")
    p.note("control plane in standard support")
    if p.get("upgradePolicy.supportType", "EXTENDED") == "EXTENDED" and p.known("eks", "control-plane-extended"):
        later = p.world.price("eks", "control-plane-extended", p.region)
        p.note(f"{later.usd} an hour once its version is in extended support")


TABLE = {
    "aws:ecr/repository:Repository": by_traffic(("images", "ecr", "stored_gb", "ecr", "storage", 1)),
    "aws:ecs/service:Service": service,
    "aws:eks/cluster:Cluster": cluster,
    "aws:eks/nodeGroup:NodeGroup": node_group,
}
