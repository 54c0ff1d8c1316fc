"""Small JSON files that make the local cloud behave otherwise; all of their keys are optional."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

Settings = TypeVar("Settings")


def read_settings(cls: type[Settings], path: Path) -> Settings:
    """A pydantic dataclass from a file, or its defaults without one. Raises ValueError for what it cannot hold."""
    if not path.exists():
        return cls()
    try:
        return TypeAdapter(cls).validate_json(path.read_bytes())
    except ValidationError as error:
        problems = "; ".join(map(_problem, error.errors()))
        known = ", ".join(field.name for field in fields(cls))  # type: ignore[arg-type]
        raise ValueError(f"{path}: {problems}; known keys: {known}; edit or remove the file") from error


def _problem(error: Any) -> str:
    """One of pydantic's errors, in words."""
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "unexpected_keyword_argument":
        return f"unknown key {place}"
    return f"{place}: {error['msg']}, found {error['input']!r}" if place else str(error["msg"])
