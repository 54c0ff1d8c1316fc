"""Invocations of functions, from the REPORT lines in their logs, and what is written to the logs themselves."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from localcloud.meter.ledger import Ledger
from localcloud.meter.observe import tags_of

REPORT = re.compile(r"^REPORT RequestId: (\S+)\s.*?Billed Duration: (\d+) ms\s+Memory Size: (\d+) MB")
PREFIX = "/aws/lambda/"
LATE = 1000  # milliseconds by which an event may come after a later one


@dataclass
class Functions:
    """What is known of the functions; it outlives them, as the last lines are read after a function is gone."""

    configured: dict[str, dict[str, Any]] = field(default_factory=dict)  # by log group

    def learn(self, client: Any) -> None:
        """Reads architecture, log group and tags of all functions."""
        for page in client.get_paginator("list_functions").paginate():
            for found in page["Functions"]:
                group = found.get("LoggingConfig", {}).get("LogGroup") or PREFIX + found["FunctionName"]
                architecture = (found.get("Architectures") or ["x86_64"])[0]
                tags = client.list_tags(Resource=found["FunctionArn"]).get("Tags", {})
                self.configured[group] = {"name": found["FunctionName"], "architecture": architecture,
                                          "tags": tags_of(tags)}  # fmt: skip

    def bill(self, ledger: Ledger, group: str, events: list[dict[str, Any]]) -> None:
        """Adds the invocations that new log events tell of."""
        known = self.configured.get(group)
        for event in events:
            said = REPORT.match(event["message"])
            if not said:
                continue
            name = known["name"] if known else group.removeprefix(PREFIX)
            arm = known is not None and known["architecture"] == "arm64"
            facts = {"architecture": "arm64" if arm else "x86", "arm": "-ARM" if arm else ""}
            milliseconds, memory = int(said[2]), int(said[3])
            at, tags = event["timestamp"] / 1000, known["tags"] if known else {}
            ledger.use("lambda-requests", name, 1, at, facts, tags)
            ledger.use("lambda-compute", name, milliseconds * memory, at, facts, tags)


def _named(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Events by a name of their own, which the emulated account does not give them: equal ones are numbered."""
    named: dict[str, dict[str, Any]] = {}
    counted = Counter[str]()
    for event in events:
        said = zlib.crc32(event["message"].encode())
        name = f"{event['logStreamName']} {event['timestamp']} {said}"
        counted[name] += 1
        named[f"{name} {counted[name]}"] = event
    return named


class Logs:
    """Reads each log event once: for what it tells of functions, and for its own bytes."""

    OVERHEAD = 26  # bytes that AWS adds to each event

    def __init__(self, client: Any, functions: Functions) -> None:
        self.client, self.functions = client, functions

    def look(self, ledger: Ledger, groups: list[dict[str, Any]]) -> bool:
        """Reads the groups that have grown; returns whether any has."""
        read: dict[str, Any] = ledger.notes.setdefault("logs", {})
        present = {f"{group['logGroupName']} {group['creationTime']}" for group in groups}
        grown = False
        for group in groups:
            name = f"{group['logGroupName']} {group['creationTime']}"
            before = read.setdefault(name, {"bytes": -1, "at": 0, "ids": []})
            if group["storedBytes"] == before["bytes"]:
                continue
            before["bytes"], grown = group["storedBytes"], True
            self._read(ledger, group, before)
        for name in read.keys() - present:
            del read[name]
        return grown

    def _read(self, ledger: Ledger, group: dict[str, Any], before: dict[str, Any]) -> None:
        pages = self.client.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"], startTime=before["at"]
        )
        events = _named([event for page in pages for event in page["events"]])
        seen = set(before["ids"])
        new = [event for name, event in events.items() if name not in seen]
        if not new:
            return
        before["at"] = max(0, max(event["timestamp"] for event in new) - LATE)
        before["ids"] = [name for name, event in events.items() if event["timestamp"] >= before["at"]]
        self.functions.bill(ledger, group["logGroupName"], new)
        for event in new:
            size = len(event["message"].encode()) + self.OVERHEAD
            ledger.use("log-bytes", group["logGroupName"], size, event["timestamp"] / 1000, {}, group["_tags"])
