"""Cost Explorer's filters and groups over line items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from localcloud import ACCOUNT
from localcloud.meter.rate import LineItem
from localcloud.protocol import ServiceError, invalid

Test = Callable[[LineItem], bool]
DIMENSIONS: dict[str, Callable[[LineItem], str]] = {
    "SERVICE": lambda line: line.service,
    "USAGE_TYPE": lambda line: line.usage_type,
    "OPERATION": lambda line: line.operation or "NoOperation",
    "REGION": lambda line: line.region,
    "PURCHASE_TYPE": lambda line: line.purchase,
    "RECORD_TYPE": lambda line: "Usage",
    "LINKED_ACCOUNT": lambda line: ACCOUNT,
    "INSTANCE_TYPE": lambda line: instance_type(line),
}
MATCHES = {
    "EQUALS": lambda value, wanted: value == wanted,
    "STARTS_WITH": lambda value, wanted: value.startswith(wanted),
    "ENDS_WITH": lambda value, wanted: value.endswith(wanted),
    "CONTAINS": lambda value, wanted: wanted in value,
}


def instance_type(line: LineItem) -> str:
    """The type in a usage type of an instance, as `t4g.nano`."""
    name, colon, kind = line.usage_type.partition(":")
    return kind if colon and name.endswith(("BoxUsage", "SpotUsage", "Train", "InstanceUsage")) else "NoInstanceType"


def dimension(name: str) -> Callable[[LineItem], str]:
    """What reads a dimension. Raises ServiceError for one that no line item has."""
    if name not in DIMENSIONS:
        raise invalid(f"Dimension {name} is not played by the local cloud; there are: {', '.join(sorted(DIMENSIONS))}")
    return DIMENSIONS[name]


def _matches(value: str | None, values: list[str], options: list[str]) -> bool:
    """Whether a value fits; None is a tag that is absent."""
    if "ABSENT" in options:
        return value is None
    if value is None:
        return "" in values
    folded = "CASE_INSENSITIVE" in options
    how = next((MATCHES[option] for option in options if option in MATCHES), MATCHES["EQUALS"])
    fold: Callable[[str], str] = str.casefold if folded else str
    return any(how(fold(value), fold(wanted)) for wanted in values)


def _leaf(expression: dict[str, Any], kind: str) -> Test:
    wanted = expression[kind]
    key, values, options = wanted.get("Key"), wanted.get("Values", []), wanted.get("MatchOptions", ["EQUALS"])
    if not key:
        raise invalid(f"{kind} must have a Key.")
    if not values and "ABSENT" not in options:
        raise invalid(f"{kind} {key} must have Values, or the match option ABSENT.")
    if "GREATER_THAN_OR_EQUAL" in options:
        raise invalid("The match option GREATER_THAN_OR_EQUAL is for anomaly subscriptions.")
    if kind == "Tags":
        return lambda line: _matches(line.tags.get(key) or None, values, options)
    read = dimension(key)
    return lambda line: _matches(read(line), values, options)


def matcher(expression: dict[str, Any] | None) -> Test:
    """What tells whether a line item fits a filter. Raises ServiceError for a filter that AWS refuses."""
    if not expression:
        return lambda line: True
    if len(expression) != 1:
        raise invalid("Expression must have exactly one of Or, And, Not, Dimensions, Tags and CostCategories.")
    (kind, operand), *_ = expression.items()
    if kind in ("Or", "And"):
        if len(operand) < 2:
            raise invalid(f"{kind} must have at least two operands.")
        parts, join = [matcher(part) for part in operand], any if kind == "Or" else all
        return lambda line: join(part(line) for part in parts)
    if kind == "Not":
        part = matcher(operand)
        return lambda line: not part(line)
    if kind == "CostCategories":
        raise ServiceError("ResourceNotFoundException", "The account has no cost categories.")
    return _leaf(expression, kind)


def grouper(definitions: list[dict[str, str]]) -> Callable[[LineItem], tuple[str, ...]]:
    """What reads the keys of a line item's group. Raises ServiceError for groups that AWS refuses."""
    if len(definitions) > 2:
        raise invalid("GroupBy must have at most two members.")
    readers: list[Callable[[LineItem], str]] = []
    for definition in definitions:
        kind, key = definition.get("Type"), definition.get("Key", "")
        if kind == "DIMENSION":
            readers.append(dimension(key))
        elif kind == "TAG":
            readers.append(lambda line, key=key: f"{key}${line.tags.get(key, '')}")  # type: ignore[misc]
        else:
            raise invalid(f"GroupBy of type {kind} is not played by the local cloud: DIMENSION and TAG are.")
    return lambda line: tuple(read(line) for read in readers)
