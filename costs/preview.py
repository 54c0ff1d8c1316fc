"""What a plan consists of: the resources of a saved preview or of a stack's state, in one form.

`read` tells by itself what it was given: the digest of `pulumi preview --json`, the engine's events (a line each, from
`--event-log` or PULUMI_ENABLE_STREAMING_JSON_PREVIEW), or `pulumi stack export`; text around the JSON is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shoestring.errors import UserError

COMMAND = "pulumi preview --json --show-sames > preview.json"
EXPORT = "pulumi stack export > state.json"
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
VERSION = 3  # of a deployment's format, since Pulumi 1.0
EVENTS = frozenset(
    {"preludeEvent", "resourcePreEvent", "resOutputsEvent", "resOpFailedEvent", "summaryEvent", "diagnosticEvent"}
    | {"cancelEvent", "stdoutEvent", "policyEvent", "policyLoadEvent", "progressEvent"}
)
GONE = frozenset({"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})
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

    kind: Literal["preview", "events", "state"]
    stack: str
    project: str
    config: Mapping[str, str]
    resources: tuple[PlannedResource, ...]
    hidden: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def region(self) -> str | None:
        """Where the default provider works, if the preview says so."""
        found = self.config.get("aws:region")
        return found if isinstance(found, str) and found else None


def parts(urn: str) -> tuple[str, str, str, str]:
    """Stack, project, type and name of a URN. Raises ValueError where it is none."""
    prefix, project, kind, name = urn.split("::", 3)
    return prefix.removeprefix("urn:pulumi:"), project, kind.rpartition("$")[2], name


def read(text: str, name: str = "the preview") -> Preview:
    """The resources of a saved preview or state.

    Args:
        text: the whole file.
        name: how it is called in errors.

    Raises:
        UserError: it is empty, cut off, no JSON, something else, of an older Pulumi, or of a preview that failed.
    """
    documents = _documents(text, name)
    if any(EVENTS & document.keys() for document in documents):
        return _of_events(documents, name)
    for document in documents:
        if "deployment" in document or "checkpoint" in document or "manifest" in document:
            return _of_state(document, name)
        if {"steps", "changeSummary", "diagnostics"} & document.keys():
            marked = any(marker in text for marker in UNKNOWNS)
            return _of_digest(document, name, marked)
    keys = ", ".join(sorted(documents[0])[:5]) or "nothing"
    raise UserError(
        f"{name} is JSON, but neither a preview nor a state: it has {keys}", "steps, or deployment", COMMAND
    )


def _documents(text: str, name: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, each of which begins a line."""
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise UserError(f"{name} is empty", "what pulumi preview --json or pulumi stack export prints", COMMAND)
    found, decoder, place = [], json.JSONDecoder(), 0
    while place < len(text):
        if text[place] != "{":  # the next line that begins with one
            place = text.find("\n{", place) + 1 or len(text)
            continue
        try:
            document, place = decoder.raw_decode(text, place)
        except RecursionError:
            raise UserError(f"{name} is nested too deeply", "a preview of Pulumi's", COMMAND) from None
        except ValueError as error:
            raise UserError(_broken(text, place, name, error), "the whole of the JSON", COMMAND) from None
        found.append(document)
    if not found:
        shown = " ".join(text[:60].split())
        raise UserError(f"{name} is not JSON: it begins with {shown!r}", "a preview or a state in JSON", COMMAND)
    return found


def _broken(text: str, place: int, name: str, error: ValueError) -> str:
    at = getattr(error, "pos", 0)
    line = text.count("\n", 0, at) + 1
    unterminated = "Unterminated" in str(error) or at >= len(text.rstrip()) - 1
    return f"{name} is {'cut off' if unterminated else 'not JSON'} at line {line}"


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


def _of_digest(document: Mapping[str, Any], name: str, marked: bool) -> Preview:
    _require_success(document.get("diagnostics") or [], name)
    steps = document.get("steps")
    if not isinstance(steps, list):
        raise UserError(f"{name} has no steps: it is of an older Pulumi, or not whole", "a list of steps", COMMAND)
    states = []
    for number, step in enumerate(steps, 1):
        try:
            op, urn, old, new = step["op"], step["urn"], step.get("oldState"), step.get("newState")
            parts(urn)
            if new is None and old is None and op not in GONE:
                raise KeyError("newState")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            said = f"step {number} of {name} ({_named(step)}) has no {error.args[0] if error.args else 'URN'}"
            raise UserError(
                f"{said}: it is of an older Pulumi, or not whole", "op, urn and newState", COMMAND
            ) from None
        states.append((op, urn, old, new if new is not None or op in GONE else old))
    shown = {urn for op, urn, *_ in states if op == "same"}
    hidden = max(0, int((document.get("changeSummary") or {}).get("same", 0)) - len(shown))
    return _preview("preview", states, document.get("config") or {}, name, hidden, guess=not marked)


