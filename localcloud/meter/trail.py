"""The account's own record of its calls (CloudTrail): what was changed, and the moment of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.sockets import ask

READS = ("Get", "List", "Describe", "Head", "Lookup", "Filter", "BatchGet", "Scan", "Query")
AGENT = "shoestring-meter"  # marks the meter's own calls, which nobody is billed for
TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
LOOK = "ShoestringMeter.Look"  # asks the meter to know some names, or to look
PAGE = 50  # events in an answer at most


@dataclass(frozen=True)
class Event:
    """One call: `at` is the moment (epoch seconds) at which the account had carried it out."""

    at: float
    service: str
    name: str
    mentions: frozenset[str]

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.name.startswith(READS)


def strings(value: Any) -> Iterator[str]:
    """All texts in a request's parameters but for long ones, among which are the names of what they are about."""
    if isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str) and len(value) <= 2048:
        yield value


def _event(record: dict[str, Any]) -> Event | None:
    """None for the meter's own calls."""
    detail = json.loads(record["CloudTrailEvent"])
    if AGENT in detail.get("userAgent", ""):
        return None
    parameters = detail.get("requestParameters") or {}
    name = parameters.get("Action") if isinstance(parameters, dict) else None
    mentioned = {resource["ResourceName"] for resource in record.get("Resources", [])} | set(strings(parameters))
    service = record["EventSource"].partition(".")[0]
    return Event(record["EventTime"], service, name or record["EventName"], frozenset(mentioned))


class Trail:
    """Reads each event once, from the emulator's socket: botocore would cut moments to whole seconds."""

    def __init__(self, account: Path) -> None:
        self.account, self.since = account, 0.0
        self.seen: set[str] = set()

    def _page(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        body = json.dumps({"MaxResults": PAGE, **request}).encode()
        headers = {"X-Amz-Target": TARGET, "Content-Type": "application/x-amz-json-1.1"}
        status, answer = ask(self.account, "/", body, headers, timeout=10)
        if status != 200:
            raise OSError(f"CloudTrail answered {status}: {answer.decode(errors='replace')}")
        return list(json.loads(answer)["Events"])

    def new(self) -> list[Event]:
        """What the account was asked since the last look, in order. Raises OSError when it does not answer."""
        records: dict[str, dict[str, Any]] = {}
        until: dict[str, float] = {}
        while True:
            page = self._page({**({"StartTime": self.since} if self.since else {}), **until})
            fresh = {event["EventId"]: event for event in page if event["EventId"] not in self.seen | records.keys()}
            records |= fresh
            if len(page) < PAGE or not fresh:
                break
            until = {"EndTime": page[-1]["EventTime"]}
        if records:
            self.since = max(event["EventTime"] for event in records.values())
            self.seen = {key for key, event in records.items() if event["EventTime"] >= self.since - 1}
        return sorted(filter(None, map(_event, records.values())), key=lambda event: event.at)


def last(events: Iterable[Event], names: tuple[str, ...], *mentioned: str) -> float | None:
    """The moment of the latest of these calls that mentions any of these."""
    moments = [event.at for event in events if event.name in names and not event.mentions.isdisjoint(mentioned)]
    return max(moments, default=None)
