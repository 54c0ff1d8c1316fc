"""Where a program says which machines it has: their types, their templates, which of them run all the time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.rule import Resource, Stack
from policies.values import UNKNOWN, at, items, known, number, text
from shoestring.base.names import LEASE_TAG

INSTANCE, SPOT_REQUEST = "aws:ec2/instance:Instance", "aws:ec2/spotInstanceRequest:SpotInstanceRequest"
SPOT_FLEET = "aws:ec2/spotFleetRequest:SpotFleetRequest"
FLEET = "aws:ec2/fleet:Fleet"
RESERVATION = "aws:ec2/capacityReservation:CapacityReservation"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration"
GROUP = "aws:autoscaling/group:Group"
NODES = "aws:eks/nodeGroup:NodeGroup"
BATCH = "aws:batch/computeEnvironment:ComputeEnvironment"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
ENDPOINT_CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ACCELERATED = re.compile(r"(?:ml\.)?(?:p\d|g\d|gr\d|inf\d|trn\d|dl\d|vt\d|f\d)[a-z0-9-]*\..+")


@dataclass(frozen=True)
class Machine:
    """Machines of one type that a resource keeps running.

    Args:
        prop: where the resource says so.
        kind: their type.
        alone: the smallest resource that runs one of them, and what that refers to: what one of them costs.
        count: how many run at the least.
    """

    resource: Resource
    prop: str
    kind: str
    alone: tuple[Resource, ...]
    count: int = 1


def accelerated(kind: str) -> bool:
    """Whether an instance type has a GPU or another accelerator."""
    return ACCELERATED.fullmatch(kind) is not None


def lease(resource: Resource) -> Any:
    """Until when a resource may be there, by its tag: None without one, UNKNOWN where nobody can say yet."""
    tags = at(resource.props, "tags")
    if not isinstance(tags, list):
        return at(tags, LEASE_TAG)
    # an auto scaling group's
    values = [at(tag, "value") for tag in tags if at(tag, "key") in (LEASE_TAG, UNKNOWN)]
    return next(filter(known, values), UNKNOWN if UNKNOWN in values else None)


def leased(resource: Resource) -> bool:
    """Whether a resource says until when it may be there, or may do so."""
    return lease(resource) is not None


def templates(stack: Stack, resource: Resource, prop: str = "launchTemplate") -> list[Resource]:
    """The launch templates and configurations of the program that a property names, by data flow or by their name."""
    referred = [target for target in stack.referred(resource, prop) if target.type in (TEMPLATE, CONFIGURATION)]
    if referred:
        return referred
    value = at(resource.props, prop)
    specification = at(value, "launchTemplate", "launchTemplateSpecification")
    names = {text(value), text(at(value, "name")), text(at(specification, "launchTemplateName"))} - {""}
    return [target for target in stack.of(TEMPLATE, CONFIGURATION) if text(at(target.props, "name")) in names]


def running(stack: Stack) -> Iterator[Machine]:
    """The machines that run all the time by a program's own words."""
    for instance in stack.of(INSTANCE, SPOT_REQUEST):
        yield from _instance(stack, instance)
    for fleet in stack.of(SPOT_FLEET, FLEET):
        yield from _fleet(stack, fleet)
    for reservation in stack.of(RESERVATION):  # billed whether anything runs in it or not
        if (kind := text(at(reservation.props, "instanceType"))) and at(reservation.props, "endDate") is None:
            count = int(number(at(reservation.props, "instanceCount")) or 1)
            yield _ec2(reservation, "instance_type", kind, count)
    for group in stack.of(GROUP):
        yield from _group(stack, group)
    for nodes in stack.of(NODES):
        yield from _nodes(stack, nodes)
    for environment in stack.of(BATCH):
        resources = at(environment.props, "computeResources")
        if number(at(resources, "minVcpus")):
            for kind in _types(at(resources, "instanceTypes")):
                yield _ec2(environment, "compute_resources.instance_types", kind)
    for configuration in stack.of(ENDPOINT_CONFIGURATION):
        for path, variant in variants(configuration):
            if machine := kept(configuration, path, variant):
                yield machine


def _ec2(resource: Resource, prop: str, kind: str, count: int = 1) -> Machine:
    inputs = {"instanceType": kind, "associatePublicIpAddress": False}
    alone = Resource(INSTANCE, resource.name, inputs, region=resource.region)
    return Machine(resource, prop, kind, (alone,), count)