def _named(step: Any) -> str:
    found = step.get("urn") if isinstance(step, Mapping) else None
    return str(found).rpartition("::")[2] if found else "without a URN"


def _require_success(diagnostics: Iterable[Mapping[str, Any]], name: str) -> None:
    said = [str(each.get("message", "")).strip() for each in diagnostics if each.get("severity") == "error"]
    if said:
        lines = "\n".join(line for text in said for line in text.splitlines()[-3:])
        raise UserError(f"{name} is of a preview that failed:\n{lines}", "a preview that went through", COMMAND)


def _of_events(documents: list[dict[str, Any]], name: str) -> Preview:
    config: Mapping[str, str] = {}
    states: list[tuple[str, str, Any, Any]] = []
    summary = None
    _require_success([document["diagnosticEvent"] for document in documents if "diagnosticEvent" in document], name)
    for document in documents:
        if found := document.get("preludeEvent"):
            config = found.get("config") or {}
        elif found := document.get("resourcePreEvent"):
            step = found["metadata"]
            states.append((step["op"], step["urn"], step.get("old"), step.get("new")))
        elif found := document.get("summaryEvent"):
            summary = found
    if summary is None:
        raise UserError(f"{name} is cut off: these events have no summary", "the events of a whole preview", COMMAND)
    shown = sum(op == "same" for op, *_ in states)
    hidden = max(0, int((summary.get("resourceChanges") or {}).get("same", 0)) - shown)
    return _preview("events", states, config, name, hidden, guess=False)


def _of_state(document: Mapping[str, Any], name: str) -> Preview:
    deployment = document.get("deployment", document)
    if "checkpoint" in document:  # a file of a state backend
        deployment = (document["checkpoint"] or {}).get("latest") or {}
    version = document.get("version", VERSION)
    if not isinstance(version, int) or version < VERSION:
        said = f"{name} is a state of version {version}, of a Pulumi before 1.0"
        raise UserError(said, f"version {VERSION} or newer", f"pulumi refresh; {EXPORT}")
    if not isinstance(deployment, Mapping):
        raise UserError(f"{name} has no deployment: the stack was never updated", "a state with resources", EXPORT)
    resources = deployment.get("resources") or []
    states = []
    for number, state in enumerate(resources, 1):
        try:
            urn = state["urn"]
            parts(urn)
        except (KeyError, TypeError, ValueError):
            raise UserError(f"resource {number} of {name} has no URN", "a state as Pulumi writes it", EXPORT) from None
        op = "delete" if state.get("delete") else "read" if state.get("external") else "same"
        states.append((op, urn, state, None if op == "delete" else state))
    found = _preview("state", states, {}, name, 0, guess=False)
    if waiting := sum(op == "delete" for op, *_ in states):
        said = f"{waiting} replaced resource(s) wait for their deletion, and cost until the next pulumi up"
        return Preview("state", found.stack, found.project, {}, found.resources, 0, (*found.warnings, said))
    return found


State = tuple[str, str, Any, Any]  # operation, URN, the state before and the one after


def _preview(
    kind: Literal["preview", "events", "state"],
    states: list[State],
    config: Mapping[str, str],
    name: str,
    hidden: int,
    guess: bool,
) -> Preview:
    if not states and not hidden:
        raise UserError(f"{name} has no resources", "a program or stack with at least one", COMMAND)
    stack, project = parts(states[0][1])[:2] if states else ("", "")
    regions, resources = _provider_regions(states), []
    lost: dict[str, None] = {}
    for op, urn, old, new in states if kind == "state" else _merged(states):
        state = new or old or {}
        provider = str(state.get("provider") or "").rpartition("::")[0]
        label = provider.rpartition("::")[2]
        region = regions.get(provider, None if label and not label.startswith("default") else config.get("aws:region"))
        if f"::{PROVIDER}aws::" in provider and not isinstance(region, str):
            lost[label] = None
        resources.append(_resource(op, urn, old, new, region, guess))
    said = [f"the region of the provider {label} is not in {name}: the plan's own is taken" for label in lost]
    return Preview(kind, stack, project, dict(config), tuple(resources), hidden, tuple(said))


def _provider_regions(states: list[State]) -> dict[str, Any]:
    found = {}
    for _, urn, old, new in states:
        if f"::{PROVIDER}aws::" in urn:
            found[urn] = clean((new or old or {}).get("inputs") or {}).get("region")
    return {urn: region for urn, region in found.items() if region is not None}


def _merged(states: list[State]) -> Iterator[State]:
    """One state for each resource: a replacement comes in several steps, and events may come twice."""
    found: dict[str, State] = {}
    for op, urn, old, new in states:
        if urn in found:
            was, _, before, after = found[urn]
            old, new = before or old, new if new is not None and op not in GONE else after
            op = op if op == was else "delete" if {op, was} <= GONE else "replace"
        found[urn] = op, urn, old, new
    yield from found.values()


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
