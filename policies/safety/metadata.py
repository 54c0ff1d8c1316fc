"""The rule `imdsv2`: machines hand out their credentials to who asks with a token only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.machines import CONFIGURATION, INSTANCE, SPOT_FLEET, SPOT_REQUEST, TEMPLATE
from policies.values import UNKNOWN, at, items, snake

NOTEBOOK = "aws:sagemaker/notebookInstance:NotebookInstance"
IMAGE_BUILDER = "aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration"
ACCOUNT = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"
RISK = "a page that is made to ask hands a stranger the machine's role"


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation where version 1 of the metadata service answers."""
    if resource.type == NOTEBOOK:
        version = at(resource.props, "instanceMetadataServiceConfiguration", "minimumInstanceMetadataServiceVersion")
        if version not in ("2", UNKNOWN):
            prop = "instance_metadata_service_configuration.minimum_instance_metadata_service_version"
            yield Violation(prop, version, f'{prop}="2"', RISK)
        return
    if resource.type == SPOT_FLEET:
        if items(at(resource.props, "launchSpecifications")):  # which have no words for it
            change = "launch_template_configs, with a launch template that requires tokens"
            yield Violation("launch_specifications, metadata_options", None, change, RISK)
        return
    if resource.type == ACCOUNT:
        if at(resource.props, "httpTokens") == "optional":
            yield Violation("http_tokens", "optional", 'http_tokens="required"', RISK)
        return
    name = "instanceMetadataOptions" if resource.type == IMAGE_BUILDER else "metadataOptions"
    options = at(resource.props, name)
    if options is None and at(resource.props, "launchTemplate"):
        return  # the template says it
    tokens = at(options, "httpTokens")
    if tokens in ("required", UNKNOWN) or at(options, "httpEndpoint") in ("disabled", UNKNOWN):
        return
    yield Violation(f"{snake(name)}.http_tokens", tokens, f'{snake(name)}={{"http_tokens": "required"}}', RISK)


def _server(**props: Any) -> Resource:
    return declare(INSTANCE, "tracking", ami="ami-0abcdef1234567890", instanceType="t4g.nano", **props)


IMDSV2 = Rule(
    name="imdsv2",
    group="safety",
    description="Machines require IMDSv2.",
    why="Version 1 of the metadata service gives a machine's credentials to any request that reaches it, also one that "
    "a server was tricked into.",
    change="Set metadata_options.http_tokens to required.",
    types=(INSTANCE, TEMPLATE, CONFIGURATION, SPOT_REQUEST, SPOT_FLEET, NOTEBOOK, IMAGE_BUILDER, ACCOUNT),
    check=check,
    fails=Example((_server(),)),
    passes=Example((_server(metadataOptions={"httpEndpoint": "enabled", "httpTokens": "required"}),)),
)
