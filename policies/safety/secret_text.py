"""The rule `plain-secrets`: no passwords or keys where everybody who may look at a resource reads them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.shapes.machines import CONFIGURATION, INSTANCE, SPOT_FLEET, SPOT_REQUEST, TEMPLATE
from policies.values import Secret, at, items, snake, text

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
USER_DATA = (INSTANCE, TEMPLATE, CONFIGURATION, SPOT_REQUEST, SPOT_FLEET)
BY_NAME = "a secret by its name"
FUNCTION, PARAMETER = "aws:lambda/function:Function", "aws:ssm/parameter:Parameter"
SAGEMAKER = (
    "aws:sagemaker/trainingJob:TrainingJob", "aws:sagemaker/model:Model",
    "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob",
)  # fmt: skip
TASKS, BATCH, BUILD = (
    "aws:ecs/taskDefinition:TaskDefinition", "aws:batch/jobDefinition:JobDefinition", "aws:codebuild/project:Project"
)  # fmt: skip


def _variables(resource: Resource) -> Iterator[tuple[str, str, Any]]:
    """The variables of a resource: where, name, value."""
    for path, variables in _environments(resource):
        if isinstance(variables, Mapping):
            for name, value in variables.items():
                yield path, str(name), value
            continue
        for variable in items(variables):
            name = at(variable, "name") or at(variable, "Name")
            if isinstance(name, str) and at(variable, "type") not in ("PARAMETER_STORE", "SECRETS_MANAGER"):
                yield path, name, at(variable, "value") or at(variable, "Value")


def _environments(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Where a resource has variables: mappings, or lists of name and value."""
    if resource.type == FUNCTION:
        yield "environment.variables", at(resource.props, "environment", "variables")
    elif resource.type in SAGEMAKER:
        for path, container in _containers(resource):
            for key in ("environment", "hyperParameters", "staticHyperParameters"):
                yield f"{path}{snake(key)}", at(container, key)
    elif resource.type == TASKS:
        yield from _nested("container_definitions", _json(at(resource.props, "containerDefinitions")))
    elif resource.type == BATCH:
        for key in ("containerProperties", "nodeProperties", "ecsProperties", "eksProperties"):
            yield from _nested(snake(key), _json(at(resource.props, key)))
    elif resource.type == BUILD:
        yield "environment.environment_variables", at(resource.props, "environment", "environmentVariables")


def _containers(resource: Resource) -> Iterator[tuple[str, Any]]:
    yield "", resource.props
    yield "primary_container.", at(resource.props, "primaryContainer")
    yield "training_job_definition.", at(resource.props, "trainingJobDefinition")
    for key in ("containers", "trainingJobDefinitions"):
        for place, container in enumerate(items(at(resource.props, key))):
            yield f"{snake(key)}[{place}].", container


def _nested(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The environments of containers, wherever they stand in a document."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _nested(f"{path}[{place}]", item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key in ("environment", "env"):
                yield f"{path}.{key}", item
            else:
                yield from _nested(f"{path}.{key}", item)


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _scripts(resource: Resource) -> Iterator[tuple[str, str]]:
    """First-boot scripts, as text; a launch template's are base64."""
    places = [("", resource.props)]
    for place, specification in enumerate(items(at(resource.props, "launchSpecifications"))):
        places.append((f"launch_specifications[{place}].", specification))
    for path, machine in places:
        for key in ("userData", "userDataBase64"):
            if script := text(at(machine, key)):
                yield f"{path}{snake(key)}", script
                try:
                    yield f"{path}{snake(key)}", base64.b64decode(script, validate=True).decode("utf-8", "replace")
                except (binascii.Error, ValueError):
                    continue


def _look(value: str) -> str:
    """What a text looks like that must not be read; nothing where it is harmless."""
    return next((what for what, pattern in PATTERNS if pattern.search(value)), "")


def named_like_a_secret(name: str) -> bool:
    """Whether a variable's name says that it holds a secret, and not where one lies."""
    return NAMES.search(CAMEL.sub("_", name)) is not None


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for each secret in plain text, by its variable's name or by what it looks like."""
    allowed = context.config["allow"]
    for path, name, value in _variables(resource):
        plain = text(value)
        if not plain or name in allowed:
            continue
        by_name = named_like_a_secret(name) and not REFERENCE.search(plain) and not plain.isdigit()
        if what := _look(plain) or (BY_NAME if by_name else ""):
            yield _violation(f"{path}[{name!r}]", what, plain, _kept(f"{name}_PARAMETER"))
    if resource.type in USER_DATA:
        looks: dict[str, str] = {}
        for name, script in _scripts(resource):
            if what := _look(script):
                looks.setdefault(name, what)
        for name, what in looks.items():
            yield _violation(name, what, "", _kept("a role and a parameter that the script reads"))
    if resource.type == PARAMETER and at(resource.props, "type") in ("String", "StringList"):
        plain, name = text(at(resource.props, "value")), text(at(resource.props, "name"))
        by_name = named_like_a_secret(name.replace("/", "_")) and not REFERENCE.search(plain) and name not in allowed
        if plain and (what := _look(plain) or (BY_NAME if by_name else "")):
            yield _violation("value", what, plain, 'type="SecureString"')


def _kept(name: str) -> str:
    return (
        f"the secret in a parameter (aws.ssm.Parameter of type SecureString, free), and its name in {name}, or IAM "
        "roles instead of keys"
    )


def _violation(path: str, what: str, plain: str, change: str) -> Violation:
    return Violation(path, Secret(plain), change, f"{what}: who finds it spends what its owner may spend")


def _function(**variables: str) -> Resource:
    return declare(
        FUNCTION, "inference", role="arn:aws:iam::123456789012:role/inference", environment={"variables": variables}
    )


PLAIN_SECRETS = Rule(
    name="plain-secrets",
    group="safety",
    description="No secrets in variables, scripts and plain parameters.",
    why="Everybody who may describe a function, a job or a machine reads its variables and first-boot script, and so "
    "does every log that prints them. Pulumi's own secrets are plain there as well.",
    change="Keep the secret in Systems Manager (SecureString, free) or Secrets Manager ({secretsmanager secret x1} a "
    "month), and hand on its name; a role needs no key at all.",
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
