"""What a component declares, as a plan shows it to the rules that price it; and the sum of what components cost."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pulumi

from costs.amounts import cents
from costs.plan.preview import UNKNOWN, PlannedResource


def planned(args: pulumi.ResourceTransformationArgs) -> PlannedResource:
    """A resource that is about to be made, as a preview would show it."""
    urn = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{args.type_}::{args.name}"
    custom = isinstance(args.resource, pulumi.CustomResource)
    return PlannedResource(urn, args.type_, args.name, _as_previewed(args.props), custom=custom)


def _as_previewed(value: Any) -> Any:
    """Arguments as a preview shows them: the provider's own names, and UNKNOWN for what only the engine will know."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {_camel(name): _as_previewed(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_as_previewed(item) for item in value]
    opaque = isinstance(value, pulumi.Output | pulumi.Asset | pulumi.Archive) or inspect.isawaitable(value)
    return UNKNOWN if opaque else _as_previewed(vars(value))  # one of the SDK's classes of arguments


def _camel(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in words)


def total(figures: list[str | None]) -> str | None:
    """Their sum to the cent, as text; None where one is unknown."""
    known = [Decimal(figure) for figure in figures if figure is not None]
    return str(cents(sum(known, Decimal(0)))) if len(known) == len(figures) else None
