"""The forms in which Pulumi tells of a stack's resources, each brought to the same list of states.

What is not in the form that it should have is one UserError; nothing is guessed about it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shoestring.base.errors import UserError

COMMAND = "pulumi preview --json --show-sames > preview.json"
EXPORT = "pulumi stack export > state.json"
VERSION = 3  # of a deployment's format, since Pulumi 1.0
EVENTS = frozenset(
    {"preludeEvent", "resourcePreEvent", "resOutputsEvent", "resOpFailedEvent", "summaryEvent", "diagnosticEvent"}
    | {"cancelEvent", "stdoutEvent", "policyEvent", "policyLoadEvent", "progressEvent"}
)
GONE = frozenset({"delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"})
SHOWN_LINES = 3  # of each error of a failed preview
WORDS: dict[type, str] = {dict: "an object", list: "a list", str: "a text", int: "a number"}

Kind = Literal["preview", "events", "state"]
State = tuple[str, str, Any, Any]  # operation, URN, the state before and the one after


@dataclass(frozen=True)
class Form:
    """What a preview or a state says; `hidden` counts unchanged resources that were left out."""

    kind: Kind
    states: list[State]
    config: Mapping[str, Any] = field(default_factory=dict)
    hidden: int = 0
    warnings: tuple[str, ...] = ()


class Misshapen(Exception):
    """A part is not what it should be; the message says which."""


def parts(urn: str) -> tuple[str, str, str, str]:
    """Stack, project, type and name of a URN. Raises ValueError where it is none."""
    prefix, project, kind, name = urn.split("::", 3)
    return prefix.removeprefix("urn:pulumi:"), project, kind.rpartition("$")[2], name


def documents(text: str, name: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, each of which begins a line.

    Raises:
        UserError: there is none, or one is broken or cut off.
    """
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise UserError(f"{name} is empty", "what pulumi preview --json or pulumi stack export prints", COMMAND)
    objects, decoder, place = [], json.JSONDecoder(), 0
    while place < len(text):
        if text[place] != "{":  # the next line that begins with one
            place = text.find("\n{", place) + 1 or len(text)
            continue
        try:
            document, place = decoder.raw_decode(text, place)
        except RecursionError:
            raise UserError(f"{name} is nested too deeply", "a preview of Pulumi's", COMMAND) from None
        except json.JSONDecodeError as error:
            # the decoder says where a text begins that has no end
            cut = "Unterminated" in error.msg or error.pos >= len(text) - 1 or not text[error.pos :].strip("truefalsn-")
            fault = f"{name} is {'cut off' if cut else 'not JSON'} at line {text.count(chr(10), 0, error.pos) + 1}"
            raise UserError(fault, "the whole of the JSON", COMMAND) from None
        objects.append(document)
    if not objects:
        shown = " ".join(text[:60].split())
        raise UserError(f"{name} is not JSON: it begins with {shown!r}", "a preview or a state in JSON", COMMAND)
    return objects


def form(text: str, name: str) -> Form:
    """What a text tells. Raises UserError."""
    objects = documents(text, name)
    try:
        if any(EVENTS & document.keys() for document in objects):
            return _of_events(objects, name)
        for document in objects:
            if document.keys() & {"deployment", "checkpoint", "manifest"}:
                return _of_state(document, name)
            if document.keys() & {"steps", "changeSummary", "diagnostics"}:
                return _of_digest(document, name)
    except Misshapen as error:
        raise UserError(f"{name}: {error}: it is of another Pulumi, or not whole", "3.0 or newer", COMMAND) from None
    keys = ", ".join(sorted(objects[0])[:5]) or "nothing"
    raise UserError(
        f"{name} is JSON, but neither a preview nor a state: it has {keys}", "steps, or deployment", COMMAND
    )


def _part(of: Any, key: str, kind: type, where: str) -> Any:
    """A part of an object; the empty one where it is absent. Raises Misshapen where it is something else."""
    if not isinstance(of, dict):
        raise Misshapen(f"{where} is no object")
    value = of.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise Misshapen(f"{key} of {where} is not {WORDS[kind]}")
    return value


def _state(of: Any, key: str, where: str) -> dict[str, Any] | None:
    """One state of a resource, whose parts are what they should be; None where it is absent."""
    if not isinstance(of, dict):
        raise Misshapen(f"{where} is no object")
    if of.get(key) is None:
        return None
    state: dict[str, Any] = _part(of, key, dict, where)
    for part, kind in (("inputs", dict), ("provider", str), ("id", str)):
        _part(state, part, kind, f"{key} of {where}")
    for urns in _part(state, "propertyDependencies", dict, f"{key} of {where}").values():
        if urns is not None and not (isinstance(urns, list) and all(isinstance(urn, str) for urn in urns)):
            raise Misshapen(f"propertyDependencies of {where} are no lists of URNs")
    return state


