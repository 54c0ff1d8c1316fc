"""Invocations of functions, from the REPORT lines in their logs, and what is written to the logs themselves."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.aws.row import as_object
from localcloud.meter.ledger import Ledger

REPORT = re.compile(r"^REPORT RequestId: (\S+)\s.*?Billed Duration: (\d+) ms\s+Memory Size: (\d+) MB")
PREFIX = "/aws/lambda/"
LATE = 1000  # milliseconds by which an event may come after a later one


def _named(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Events by a name of their own, which the emulated account does not give them: equal ones are numbered."""
    named: dict[str, dict[str, Any]] = {}
    counted = Counter[str]()
    for event in events:
        name = f"{event['logStreamName']} {event['timestamp']} {zlib.crc32(event['message'].encode())}"
        counted[name] += 1
        named[f"{name} {counted[name]}"] = event
    return named


class Logs:
    """Reads each log event once: for what it tells of functions, and for its own bytes.

    `configured` is what is known of functions; it outlives them, as their last lines are read when they are gone.
    """

    OVERHEAD = 26  # bytes that AWS adds to each event

    def __init__(self, client: Callable[[str], Any]) -> None:
        self.client = client
        self.configured: dict[str, dict[str, Any]] = {}  # by log group

    def learn(self) -> None:
        """Reads architecture, log group and tags of all functions."""
        client = self.client("lambda")
        for page in client.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                group = function.get("LoggingConfig", {}).get("LogGroup") or PREFIX + function["FunctionName"]
                architecture = (function.get("Architectures") or ["x86_64"])[0]
                tags = client.list_tags(Resource=function["FunctionArn"]).get("Tags", {})
                self.configured[group] = {"name": function["FunctionName"], "architecture": architecture,
                                          "memory": function["MemorySize"], "tags": as_object(tags)}  # fmt: skip

    def update(self, ledger: Ledger, groups: list[dict[str, Any]]) -> None:
        """Reads the groups that have grown, and counts what is missing of those that are gone."""
        read: dict[str, Any] = ledger.notes.setdefault("logs", {})
        present = {f"{group['creationTime']} {group['logGroupName']}": group for group in groups}
        for name, group in present.items():
            before = read.setdefault(name, {"bytes": -1, "at": 0, "ids": [], "invocations": 0, "milliseconds": 0})
            if group["storedBytes"] != before["bytes"]:
                self._read(ledger, group, before)
                before["bytes"] = group["storedBytes"]
        for name in read.keys() - present.keys():
            created, _, group_name = name.partition(" ")
            if group_name in self.configured:
                self._recover(ledger, group_name, int(created) / 1000, read[name])
            del read[name]

    def _read(self, ledger: Ledger, group: dict[str, Any], before: dict[str, Any]) -> None:
        name, paginator = group["logGroupName"], self.client("logs").get_paginator("filter_log_events")
        pages = paginator.paginate(logGroupName=name, startTime=before["at"])
        events = _named([event for page in pages for event in page["events"]])
        seen = set(before["ids"])
        new = [event for key, event in events.items() if key not in seen]
        if not new:
            return
        before["at"] = max(0, max(event["timestamp"] for event in new) - LATE)
        before["ids"] = [key for key, event in events.items() if event["timestamp"] >= before["at"]]
        for event in new:
            size, at = len(event["message"].encode()) + self.OVERHEAD, event["timestamp"] / 1000
            ledger.use("log-bytes", name, size, at, {}, group["_tags"])
            if report := REPORT.match(event["message"]):
                milliseconds, memory = int(report[2]), int(report[3])
                self._bill(ledger, name, 1, milliseconds * memory, at)
                before["invocations"] += 1
                before["milliseconds"] += milliseconds

    def _recover(self, ledger: Ledger, group: str, created: float, counted: dict[str, Any]) -> None:
        """Adds what the metrics of a function tell and the lines that were read of its deleted log group do not.

        Invocations by other services have no metrics in the emulated account: those of the last second are lost.
        """
        known, now, sums = self.configured[group], datetime.now(UTC), {}
        for metric in ("Invocations", "Duration"):
            points = self.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/Lambda", MetricName=metric, Statistics=["Sum"], Period=1,
                Dimensions=[{"Name": "FunctionName", "Value": known["name"]}],
                StartTime=datetime.fromtimestamp(created - 1, UTC), EndTime=now + timedelta(seconds=1),
            )["Datapoints"]  # fmt: skip
            sums[metric] = sum(point["Sum"] for point in points)
        lost = round(sums["Invocations"]) - counted["invocations"]
        if lost > 0:
            milliseconds = max(lost, round(sums["Duration"]) - counted["milliseconds"])
            self._bill(ledger, group, lost, milliseconds * known["memory"], now.timestamp())

    def _bill(self, ledger: Ledger, group: str, count: int, compute: int, at: float) -> None:
        known = self.configured.get(group, {"name": group.removeprefix(PREFIX), "tags": {}})
        arm = known.get("architecture") == "arm64"
        facts = {"architecture": "arm64" if arm else "x86", "arm": "-ARM" if arm else ""}
        ledger.use("lambda-requests", known["name"], count, at, facts, known["tags"])
        ledger.use("lambda-compute", known["name"], compute, at, facts, known["tags"])
