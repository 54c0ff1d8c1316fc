"""The rule `imdsv2`: machines hand out their credentials to who asks with a token only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Finding, Resource, Rule, resource
from policies.values import UNKNOWN, at

INSTANCE = "aws:ec2/instance:Instance"
TYPES = (
    INSTANCE, "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/launchConfiguration:LaunchConfiguration",
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
)  # fmt: skip


def check(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding where version 1 of the metadata service answers."""
    options = at(found.props, "metadataOptions")
    if found.type == INSTANCE and options is None and at(found.props, "launchTemplate"):
        return  # the template says it
    tokens = at(options, "httpTokens")
    if tokens in ("required", UNKNOWN) or at(options, "httpEndpoint") == "disabled":
        return
    risk = "a page that is made to ask hands a stranger the machine's role"
    yield Finding("metadata_options.http_tokens", tokens, 'metadata_options={"http_tokens": "required"}', risk)


def _server(**props: Any) -> Resource:
    return resource(INSTANCE, "tracking", ami="ami-0abcdef1234567890", instanceType="t4g.nano", **props)


IMDSV2 = Rule(
    name="imdsv2",
    group="safety",
    description="Machines require IMDSv2.",
    why="Version 1 of the metadata service gives a machine's credentials to any request that reaches it, also one "
    "that a "
    "server was tricked into.",
    change="Set metadata_options.http_tokens to required.",
    types=TYPES,
    check=check,
    fails=Example((_server(),)),
    passes=Example((_server(metadataOptions={"httpEndpoint": "enabled", "httpTokens": "required"}),)),
)
