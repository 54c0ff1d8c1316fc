"""Small JSON files that make the local cloud behave otherwise; all of their keys are optional."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from localcloud.protocol import ServiceError

Settings = TypeVar("Settings")


def read_settings(cls: type[Settings], path: Path) -> Settings:
    """A dataclass from a file, or its defaults without one. Raises ValueError for what it cannot hold."""
    if not path.exists():
        return cls()
    from pydantic import TypeAdapter, ValidationError, with_config  # heavy, and seldom needed

    try:
        return TypeAdapter(with_config({"extra": "forbid"})(cls)).validate_json(path.read_bytes())
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


@dataclass(frozen=True)
class AccountSettings:
    """What kind of account it is: `<home>/cloud/account.json`, read at each call.

    `quotas` stand in the place of those that a new account begins with, by code or name. `grant_quotas`: whether a
    request for more is granted at once, as AWS does for small ones (without it the request stays open). `hide_quotas`:
    the right to read quotas is missing. `payer`: the account that pays, where this one is a member of its organization.
    `role_seconds`: how long a new role is not yet known to the services, as on AWS for some seconds. `lacking_types`:
    instance types that a zone does not offer, by its name (`{"us-east-1a": ["t4g.nano"]}`).
    """

    quotas: dict[str, float] = field(default_factory=dict)
    grant_quotas: bool = True
    hide_quotas: bool = False
    payer: str = ""
    role_seconds: float = 0.0
    lacking_types: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, cloud: Path) -> AccountSettings:
        """The settings below `<home>/cloud`. Raises ServiceError for what the file cannot hold."""
        try:
            return read_settings(cls, cloud / "account.json")
        except ValueError as error:
            raise ServiceError("InternalFailure", str(error), 500) from error