def _instance(stack: Stack, instance: Resource) -> Iterator[Machine]:
    own = text(at(instance.props, "instanceType"))
    if own:
        yield _ec2(instance, "instance_type", own)
        return
    for template in templates(stack, instance):
        if kind := text(at(template.props, "instanceType")):
            yield _ec2(instance, f"launch_template {template.name}, instance_type", kind)


def _fleet(stack: Stack, fleet: Resource) -> Iterator[Machine]:
    wanted = at(fleet.props, "targetCapacity"), at(fleet.props, "targetCapacitySpecification", "totalTargetCapacity")
    count = int(next(filter(None, map(number, wanted)), 0))
    if not count:
        return
    for place, specification in enumerate(items(at(fleet.props, "launchSpecifications"))):
        if kind := text(at(specification, "instanceType")):
            yield _ec2(fleet, f"launch_specifications[{place}].instance_type", kind, count)
    configs = items(at(fleet.props, "launchTemplateConfigs"))
    kinds = [text(at(override, "instanceType")) for config in configs for override in items(at(config, "overrides"))]
    for kind in filter(None, kinds):
        yield _ec2(fleet, "launch_template_configs.overrides", kind, count)
    for template in [] if any(kinds) else templates(stack, fleet, "launchTemplateConfigs"):
        if kind := text(at(template.props, "instanceType")):
            yield _ec2(fleet, f"launch_template {template.name}, instance_type", kind, count)


def _group(stack: Stack, group: Resource) -> Iterator[Machine]:
    least = _least(at(group.props, "minSize"), at(group.props, "desiredCapacity"))
    if not least:
        return
    mixed = at(group.props, "mixedInstancesPolicy", "launchTemplate")
    kinds = [text(at(override, "instanceType")) for override in items(at(mixed, "overrides"))]
    for kind in filter(None, kinds):
        yield _ec2(group, "mixed_instances_policy.launch_template.overrides", kind, least)
    if any(kinds):
        return
    for prop in ("launchTemplate", "launchConfiguration", "mixedInstancesPolicy"):
        for template in templates(stack, group, prop):
            if kind := text(at(template.props, "instanceType")):
                yield _ec2(group, f"{template.name}, instance_type", kind, least)


def _nodes(stack: Stack, nodes: Resource) -> Iterator[Machine]:
    least = _least(at(nodes.props, "scalingConfig", "minSize"), at(nodes.props, "scalingConfig", "desiredSize"))
    if not least:
        return
    kinds = _types(at(nodes.props, "instanceTypes"))
    for kind in kinds:
        yield _ec2(nodes, "instance_types", kind, least)
    for template in [] if kinds else templates(stack, nodes):
        if kind := text(at(template.props, "instanceType")):
            yield _ec2(nodes, f"launch_template {template.name}, instance_type", kind, least)


def variants(configuration: Resource) -> Iterator[tuple[str, Any]]:
    """The variants of a SageMaker endpoint: where they are, with its dot, and what they say."""
    for key, name in (("productionVariants", "production_variants"), ("shadowProductionVariants", "shadow_variants")):
        for place, variant in enumerate(items(at(configuration.props, key))):
            yield f"{name}[{place}].", variant


def kept(configuration: Resource, path: str, variant: Any) -> Machine | None:
    """The instances that a variant keeps whether anybody asks or not; None for one that keeps none."""
    scaling = at(variant, "managedInstanceScaling")
    least, kind = at(scaling, "minInstanceCount"), text(at(variant, "instanceType"))
    if not kind or at(variant, "serverlessConfig") or UNKNOWN in (scaling, least) or number(least) == 0:
        return None
    count = int(number(least) or number(at(variant, "initialInstanceCount")) or 1)
    alone = endpoint(configuration, {"instanceType": kind, "initialInstanceCount": 1})
    return Machine(configuration, f"{path}instance_type", kind, alone, count)


def endpoint(configuration: Resource, variant: Any) -> tuple[Resource, Resource]:
    """An endpoint with this one variant, and its configuration: an endpoint is what is billed."""
    urn = f"{configuration.urn}-alone"
    alone = Resource(
        ENDPOINT_CONFIGURATION, configuration.name, {"productionVariants": [variant]}, urn, region=configuration.region
    )
    needs = {"endpointConfigName": (urn,)}
    return Resource(ENDPOINT, configuration.name, {}, region=configuration.region, dependencies=needs), alone


def _least(least: Any, wanted: Any) -> int:
    """How many machines run at any time; what is wanted counts where it is said. 0 where nobody knows."""
    return int((number(wanted) if known(wanted) else number(least)) or 0)


def _types(value: Any) -> list[str]:
    return [kind for kind in items(value) if isinstance(kind, str)]
