"""The rules `endpoint-scale-to-zero` and `notebook-instances`: SageMaker bills instances that wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.money import machines, month
from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.shapes.machines import ENDPOINT, ENDPOINT_CONFIGURATION, Machine, endpoint, kept, leased, variants
from policies.values import UNKNOWN, at, number, text
from shoestring.base.names import LEASE_TAG

NOTEBOOK, APP = "aws:sagemaker/notebookInstance:NotebookInstance", "aws:sagemaker/app:App"
TARGET = "aws:appautoscaling/target:Target"


def check_endpoint(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each variant that always keeps an instance, or serverless capacity warm."""
    for configuration in stack.of(ENDPOINT_CONFIGURATION):
        asynchronous = at(configuration.props, "asyncInferenceConfig")
        for path, variant in variants(configuration):
            warm = at(variant, "serverlessConfig", "provisionedConcurrency")
            if number(warm):
                alone, around = endpoint(configuration, variant)
                prop = f"{path}serverless_config.provisioned_concurrency"
                yield Violation(prop, warm, f"no {prop}", month(alone, context, [around]), configuration)
            machine = kept(configuration, path, variant)
            if machine is None or (asynchronous and _scales_to_zero(stack, configuration, variant)):
                continue
            yield Violation(
                machine.prop, machine.kind,
                f"{path}serverless_config={{...}}, managed_instance_scaling.min_instance_count=0, "
                "async_inference_config with an appautoscaling Target of min_capacity=0, or inference on Lambda",
                machines(machine, context), configuration,
            )  # fmt: skip


def _scales_to_zero(stack: Stack, configuration: Resource, variant: Any) -> bool:
    """Whether the program registers this variant for scaling down to nothing, or may do so."""
    for target in stack.of(TARGET):
        least, space = at(target.props, "minCapacity"), at(target.props, "serviceNamespace")
        to_zero = space in ("sagemaker", UNKNOWN) and (least is UNKNOWN or number(least) == 0)
        if to_zero and _registers(stack, target, configuration, variant):
            return True
    return False


def _registers(stack: Stack, target: Resource, configuration: Resource, variant: Any) -> bool:
    """Whether a target of scaling is a variant of an endpoint with this configuration, or may be."""
    endpoints = [
        user for user in stack.of(ENDPOINT) if stack.covers(user, "endpointConfigName", configuration, ("name",))
    ]
    named = at(target.props, "resourceId")  # endpoint/NAME/variant/VARIANT
    if named is UNKNOWN:
        others = [source for source in stack.referred(target, "resourceId") if source.type == ENDPOINT]
        return not others or any(source in endpoints for source in others)
    words = text(named).split("/")
    if len(words) != 4:
        return False
    names = [at(user.props, "name") for user in endpoints]
    return at(variant, "variantName") in (None, UNKNOWN, words[3]) and (
        not names or any(name in (None, UNKNOWN, words[1]) for name in names)
    )


def check_notebook(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for a notebook that nobody has to end."""
    path = ("instanceType",) if resource.type == NOTEBOOK else ("resourceSpec", "instanceType")
    kind = at(resource.props, *path)
    if leased(resource) or kind in (UNKNOWN, "system") or (resource.type == APP and kind is None):
        return
    prop = "instance_type" if resource.type == NOTEBOOK else "resource_spec.instance_type"
    alone = Resource(NOTEBOOK, resource.name, {"instanceType": text(kind)}, region=resource.region)
    change = f"a training job, a notebook on your own machine, or tags={{{LEASE_TAG!r}: 'until when, in UTC'}}"
    yield Violation(prop, kind, change, machines(Machine(resource, prop, text(kind), (alone,)), context))


def _endpoint(**variant: Any) -> Resource:
    return declare(
        ENDPOINT_CONFIGURATION, "churn", productionVariants=[{"variantName": "all", "modelName": "churn", **variant}]
    )


def _notebook(**props: Any) -> Resource:
    return declare(NOTEBOOK, "lab", roleArn="arn:aws:iam::123456789012:role/lab", instanceType="ml.t3.medium", **props)


ENDPOINT_SCALE_TO_ZERO = Rule(
    name="endpoint-scale-to-zero",
    group="waste",
    description="SageMaker endpoints cost nothing while nobody asks.",
    why="The smallest real-time endpoint costs {sagemaker-endpoint ml.t2.medium}, one with a GPU {sagemaker-endpoint "
    "ml.g4dn.xlarge}. Most models of small teams are asked a few thousand times a day, which Lambda or a serverless "
    "endpoint does for cents, unless its concurrency is provisioned.",
    change="Make the variant serverless, let it scale to zero, or serve from Lambda.",
    check_stack=check_endpoint,
    fails=Example((_endpoint(instanceType="ml.m5.large", initialInstanceCount=1),)),
    passes=Example((_endpoint(serverlessConfig={"maxConcurrency": 5, "memorySizeInMb": 2048}),)),
)
NOTEBOOK_INSTANCES = Rule(
    name="notebook-instances",
    group="waste",
    description="Notebooks in the cloud say until when they run.",
    why="A notebook instance bills from its start to its stop, and hardly anybody stops it on a Friday.",
    change=f"Give it the tag {LEASE_TAG}, or work elsewhere.",
    types=(NOTEBOOK, APP),
    check=check_notebook,
    fails=Example((_notebook(),)),
    passes=Example((_notebook(tags={LEASE_TAG: "2030-01-31T18:00:00Z"}),)),
)
