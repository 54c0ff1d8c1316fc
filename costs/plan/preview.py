"""What a plan consists of: the resources of a saved preview or of a stack's state, in one form.

`read` tells by itself what it was given: the digest of `pulumi preview --json`, the engine's events (a line each, from
`--event-log` or PULUMI_ENABLE_STREAMING_JSON_PREVIEW), or `pulumi stack export`; text around the JSON is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from costs.plan.forms import COMMAND, GONE, Form, Kind, State, form, parts
from shoestring.base.errors import UserError

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
SHOWN_SECRET = "[secret]"  # what a preview writes in a secret's place
UNKNOWNS = frozenset(  # what the engine writes in the place of a string, number, list, … that it cannot know yet
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
    }
)
READ = frozenset({"read", "read-replacement", "read-discard"})
PROVIDER = "pulumi:providers:"


class _Unknown:
    """The value of a property that a preview cannot know; there is one of it."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = _Unknown()


@dataclass(frozen=True)
class PlannedResource:
    """A resource as a plan leaves it (`inputs`), and as it was (`before`); `op` says what happens to it.

    `inputs` is empty for what goes; `before` is None for what is new. `region` is its provider's, None where the plan
    does not say; `custom` is False for components; `id` is the provider's, where it exists already.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    op: str = "create"
    before: Mapping[str, Any] | None = None
    region: str | None = None
    custom: bool = True
    id: str = ""

    @property
    def stays(self) -> bool:
        """Whether it is there after the plan."""
        return self.op not in GONE


@dataclass(frozen=True)
class Preview:
    """The resources of one stack. `hidden`: how many unchanged ones it leaves out, which `--show-sames` shows."""

    kind: Kind
    stack: str
    project: str
    config: Mapping[str, str]
    resources: tuple[PlannedResource, ...]
    hidden: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def region(self) -> str | None:
        """Where the default provider works, if the preview says so."""
        region = self.config.get("aws:region")
        return region if isinstance(region, str) and region else None


def read(text: str, name: str = "the preview") -> Preview:
    """The resources of a saved preview or state.

    Args:
        text: the whole file.
        name: how it is called in errors.

    Raises:
        UserError: it is empty, cut off, no JSON, something else, of an older Pulumi, or of a preview that failed.
    """
    document = form(text, name)
    if not document.states and not document.hidden:
        raise UserError(f"{name} has no resources", "a program or stack with at least one", COMMAND)
    # a provider's reference ends in a mark in older previews too
    guess = document.kind == "preview" and not any(f'"{mark}"' in text for mark in UNKNOWNS)
    return _preview(document, name, guess)


def clean(value: Any) -> Any:
    """A value of the engine's with UNKNOWN in the place of what is unknown, and secrets as what they hold, if shown."""
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWNS or value == SHOWN_SECRET else value
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        signature = value.get(SIGNATURE)
        if signature == SECRET:
            return _opened(value)
        if signature == OUTPUT:
            return clean(value["value"]) if "value" in value else UNKNOWN
        return {key: clean(item) for key, item in value.items()}
    return value


def _opened(secret: Mapping[str, Any]) -> Any:
    if "value" in secret:
        return clean(secret["value"])
    try:
        return clean(json.loads(secret["plaintext"]))
    except (KeyError, TypeError, ValueError):
        return UNKNOWN


def _preview(document: Form, name: str, guess: bool) -> Preview:
    stack, project = parts(document.states[0][1])[:2] if document.states else ("", "")
    regions, resources = _provider_regions(document.states), []
    lost: dict[str, None] = {}
    for op, urn, old, new in document.states if document.kind == "state" else _merged(document.states):
        state = new or old or {}
        provider = str(state.get("provider") or "").rpartition("::")[0]
        label = provider.rpartition("::")[2]
        default = document.config.get("aws:region") if label.startswith("default") or not label else None
        region = regions.get(provider, default)
        if f"::{PROVIDER}aws::" in provider and not isinstance(region, str):
            lost[label] = None
        resources.append(_resource(op, urn, old, new, region, guess))
    warnings = tuple(f"the region of the provider {label} is not in {name}: the plan's own is taken" for label in lost)
    return Preview(
        document.kind,
        stack,
        project,
        dict(document.config),
        tuple(resources),
        document.hidden,
        document.warnings + warnings,
    )


def _provider_regions(states: list[State]) -> dict[str, Any]:
    regions = {}
    for _, urn, old, new in states:
        if f"::{PROVIDER}aws::" in urn:
            regions[urn] = clean((new or old or {}).get("inputs") or {}).get("region")
    return {urn: region for urn, region in regions.items() if region is not None}


def _merged(states: list[State]) -> Iterator[State]:
    """One state for each resource: a replacement comes in several steps, and events may come twice."""
    merged: dict[str, State] = {}
    for op, urn, old, new in states:
        if urn in merged:
            earlier, _, before, after = merged[urn]
            old, new = before or old, new if new is not None and op not in GONE else after
            op = op if op == earlier else "delete" if {op, earlier} <= GONE else "replace"
        merged[urn] = op, urn, old, new
    yield from merged.values()


def _resource(op: str, urn: str, old: Any, new: Any, region: Any, guess: bool) -> PlannedResource:
    _, _, kind, name = parts(urn)
    state = new or old or {}
    wanted = {key: tuple(urns or ()) for key, urns in (state.get("propertyDependencies") or {}).items()}
    inputs = clean((new or {}).get("inputs") or {})
    if guess and new is not None and op != "same":  # older engines leave out what they do not know
        inputs |= {key: UNKNOWN for key, urns in wanted.items() if urns and key not in inputs}
    custom = state.get("custom")
    own = inputs.get("region") if kind.startswith("aws:") else None  # since the provider's version 7
    region = own if isinstance(own, str) else region
    return PlannedResource(
        urn=urn,
        type=kind,
        name=name,
        inputs=inputs,
        dependencies=wanted,
        op="read" if op in READ or state.get("external") else op,
        before=clean(old.get("inputs") or {}) if old else None,
        region=region if isinstance(region, str) and region else None,
        custom=bool(state.get("provider") or state.get("id")) if custom is None else bool(custom),
        id=str(state.get("id") or ""),
    )
