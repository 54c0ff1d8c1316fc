"""The examples of rules as Pulumi programs, for the docs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from policies.rule import Resource
from policies.values import UNKNOWN, snake

FREE = ("tags", "variables", "environment", "hyper_parameters")  # mappings whose keys are the user's own
WIDTH = 100


def program(resources: Sequence[Resource]) -> str:
    """A program that asks for exactly these resources."""
    body = "\n".join(_declaration(resource, resources) for resource in resources)
    imports = ["import pulumi_aws as aws"]
    if "json.dumps(" in body:
        imports.insert(0, "import json\n")
    if "pulumi." in body.replace("pulumi.com", ""):
        imports.insert(-1, "import pulumi")
    return "\n".join([*imports, "", body])


def _declaration(resource: Resource, around: Sequence[Resource]) -> str:
    service, _, name = re.fullmatch(r"aws:(\w+)/(\w+):(\w+)", resource.type).groups()  # type: ignore[union-attr]
    arguments = []
    for prop, value in resource.props.items():
        key = snake(prop)
        if value is UNKNOWN:
            target = next(other for other in around if other.urn == resource.dependencies[prop][0])
            arguments.append(f"{key}={_variable(target)}.{key if prop in target.props else 'id'}")
        else:
            arguments.append(f"{key}={_literal(value, key, 4)}")
    if resource.protect:
        arguments.append("opts=pulumi.ResourceOptions(protect=True)")
    used = any(resource.urn in needed for other in around for needed in other.dependencies.values())
    call = f"{_variable(resource)} = " if used else ""
    call += f"aws.{'lambda_' if service == 'lambda' else service}.{name}("
    short = f'{call}"{resource.name}", {", ".join(arguments)})'
    if len(short) <= WIDTH and "\n" not in short:
        return short
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f'{call}\n    "{resource.name}",\n{lines})'


def _variable(resource: Resource) -> str:
    return re.sub(r"\W", "_", resource.name)


def _literal(value: Any, key: str, indent: int) -> str:
    """A value in Python; a policy written as JSON is a call of json.dumps."""
    if isinstance(value, str) and value.startswith("{"):
        return f"json.dumps({_literal(json.loads(value), 'tags', indent)})"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        names = {name: name if key in FREE else snake(name) for name in value}
        parts = [
            f'"{names[name]}": {_literal(item, key if key in FREE else names[name], indent + 4)}'
            for name, item in value.items()
        ]
        return _braced("{", parts, "}", indent)
    if isinstance(value, list):
        return _braced("[", [_literal(item, key, indent + 4) for item in value], "]", indent)
    return repr(value)


def _braced(start: str, parts: list[str], end: str, indent: int) -> str:
    short = f"{start}{', '.join(parts)}{end}"
    if len(short) + indent + 20 <= WIDTH and "\n" not in short:
        return short
    pad = " " * (indent + 4)
    return f"{start}\n" + "".join(f"{pad}{part},\n" for part in parts) + " " * indent + end