def _step(step: Any, before: str, after: str, where: str) -> State:
    """One step of a preview."""
    named = _part(step, "urn", str, where)
    if named:
        where = f"{where} ({named.rpartition('::')[2]})"
    op, old, new = _part(step, "op", str, where), _state(step, before, where), _state(step, after, where)
    try:
        parts(named)
    except ValueError:
        raise Misshapen(f"{where} has no URN") from None
    if not op:
        raise Misshapen(f"{where} has no op")
    if old is None and new is None and op not in GONE:
        raise Misshapen(f"{where} has no {after}")
    return op, named, old, new if new is not None or op in GONE else old


def _hidden(summary: dict[str, Any], key: str, states: list[State], where: str) -> int:
    same = _part(_part(summary, key, dict, where), "same", int, key)
    return max(0, same - len({urn for op, urn, *_ in states if op == "same"}))


def _require_success(diagnostics: list[Any], name: str) -> None:
    messages = [
        _part(diagnostic, "message", str, "a diagnostic").strip()
        for diagnostic in diagnostics
        if _part(diagnostic, "severity", str, "a diagnostic") == "error"
    ]
    if messages:
        lines = "\n".join(line for text in messages for line in text.splitlines()[-SHOWN_LINES:])
        raise UserError(f"{name} is of a preview that failed:\n{lines}", "a preview that went through", COMMAND)


def _of_digest(document: dict[str, Any], name: str) -> Form:
    _require_success(_part(document, "diagnostics", list, "it"), name)
    if document.get("steps") is None:
        raise Misshapen("it has no steps")
    steps = _part(document, "steps", list, "it")
    states = [_step(step, "oldState", "newState", f"step {number}") for number, step in enumerate(steps, 1)]
    return Form(
        "preview", states, _part(document, "config", dict, "it"), _hidden(document, "changeSummary", states, "it")
    )


def _of_events(events: list[dict[str, Any]], name: str) -> Form:
    config: dict[str, Any] = {}
    states: list[State] = []
    summary = None
    _require_success([event["diagnosticEvent"] for event in events if "diagnosticEvent" in event], name)
    for number, event in enumerate(events, 1):
        where = f"event {number}"
        if "preludeEvent" in event:
            config = _part(_part(event, "preludeEvent", dict, where), "config", dict, where)
        elif "resourcePreEvent" in event:
            step = _part(_part(event, "resourcePreEvent", dict, where), "metadata", dict, where)
            states.append(_step(step, "old", "new", where))
        elif "summaryEvent" in event:
            summary = _part(event, "summaryEvent", dict, where)
    if summary is None:
        raise UserError(f"{name} is cut off: these events have no summary", "the events of a whole preview", COMMAND)
    return Form("events", states, config, _hidden(summary, "resourceChanges", states, "the summary"))


def _of_state(document: dict[str, Any], name: str) -> Form:
    version = document.get("version", VERSION)
    if not isinstance(version, int) or version < VERSION:
        fault = f"{name} is a state of version {version}, of a Pulumi before 1.0"
        raise UserError(fault, f"version {VERSION} or newer", f"pulumi refresh; {EXPORT}")
    if "checkpoint" in document:  # a file of a state backend
        deployment = _part(_part(document, "checkpoint", dict, "it"), "latest", dict, "its checkpoint")
    elif "deployment" in document:
        deployment = document["deployment"]
    else:
        deployment = document
    if deployment is None:
        raise UserError(f"{name} has no deployment: the stack was never updated", "a state with resources", EXPORT)
    states, waiting = [], 0
    for number, resource in enumerate(_part(deployment, "resources", list, "its deployment"), 1):
        named = resource.get("urn") if isinstance(resource, dict) else None
        op, urn, _, new = _step({"op": "same", "urn": named, "new": resource}, "old", "new", f"resource {number}")
        if resource.get("delete"):
            states.append(("delete", urn, new, None))
            waiting += 1
        else:
            states.append(("read" if resource.get("external") else op, urn, new, new))
    warning = f"{waiting} replaced resource(s) wait for their deletion, and cost until the next pulumi up"
    return Form("state", states, warnings=(warning,) if waiting else ())
