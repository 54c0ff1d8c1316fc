"""Containers: EKS, ECS, Fargate."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

from costs.amounts import NOTHING, ONE, Range
from costs.plan.preview import PlannedResource
from costs.plan.rules import volumes
from costs.plan.rules.base import COUNTS, HOURS, UNKNOWN, Pricing, plain
from costs.plan.rules.compute import sizes
from costs.plan.rules.machines import NOWHERE, Machine, start, templates
from costs.plan.rules.support import SUPPORT

SERVICE, TASK = "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition"
CLUSTER, PROVIDERS = "aws:ecs/cluster:Cluster", "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
CHIPS = {"ARM64": "arm64", "X86_64": "x86"}
SPOT_SHARE = Range.of("0.3", 1)  # of Fargate's price, as AWS advertises
WRITTEN = re.compile(r"([\d.]+)\s*(?:vcpu|gb)", re.IGNORECASE)
FREE_STORAGE = 20  # GB of each task on Fargate
NODE_TYPE, NODE_DISK, WINDOWS_DISK = "t3.medium", 20, 50  # what EKS takes where nothing is said; GB
NODE = replace(NOWHERE, kind="kind", image="image", subnet="subnets", root="root", disks="disks")


def node_group(p: Pricing) -> None:
    """Nodes of EKS: from the least to the most that its scaling allows, by its desired size."""
    count = sizes(p, "scalingConfig.minSize", "scalingConfig.maxSize", "scalingConfig.desiredSize")
    p.note(f"between {plain(count.low)} and {plain(count.high)} nodes")
    image, template = p.get("amiType"), p.get("launchTemplate")
    usual: int | Range = WINDOWS_DISK if str(image).startswith("WINDOWS") else NODE_DISK
    usual = Range.of(NODE_DISK, WINDOWS_DISK) if image is UNKNOWN else usual
    described = templates(p, "launchTemplate", template)
    kinds = p.items("instanceTypes", hidden=[UNKNOWN]) or [None]
    root = {"volumeSize": p.get("diskSize", usual)} if template is None else {}
    own = {"image": None if image == "CUSTOM" else image, "root": root, "subnets": p.get("subnetIds")}
    machines = [
        Machine(
            p, ({**own, "kind": kind}, NODE), *layers,
            subnets="subnetIds", default_subnet=False, root_gb=usual, usual=NODE_TYPE,
        )
        for kind in kinds for layers in described
    ]  # fmt: skip
    capacity = p.get("capacityType", "ON_DEMAND")
    if capacity == "CAPACITY_BLOCK":
        p.at_least("its capacity is bought beforehand; the hours are those on demand")
    start(p, machines, (count, None if capacity is UNKNOWN else capacity == "SPOT", False))


def _providers(p: Pricing) -> list[Any] | None:
    """The capacity providers that a service's tasks go to: its own, or the default ones of its cluster; None where
    those are not in the plan. Providers without base and weight get no task."""
    strategy = p.items("capacityProviderStrategies", hidden=[UNKNOWN])
    if not strategy:
        clusters, named = p.referred("cluster", CLUSTER), p.get("cluster", "")
        settings = [setting for cluster in clusters for setting in p.world.users(cluster, PROVIDERS, "clusterName")]
        settings += [
            setting for setting in p.world.by_type.get(PROVIDERS, ()) if setting.inputs.get("clusterName") == named
        ]
        if not settings + clusters:
            return None
        path = "defaultCapacityProviderStrategies"  # older programs say it of the cluster itself
        strategy = [part for setting in settings + clusters for part in p.items(path, setting.inputs, [UNKNOWN])]
    used = [part for part in strategy if any(p.amount(word, 0, COUNTS, part).high for word in ("base", "weight"))]
    return [p.get("capacityProvider", UNKNOWN, part) for part in used or strategy]


def _on_fargate(p: Pricing, tasks: list[PlannedResource], count: Range) -> tuple[Range, Range]:
    """How many of a service's tasks run on Fargate, and at which share of its price."""
    kind = p.get("launchType")
    providers = [kind] if isinstance(kind, str) else _providers(p) if kind is None else None
    if providers is not None:
        on_fargate = [name is UNKNOWN or str(name).startswith("FARGATE") for name in providers]
        share = SPOT_SHARE if {"FARGATE_SPOT", UNKNOWN} & set(providers) else ONE
        certain = all(on_fargate) and UNKNOWN not in providers
        return (count if certain else count.maybe) if any(on_fargate) else NOTHING, share
    wanted = [p.items("requiresCompatibilities", task.inputs) for task in tasks]  # the tasks themselves may say it
    if wanted and all(names == ["FARGATE"] for names in wanted):
        return count, ONE
    p.note("whether its tasks run on Fargate is unknown: its cluster is not in the plan")
    able = any("FARGATE" in names or task.inputs.get("cpu") for names, task in zip(wanted, tasks, strict=True))
    return (count.maybe if able else NOTHING), ONE


