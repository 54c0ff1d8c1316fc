"""The rules `endpoint-scale-to-zero` and `notebook-instances`: SageMaker bills instances that wait."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.money import machine
from policies.rule import Context, Example, Finding, Resource, Rule, Stack, resource
from policies.values import UNKNOWN, at, number, text
from policies.waste.machines import ENDPOINT, LEASE, leased, variants

NOTEBOOK, APP = "aws:sagemaker/notebookInstance:NotebookInstance", "aws:sagemaker/app:App"
TARGET = "aws:appautoscaling/target:Target"


def _scales_to_zero(stack: Stack) -> bool:
    """Whether the program registers a SageMaker variant for scaling down to nothing."""
    for target in stack.of(TARGET):
        least, space = at(target.props, "minCapacity"), at(target.props, "serviceNamespace")
        if space in ("sagemaker", UNKNOWN) and (least is UNKNOWN or number(least) == 0):
            return True
    return False


def check_endpoint(stack: Stack, context: Context) -> Iterator[Finding]:
    """A finding for each variant that always keeps an instance."""
    for config in stack.of(ENDPOINT):
        asynchronous = at(config.props, "asyncInferenceConfig")
        if asynchronous and _scales_to_zero(stack):
            continue
        for found in variants(config):
            yield Finding(
                found.prop, found.kind,
                f"{found.prop.partition('.')[0]}.serverless_config={{...}}, "
                f"managed_instance_scaling.min_instance_count=0, "
                "async_inference_config with an appautoscaling Target of min_capacity=0, or inference on Lambda",
                machine(context, "sagemaker-endpoint", found.kind, config, found.count), config,
            )  # fmt: skip


def check_notebook(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for a notebook that nobody has to end."""
    if leased(found):
        return
    prop = "instanceType" if found.type == NOTEBOOK else "resourceSpec"
    kind = (
        at(found.props, "instanceType") if found.type == NOTEBOOK else at(found.props, "resourceSpec", "instanceType")
    )
    if kind in (UNKNOWN, "system") or (found.type == APP and kind is None):
        return
    price = machine(context, "sagemaker-notebook", text(kind), found)
    change = f"a training job, a notebook on your own machine, or tags={{{LEASE!r}: 'until when, in UTC'}}"
    yield Finding("instance_type" if prop == "instanceType" else "resource_spec.instance_type", kind, change, price)


def _endpoint(**variant: Any) -> Resource:
    return resource(ENDPOINT, "churn", productionVariants=[{"variantName": "all", "modelName": "churn", **variant}])


def _notebook(**props: Any) -> Resource:
    return resource(NOTEBOOK, "lab", roleArn="arn:aws:iam::123456789012:role/lab", instanceType="ml.t3.medium", **props)


ENDPOINT_SCALE_TO_ZERO = Rule(
    name="endpoint-scale-to-zero",
    group="waste",
    description="SageMaker endpoints cost nothing while nobody asks.",
    why="The smallest real-time endpoint costs {sagemaker-endpoint ml.t2.medium}, one with a GPU {sagemaker-endpoint "
    "ml.g4dn.xlarge}. Most models of small teams "
    "are asked a few thousand times a day, which Lambda or a serverless endpoint does for cents.",
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
    change=f"Give it the tag {LEASE}, or work elsewhere.",
    types=(NOTEBOOK, APP),
    check=check_notebook,
    fails=Example((_notebook(),)),
    passes=Example((_notebook(tags={LEASE: "2030-01-31T18:00:00Z"}),)),
)
