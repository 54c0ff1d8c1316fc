"""The rule `plain-secrets`: no passwords or keys where everybody who may look at a resource reads them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.rule import Context, Example, Finding, Resource, Rule, resource
from policies.values import Secret, at, each, text

NAMES = re.compile(
    r"(?:^|[_\-.])(?:password|passwd|passphrase|pwd|secret|token|api_?key|apikey|private_?key|secret_?access_?key|credentials?)$",
    re.IGNORECASE,
)
WORDS = r"(?:password|passwd|passphrase|secret_?(?:access_?)?key|api_?key)"
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
END = r"(?=[\s'\"&;]|$)"
VALUES = (
    ("an AWS access key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("a token of a model hub", r"\b(?:hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{20,})"),
    ("a password in a URL", r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"{}$<>]+:[^\s/:@'\"{}$<>]{3,}@"),
    # quoted, as a shell's assignment, and as a line of YAML; never what looks like a call or a reference
    ("a password", rf"(?i)(?<![A-Za-z]){WORDS}['\"]?\s*[=:]\s*(['\"])(?![$({{<\[])[^\s'\"]{{6,}}\1"),
    ("a password", rf"(?i)(?<![A-Za-z]){WORDS}=(?![$({{<\['\"])[^\s'\"$(){{}}<>\[\],;&.]{{6,}}{END}"),
    ("a password", rf"(?im)^[ \t-]*{WORDS}:[ \t]+(?!(?-i:[A-Z][a-z]+[ \t]*$))[^\s$({{<\[|>'\"]{{6,}}[ \t]*$"),
)
PATTERNS = tuple((what, re.compile(pattern)) for what, pattern in VALUES)
REFERENCE = re.compile(
    r"arn:|/|ssm:|secretsmanager:|resolve:|\{\{|\$|projects/|vault:"
)  # where a secret lies, not what it is
USER_DATA = (
    "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/launchConfiguration:LaunchConfiguration", "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
)  # fmt: skip
FUNCTION, PARAMETER = "aws:lambda/function:Function", "aws:ssm/parameter:Parameter"
SAGEMAKER = (
    "aws:sagemaker/trainingJob:TrainingJob", "aws:sagemaker/model:Model",
    "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob",
)  # fmt: skip
TASKS, BATCH, BUILD = (
    "aws:ecs/taskDefinition:TaskDefinition", "aws:batch/jobDefinition:JobDefinition", "aws:codebuild/project:Project"
)  # fmt: skip


def _variables(found: Resource) -> Iterator[tuple[str, str, Any]]:
    """The variables of a resource: where, name, value."""
    blocks: list[tuple[str, Any]] = []
    if found.type == FUNCTION:
        blocks = [("environment.variables", at(found.props, "environment", "variables"))]
    elif found.type in SAGEMAKER:
        for path, one in _containers(found):
            keys = (("environment", "environment"), ("hyperParameters", "hyper_parameters"))
            blocks += [(f"{path}{name}", at(one, key)) for key, name in keys]
            blocks.append((f"{path}static_hyper_parameters", at(one, "staticHyperParameters")))
    for path, block in blocks:
        for name, value in block.items() if isinstance(block, Mapping) else ():
            yield path, str(name), value
    for path, listed in _listed(found):
        for item in each(listed):
            name = at(item, "name") or at(item, "Name")
            if isinstance(name, str) and at(item, "type") not in ("PARAMETER_STORE", "SECRETS_MANAGER"):
                yield path, name, at(item, "value") or at(item, "Value")


def _containers(found: Resource) -> Iterator[tuple[str, Any]]:
    yield "", found.props
    yield "primary_container.", at(found.props, "primaryContainer")
    yield "training_job_definition.", at(found.props, "trainingJobDefinition")
    for key, name in (("containers", "containers"), ("trainingJobDefinitions", "training_job_definitions")):
        for place, one in enumerate(each(at(found.props, key))):
            yield f"{name}[{place}].", one


def _listed(found: Resource) -> Iterator[tuple[str, Any]]:
    """Variables that are lists of name and value."""
    if found.type == TASKS:
        for place, one in enumerate(each(_json(at(found.props, "containerDefinitions")))):
            yield f"container_definitions[{place}].environment", at(one, "environment")
    elif found.type == BATCH:
        container = _json(at(found.props, "containerProperties"))
        yield "container_properties.environment", at(container, "environment")
    elif found.type == BUILD:
        yield "environment.environment_variables", at(found.props, "environment", "environmentVariables")


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _user_data(found: Resource) -> Iterator[tuple[str, str]]:
    """First-boot scripts, as text; a launch template's are base64."""
    for key, name in (("userData", "user_data"), ("userDataBase64", "user_data_base64")):
        said = text(at(found.props, key))
        if said:
            yield name, said
            try:
                yield name, base64.b64decode(said, validate=True).decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                continue