def _run(p: Pricing, count: Range) -> None:
    """What `count` tasks of a service cost: on Fargate all of it, on instances the volumes that they get."""
    tasks = p.referred("taskDefinition", TASK)
    possible, share = _on_fargate(p, tasks, count if count.high else ONE)
    settings = p.get("volumeConfiguration.managedEbsVolume")
    if settings is not None:
        volumes.disk(p, settings, count, "managed", volumes.ROOT_TYPE, "sizeInGb", "volumeType")
    if not possible.high:
        p.free("its tasks run on instances that are billed themselves")
    elif not tasks:
        p.unpriced("its task definition is not in the plan")
    elif count.high:
        _fargate(p, tasks, possible, share)


def _fargate(p: Pricing, tasks: list[PlannedResource], count: Range, share: Range) -> None:
    """The charges of `count` tasks on Fargate, of one of several definitions."""
    if share is SPOT_SHARE:
        p.note("Fargate Spot is advertised at up to 70 % off")
    hours = HOURS * count
    systems = [p.get("runtimePlatform.operatingSystemFamily", "LINUX", task.inputs) for task in tasks]
    chips = {CHIPS.get(p.get("runtimePlatform.cpuArchitecture", "X86_64", task.inputs)) for task in tasks}
    suffixes = sorted(CHIPS.values()) if None in chips else sorted(chip for chip in chips if chip)
    processors = Range.spanning(_size(p, "cpu", (256, 16384), task) for task in tasks)
    memory = Range.spanning(_size(p, "memory", (512, 122880), task) for task in tasks)
    if any(system is UNKNOWN or str(system).startswith("WINDOWS") for system in systems):
        suffixes = ["windows"] if UNKNOWN not in systems else [*suffixes, "windows"]
        licensed = processors if UNKNOWN not in systems else processors.maybe
        p.add("Windows licence", hours * licensed, "ecs", "fargate-licence-windows")
    for name, size, item in (("processors", processors, "fargate-vcpu"), ("memory", memory, "fargate-memory")):
        p.any_of(f"Fargate {name}", hours * size, "ecs", [f"{item}-{chip}" for chip in suffixes], share=share)
    storage = Range.spanning(
        p.amount("ephemeralStorage.sizeInGib", FREE_STORAGE, (21, 200), task.inputs) for task in tasks
    )
    more = storage.between(Decimal(FREE_STORAGE))
    p.add(f"Fargate storage above {FREE_STORAGE} GB", hours * more, "ecs", "fargate-storage", share=share)
    p.public_addresses(count, p.get("networkConfiguration.assignPublicIp", False))


def _size(p: Pricing, path: str, bounds: tuple[int, int], task: PlannedResource) -> Range:
    """Processors or GB of a task: in 1/1024, or as `1 vCPU` and `2 GB`."""
    written = WRITTEN.fullmatch(str(p.get(path, "", task.inputs)))
    return Range.of(written[1]) if written else p.amount(path, None, bounds, task.inputs) / 1024


def _count(p: Pricing, service: PlannedResource) -> Range:
    """How many tasks a service runs: as it desires, or as a target scales it."""
    return p.scaled(p.amount("desiredCount", 0, COUNTS, service.inputs), "ecs:service:DesiredCount", of=service)


def service(p: Pricing) -> None:
    """An ECS service: on Fargate its tasks, else nothing beyond the instances."""
    if p.get("deploymentController.type") == "EXTERNAL":
        p.free("its tasks are those of its task sets")
    elif p.get("schedulingStrategy") == "DAEMON":
        p.free("its tasks run on instances that are billed themselves")
    else:
        _run(p, _count(p, p.resource))


def task_set(p: Pricing) -> None:
    """A set of tasks of a service that is deployed from outside: a share of those that the service desires."""
    services = p.referred("service", SERVICE)
    if len(services) != 1:
        p.unpriced("how many tasks it runs is not in the plan: its service is not")
        return
    share = p.amount("scale.value", 100, (0, 100)) / 100
    _run(p, _count(p, services[0]) * share)


def cluster(p: Pricing) -> None:
    """The control plane of EKS: dearer once its version is in extended support."""
    until, item, version, today = SUPPORT["eks"], "control-plane", p.get("version"), p.world.now.date()
    policy = p.get("upgradePolicy.supportType", "EXTENDED")  # STANDARD: it is updated before extended support begins
    past = version in until and today >= until[version]
    hidden = version is UNKNOWN or (version not in until and version is not None and today > max(until.values()))
    if policy == "STANDARD" or not (past or hidden):
        end = f" until {until[version]}" if version in until else ""
        p.note(f"control plane in standard support{end}")
        p.add("control plane", HOURS, "eks", item)
    elif past and policy is not UNKNOWN:
        p.note(f"version {version} is in extended support since {until[version]}")
        p.add("control plane in extended support", HOURS, "eks", f"{item}-extended")
    else:
        p.note(f"whether version {version} is in extended support is unknown")
        p.any_of("control plane", HOURS, "eks", [item, f"{item}-extended"])
    if p.flag("computeConfig.enabled") is not False:
        p.at_least("Auto Mode makes its nodes by itself: they are in no plan, nor are the 12 % that it adds to them")


TABLE = {
    "aws:ecs/taskSet:TaskSet": task_set,
    "aws:eks/cluster:Cluster": cluster,
    "aws:eks/nodeGroup:NodeGroup": node_group,
    SERVICE: service,
}
