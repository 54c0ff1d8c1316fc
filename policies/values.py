"""Property values as rules see them: plain Python, UNKNOWN where a preview cannot know; readers that never raise."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs.amounts import decimal
from costs.plan.preview import SECRET, SIGNATURE, UNKNOWNS
from costs.plan.preview import UNKNOWN as UNKNOWN


class Secret(str):
    """A text that Pulumi keeps as a secret: rules may look at it, messages may not show it."""

    def __repr__(self) -> str:
        return "[secret]"


def plain(value: Any, secret: bool = False) -> Any:
    """A `google.protobuf.Value` in Python; numbers that are whole become integers."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        string = value.string_value
        if string in UNKNOWNS:
            return UNKNOWN
        return Secret(string) if secret else string
    if kind == "struct_value":
        return plain_mapping(value.struct_value.fields, secret)
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [plain(item, secret) for item in value.list_value.values]
    if kind == "number_value":
        double = value.number_value
        return int(double) if abs(double) < 2**53 and double == int(double) else double
    return None


def plain_mapping(fields: Any, secret: bool = False) -> Any:
    """The fields of a `google.protobuf.Struct` in Python; a secret is what it holds."""
    if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
        return plain(fields["value"], True) if "value" in fields else UNKNOWN
    return {key: plain(value, secret) for key, value in fields.items()}


def at(value: Any, *path: str | int) -> Any:
    """What lies at a path: None where nothing does, UNKNOWN where nobody can say yet."""
    for key in path:
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and key < len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def items(value: Any) -> list[Any]:
    """The items of a list; a block that is written alone is its only item. Nothing for what is absent or unknown."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, Mapping) else []


def known(value: Any) -> bool:
    """Whether a value is there and known."""
    return value is not None and value is not UNKNOWN


def on(value: Any) -> bool:
    """Whether a boolean is surely true; some arguments take it as text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def off(value: Any) -> bool:
    """Whether a boolean is surely not true: absent or false."""
    return value is not UNKNOWN and not on(value)


def text(value: Any) -> str:
    """A known text, else an empty one."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> Decimal | None:
    """A known number, which may be written as text; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        return decimal(value)
    except (ArithmeticError, ValueError):
        return None


def shown(value: Any) -> str:
    """A value in a message: short, and never a secret."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (Secret, str)):
        return _short(repr(value))
    if isinstance(value, (Mapping, list)):
        try:
            return _short(json.dumps(value, default=repr) if not _secret(value) else "[secret]")
        except (TypeError, ValueError):
            return _short(repr(value))
    return _short(repr(value))


def _secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_secret(item) for item in value.values())
    return any(_secret(item) for item in value) if isinstance(value, list) else isinstance(value, Secret)


def _short(words: str) -> str:
    return words if len(words) <= 80 else words[:77] + "…"


def snake(path: str) -> str:
    """A property's path as a Python program writes it: `blockDevice.volumeType` is block_device.volume_type."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda capital: f"_{capital[1].lower()}", path)


def texts(value: Any) -> list[str]:
    """A text or a list of texts, as a list of those that are known."""
    return [value] if isinstance(value, str) else [item for item in items(value) if isinstance(item, str)]
