"""Where a program says which machines run all the time, for the rules about their type and size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policies.rule import Resource, Stack
from policies.values import UNKNOWN, at, each, known, number, text

LEASE = "shoestring:lease"
INSTANCE = "aws:ec2/instance:Instance"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration"
GROUP = "aws:autoscaling/group:Group"
NODES = "aws:eks/nodeGroup:NodeGroup"
ENDPOINT = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
BATCH = "aws:batch/computeEnvironment:ComputeEnvironment"
DATABASE = "aws:rds/instance:Instance"
ACCELERATED = re.compile(r"(?:ml\.)?(?:p\d|g\d|gr\d|inf\d|trn\d|dl\d|vt\d|f\d)[a-z0-9-]*\..+")


@dataclass(frozen=True)
class Machine:
    """Machines of one type that a resource keeps running: where it says so, the type, how many at least."""

    resource: Resource
    prop: str
    kind: str
    service: str
    count: int = 1


def accelerated(kind: str) -> bool:
    """Whether an instance type has a GPU or another accelerator."""
    return ACCELERATED.fullmatch(kind) is not None


def leased(resource: Resource) -> bool:
    """Whether a resource says until when it may be there; an auto scaling group's tags are a list."""
    tags = at(resource.props, "tags")
    if tags is UNKNOWN or at(tags, LEASE) is not None:
        return True
    return any(at(tag, "key") == LEASE or tag is UNKNOWN for tag in each(tags) if tags is not None)


def running(stack: Stack) -> Iterator[Machine]:
    """The machines that run all the time by a program's own words."""
    for one in stack.of(INSTANCE):
        yield from _instance(stack, one)
    for one in stack.of(GROUP):
        yield from _group(stack, one)
    for one in stack.of(NODES):
        least = _least(at(one.props, "scalingConfig", "minSize"), at(one.props, "scalingConfig", "desiredSize"))
        for kind in _types(at(one.props, "instanceTypes")) if least else ():
            yield Machine(one, "instance_types", kind, "ec2", least)
    for one in stack.of(ENDPOINT):
        yield from variants(one)


def _instance(stack: Stack, one: Resource) -> Iterator[Machine]:
    own = text(at(one.props, "instanceType"))
    if own:
        yield Machine(one, "instance_type", own, "ec2")
        return
    for template in stack.referred(one, "launchTemplate"):
        if kind := text(at(template.props, "instanceType")):
            yield Machine(one, f"launch_template {template.name}, instance_type", kind, "ec2")


def _group(stack: Stack, one: Resource) -> Iterator[Machine]:
    least = _least(at(one.props, "minSize"), at(one.props, "desiredCapacity"))
    if not least:
        return
    mixed = at(one.props, "mixedInstancesPolicy", "launchTemplate")
    kinds = [text(at(each_, "instanceType")) for each_ in each(at(mixed, "overrides"))]
    for kind in filter(None, kinds):
        yield Machine(one, "mixed_instances_policy.launch_template.overrides", kind, "ec2", least)
    if any(kinds):
        return
    for prop in ("launchTemplate", "launchConfiguration", "mixedInstancesPolicy"):
        for template in stack.referred(one, prop):
            if kind := text(at(template.props, "instanceType")):
                yield Machine(one, f"{template.name}, instance_type", kind, "ec2", least)


def variants(one: Resource) -> Iterator[Machine]:
    """The variants of a SageMaker endpoint that keep an instance running whether anybody asks or not."""
    for key, name in (("productionVariants", "production_variants"), ("shadowProductionVariants", "shadow_variants")):
        for place, variant in enumerate(each(at(one.props, key))):
            serverless = at(variant, "serverlessConfig")
            scaling = at(variant, "managedInstanceScaling")
            least = at(scaling, "minInstanceCount")
            if serverless or scaling is UNKNOWN or least is UNKNOWN or (known(least) and number(least) == 0):
                continue
            kind = text(at(variant, "instanceType"))
            if kind:
                count = int(number(least) or number(at(variant, "initialInstanceCount")) or 1)
                yield Machine(one, f"{name}[{place}].instance_type", kind, "sagemaker-endpoint", count)


def _least(least: Any, wanted: Any) -> int:
    """How many machines run at any time; what is wanted counts where it is said. 0 where nobody knows."""
    found = number(wanted) if known(wanted) else number(least)
    return int(found or 0)


def _types(value: Any) -> list[str]:
    return [kind for kind in each(value) if isinstance(kind, str)]
