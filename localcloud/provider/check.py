"""Checks a resource's inputs against its specification before anything is called."""

from __future__ import annotations

import json
from typing import Any

from localcloud.provider.convert import ARCHIVE, ASSET, SIGNATURE, UNKNOWN
from shoestring.base.errors import did_you_mean

WORDS = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "json": (str, dict)}


def check(specification: Any, value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    """`value` without null properties; what is wrong goes to `problems` as (path, why)."""
    if value == UNKNOWN or value is None:
        return value
    if isinstance(specification, dict):
        if "object" in specification:
            return check_object(specification, value, path, problems)
        kind = "list" if "list" in specification else "map"
        if kind == "list" and isinstance(value, list):
            return [
                check(specification["list"], item, f"{path}[{index}]", problems) for index, item in enumerate(value)
            ]
        if kind == "map" and isinstance(value, dict):
            return {key: check(specification["map"], item, f"{path}.{key}", problems) for key, item in value.items()}
        problems.append((path, f"expected a {kind}, found {_shown(value)}"))
        return value
    if specification in ("asset", "archive"):
        if not isinstance(value, dict) or value.get(SIGNATURE) not in (ASSET, ARCHIVE):
            problems.append((path, f"expected an {specification}, found {_shown(value)}"))
        return value
    good = isinstance(value, WORDS[specification]) and (specification == "boolean" or not isinstance(value, bool))
    if not good:
        expected = f"a{'n' if specification == 'integer' else ''} {specification}"
        problems.append((path, f"expected {expected}, found {_shown(value)}"))
    return value


def check_object(specification: Any, value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    """The same for an object; unknown and missing properties are problems."""
    if not isinstance(value, dict):
        problems.append((path, f"expected an object, found {_shown(value)}"))
        return value
    known, checked = specification["object"], {}
    for key, item in value.items():
        inner = f"{path}.{key}" if path else key
        if key not in known:
            near = did_you_mean(key, known)
            problems.append((inner, f"unknown property{near and f'; {near}'}"))
        elif item is not None:
            checked[key] = check(known[key], item, inner, problems)
    for key in specification["required"]:
        if checked.get(key) is None:
            problems.append((f"{path}.{key}" if path else key, "missing, and required"))
    return checked


def _shown(value: Any) -> str:
    kind = {dict: "object", list: "list", str: "string", bool: "boolean"}.get(type(value), "number")
    return f"the {kind} {json.dumps(value)[:60]}"
