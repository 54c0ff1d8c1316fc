"""Cost tags on everything that takes tags, without any component's help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.runtime import register_stack_transformation

LAUNCHED = ("instance", "volume", "network-interface")  # what a launch template makes


def _launched(specifications: list[Any] | None, tags: Mapping[str, Any], spot: bool) -> list[Any]:
    """A launch template's tag specifications with `tags` in each, for everything that it makes."""
    given = {specification["resource_type"]: specification.get("tags", {}) for specification in specifications or []}
    kinds = [*LAUNCHED, *(["spot-instances-request"] if spot else [])]
    return [
        {"resource_type": kind, "tags": {**tags, **given.get(kind, {})}}
        for kind in [*kinds, *sorted(set(given) - set(kinds))]
    ]


def tagged(props: Mapping[str, Any], tags: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's arguments with `tags` wherever its type takes some; what it names itself stays.

    A class of the provider's SDK puts every argument that its type takes into `props`, set or not: `tags` is among them
    exactly where the type is taggable.
    """
    arguments = dict(props)
    for argument in {"tags", "volume_tags"} & props.keys():
        arguments[argument] = {**tags, **(props[argument] or {})}
    if "tag_specifications" in props:
        spot = props.get("instance_market_options") is not None
        arguments["tag_specifications"] = _launched(props["tag_specifications"], tags, spot)
    return arguments


def tag_everything(tags: Mapping[str, pulumi.Input[str]]) -> None:
    """Adds `tags` to every resource of this program that is made from here on."""

    def add(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("aws:"):
            return None
        return pulumi.ResourceTransformationResult(tagged(args.props, tags), args.opts)

    register_stack_transformation(add)
