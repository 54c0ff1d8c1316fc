"""Inputs of a calculation: a YAML file, flags that win over it, and every problem of both in one message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from shoestring.base.errors import UserError, suggestion


class Inputs(BaseModel):
    """What a file and flags may hold: no other keys, and numbers as they are written."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Inputs)


def _file(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", "a YAML file", f"ls {path.parent}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML: {error}", "lines like  price: 15000", f"edit {path}") from error
    if not isinstance(values, dict):
        raise UserError(f"{path} holds no keys", "lines like  price: 15000", f"edit {path}")
    return {str(key).replace("-", "_"): value for key, value in values.items()}


def _problem(error: Mapping[str, Any], known: Iterable[str], flags: Mapping[str, Any], path: Path | None) -> str:
    at = ".".join(str(part) for part in error["loc"])
    name = f"--{at.replace('_', '-')}" if at in flags or not path else f"{path.name}: {at}"
    if error["type"] == "extra_forbidden":
        return f"{name}: unknown key; {suggestion(at, known)}"
    if error["type"] == "missing":
        return f"--{at.replace('_', '-')}: missing"
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{name}: {text}" if at else text
    return f"{name}: {text[:1].lower()}{text[1:]}, found {str(error['input'])!r}"


def gather(model: type[Model], path: Path | None, flags: Mapping[str, Any], command: str) -> Model:
    """The model from the file, if there is one, and the flags that were given.

    Raises:
        UserError: every problem at once: keys that nothing knows with the nearest one, what is missing or impossible.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    try:
        return model(**(_file(path) if path else {}) | given)
    except ValidationError as error:
        problems = [_problem(detail, model.model_fields, given, path) for detail in error.errors()]
        raise UserError("\n".join(dict.fromkeys(problems)), mend=f"{command} --help") from error