def _pattern(value: str) -> str:
    return next((what for what, pattern in PATTERNS if pattern.search(value)), "")


def named_like_a_secret(name: str) -> bool:
    """Whether a variable's name says that it holds a secret, and not where one lies."""
    return NAMES.search(CAMEL.sub("_", name)) is not None


def check(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for each secret in plain text, by its variable's name or by what it looks like."""
    allowed = context.config["allow"]
    for path, name, value in _variables(found):
        said = text(value)
        if not said or name in allowed:
            continue
        what = _pattern(said)
        if what or (named_like_a_secret(name) and not REFERENCE.search(said) and not said.isdigit()):
            why = what or "a secret by its name"
            yield _finding(f"{path}[{name!r}]", why, f"{name}_PARAMETER", said)
    if found.type in USER_DATA:
        for name in dict.fromkeys(name for name, said in _user_data(found) if _pattern(said)):
            what = next(_pattern(said) for key, said in _user_data(found) if key == name and _pattern(said))
            yield _finding(name, what, "a role and a parameter that the script reads", "")
    if found.type == PARAMETER and at(found.props, "type") in ("String", "StringList"):
        said, name = text(at(found.props, "value")), text(at(found.props, "name"))
        named = named_like_a_secret(name.replace("/", "_")) and not REFERENCE.search(said) and name not in allowed
        if said and (_pattern(said) or named):
            yield _finding("value", _pattern(said) or "a secret by its name", "", said, 'type="SecureString"')


def _finding(path: str, what: str, name: str, said: str, change: str = "") -> Finding:
    mend = change or (
        f"the secret in a parameter (aws.ssm.Parameter of type SecureString, free), and its name in {name}, or "
        "IAM roles instead of keys"
    )
    return Finding(path, Secret(said), mend, f"{what}: who finds it spends what its owner may spend")


def _function(**variables: str) -> Resource:
    return resource(
        FUNCTION, "inference", role="arn:aws:iam::123456789012:role/inference", environment={"variables": variables}
    )


PLAIN_SECRETS = Rule(
    name="plain-secrets",
    group="safety",
    description="No secrets in variables, scripts and plain parameters.",
    why="Everybody who may describe a function, a job or a machine reads its variables and first-boot script, and so "
    "does "
    "every log that prints them. Pulumi's own secrets are plain there as well.",
    change="Keep the secret in Systems Manager (SecureString, free) or Secrets Manager ({secretsmanager secret x1} a "
    "month), and hand on its "
    "name; a role needs no key at all.",
    types=(FUNCTION, PARAMETER, *SAGEMAKER, *USER_DATA, TASKS, BATCH, BUILD),
    config={
        "allow": {
            "type": "array", "items": {"type": "string"}, "default": [],
            "description": "Variables that may be there although they are named like secrets.",
        }
    },
    check=check,
    fails=Example((_function(DATABASE_PASSWORD="correct horse battery"),)),
    passes=Example((_function(DATABASE_PASSWORD_PARAMETER="/churn/dev/database-password"),)),
)  # fmt: skip
