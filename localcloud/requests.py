"""Checks requests against botocore's own model of a service, with AWS's codes and words."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator

from localcloud.protocol import ServiceError, invalid


def operations(*classes: type) -> tuple[str, ...]:
    """The operations that classes play: their methods that are named like them."""
    return tuple(name for played in classes for name in vars(played) if name[0].isupper())


def offset(token: str | None, size: int) -> int:
    """Where the page of a token begins. Raises ServiceError for a token of nobody's."""
    if token is None:
        return 0
    if not token.isdecimal() or int(token) >= size:
        raise ServiceError("InvalidNextTokenException", "The pagination token is invalid.")
    return int(token)


def page(
    items: Sequence[Any], request: dict[str, Any], token: str = "NextPageToken", size: int = 100
) -> tuple[list[Any], dict[str, str]]:
    """The items that a request asks for, and the member that leads to the next ones, where there are any."""
    first = offset(request.get(token), max(1, len(items)))
    last = first + request.get("MaxResults", size)
    return list(items[first:last]), {token: str(last)} if last < len(items) else {}


class Model:
    """The part of a service that the local cloud plays: botocore's name of it, and the supported operations."""

    def __init__(self, service: str, supported: Sequence[str]) -> None:
        self.service, self.supported = service, tuple(supported)

    @functools.cached_property
    def described(self) -> ServiceModel:
        """All that botocore knows of the service; loaded when it is first needed."""
        return botocore.session.get_session().get_service_model(self.service)

    def operation(self, name: str) -> OperationModel:
        """The model of one operation.

        Raises:
            ServiceError: the service has no such operation, or the local cloud does not play it.
        """
        if name not in self.supported:
            why = "is not played by the local cloud" if name in self.described.operation_names else "is unknown"
            raise ServiceError("UnknownOperationException", f"{name} {why}; there are: {', '.join(self.supported)}")
        return self.described.operation_model(name)

    def check(self, name: str, request: dict[str, Any]) -> None:
        """Raises ServiceError with every problem of a request."""
        shape = self.operation(name).input_shape
        report = ParamValidator().validate(request, shape)
        problems = report.generate_report().splitlines() if report.has_errors() else _constraints(shape, request, "")
        unknown = sorted(set(request) - set(shape.members))
        problems += [f"Unknown member {key!r}" for key in unknown]
        if problems:
            raise invalid(f"{len(problems)} validation error(s) detected: " + "; ".join(problems))


def _constraints(shape: Shape, value: Any, path: str) -> list[str]:
    """What botocore's client leaves to the service: enumerations, patterns and upper bounds."""
    if shape.type_name == "structure":
        members = shape.members
        return [
            problem
            for name, part in value.items()
            if name in members
            for problem in _constraints(members[name], part, f"{path}.{name}" if path else name)
        ]
    if shape.type_name == "list":
        problems = [
            problem for i, part in enumerate(value) for problem in _constraints(shape.member, part, f"{path}.{i}")
        ]
        return problems + _bound(shape, len(value), value, path)
    if shape.type_name == "map":
        return [problem for key, part in value.items() for problem in _constraints(shape.value, part, f"{path}.{key}")]
    if shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            return [f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set"]
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(python_pattern(pattern), value):
            return [f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy pattern: {pattern}"]
        return _bound(shape, len(value), value, path)
    if shape.type_name in ("integer", "long"):
        return _bound(shape, value, value, path)
    return []


JAVA_CLASSES = {
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{L}": r"\w",
    r"\p{M}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{S}": r"\W",
    r"\p{P}": r"\W",
}


def python_pattern(pattern: str) -> str:
    """The model's patterns are Java's; Python has no Unicode properties, so the nearest classes that allow all of them
    stand in: a value that AWS takes is never refused."""
    for java, python in JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.sub(r"(\\[wsdWSD])-(?!\])", r"\1\\-", pattern)  # between a class and a character it is no range in Java


def _bound(shape: Shape, size: int, value: Any, path: str) -> list[str]:
    highest = shape.metadata.get("max")
    if highest is None or size <= highest:
        return []
    return [f"Value '{value}' at '{path}' failed to satisfy constraint: Member must be at most {highest}"]
