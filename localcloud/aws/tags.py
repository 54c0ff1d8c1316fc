"""Tags in both forms: as AWS writes them, and as an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_object(tags: Any) -> dict[str, str]:
    """Tags as an object, from the list or the object that a service answers, or from nothing."""
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags or []}


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most of AWS's requests and answers have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
