"""Checks requests against botocore's own model of a service, with AWS's codes and words."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator, ValidationErrors

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
        validator, shape = _Validator(), self.operation(name).input_shape
        if shape is None:  # it takes nothing
            return
        report = validator.validate(request, shape)
        problems = [*report.generate_report().splitlines(), *validator.refused]
        if problems:
            raise invalid(f"{len(problems)} validation error(s) detected: " + "; ".join(problems))


class _Validator(ParamValidator):
    """Botocore's own, and what its client leaves to the service: enumerations, patterns and upper bounds."""

    VALIDATED_METADATA_ATTRS = ParamValidator.VALIDATED_METADATA_ATTRS | {"enum", "pattern", "max"}

    def __init__(self) -> None:
        self.refused: list[str] = []

    def _validate(self, params: Any, shape: Shape, errors: ValidationErrors, name: str) -> None:
        super()._validate(params, shape, errors, name)
        limits, broken = shape.metadata, ""
        size = len(params) if isinstance(params, str | list) else params if isinstance(params, int | float) else 0
        if "enum" in limits and params not in limits["enum"]:
            broken = "satisfy enum value set"
        elif (
            "pattern" in limits
            and isinstance(params, str)
            and not re.fullmatch(python_pattern(limits["pattern"]), params)
        ):
            broken = f"satisfy pattern: {limits['pattern']}"
        elif size > limits.get("max", size):
            broken = f"be at most {limits['max']}"
        if broken:
            place = name.removeprefix(".")
            self.refused.append(f"Value '{params}' at '{place}' failed to satisfy constraint: Member must {broken}")


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
