"""The operations of Cost Explorer that the local cloud plays."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcloud.meter import allocation, explorer, forecast
from localcloud.meter.anomalies import Anomalies
from localcloud.meter.behaviour import Behaviour, Gate
from localcloud.meter.ledger import Ledger
from localcloud.meter.prices import Prices
from localcloud.meter.rate import LineItem
from localcloud.requests import Model
from shoestring.base.paths import write_atomically

Found = dict[str, Any]
BILLED = ("GetCostAndUsage", "GetCostForecast", "GetDimensionValues", "GetTags")  # a cent for each call, as on AWS
KEEPERS = (
    "CreateAnomalyMonitor", "GetAnomalyMonitors", "UpdateAnomalyMonitor", "DeleteAnomalyMonitor",
    "CreateAnomalySubscription", "GetAnomalySubscriptions", "UpdateAnomalySubscription", "DeleteAnomalySubscription",
    "TagResource", "UntagResource", "ListTagsForResource",
)  # fmt: skip
SUPPORTED = (*BILLED, *KEEPERS, "GetAnomalies", "ListCostAllocationTags", "UpdateCostAllocationTagsStatus")
MODEL = Model("ce", SUPPORTED)
DAY = 86400


class Service:
    """Cost Explorer over one ledger, below `<home>/cloud`; what it is told to keep lies in `explorer.json`."""

    def __init__(self, cloud: Path, ledger: Ledger, prices: Prices) -> None:
        self.ledger, self.prices = ledger, prices
        self.gate = Gate(cloud / "meter" / "behaviour.json")
        self.path, self.lock = cloud / "meter" / "explorer.json", threading.Lock()
        self.kept: Found = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.active: dict[str, str] = self.kept.setdefault("active", {})
        self.anomalies = Anomalies(self.kept)
        self.closed: list[LineItem] = []
        self.rated, self.rater = 0, prices.rater()

    def lines(self) -> list[LineItem]:
        """All line items up to now. Those of what has ended are kept from one call to the next."""
        now, rater = time.time(), self.prices.rater()
        with self.ledger.lock:
            if rater is not self.rater:
                self.closed, self.rated, self.rater = [], 0, rater
            new = self.ledger.closed[self.rated :]
            self.closed += [line for one in new for line in rater.lines(one, now)]
            self.rated += len(new)
            return self.closed + [line for one in self.ledger.open.values() for line in rater.lines(one, now)]

    def call(self, name: str, request: Found) -> Found:
        """Checks and carries out one operation. Raises ServiceError."""
        behaviour = self.gate.enter(name)
        MODEL.check(name, request)
        now = time.time()
        if name in KEEPERS:
            with self.lock:
                found = getattr(self.anomalies, name)(request) or {}
                self._keep()
            return dict(found)
        found = getattr(self, name)(request, self._shown(behaviour, now), datetime.fromtimestamp(now, UTC))
        if name in BILLED:
            self.ledger.use("explorer-requests", name, 1, now, {}, {})
        return dict(found)

    def _keep(self) -> None:
        write_atomically(self.path, json.dumps(self.kept, indent=2) + "\n")

    def _shown(self, behaviour: Behaviour, now: float) -> list[LineItem]:
        """The line items as a call sees them."""
        if behaviour.empty:
            return []
        lines = self.lines()
        if behaviour.delay_days:
            until = now - behaviour.delay_days * DAY
            early = [line for line in lines if line.start < until]
            lines = [_cut(line, until) for line in early]
        if behaviour.active_tags_only:
            lines = [
                replace(line, tags={key: value for key, value in line.tags.items() if key in self.active})
                for line in lines
            ]
        return lines

    def GetCostAndUsage(self, request: Found, lines: list[LineItem], now: datetime) -> Found:
        return explorer.cost_and_usage(request, lines, now)

    def GetCostForecast(self, request: Found, lines: list[LineItem], now: datetime) -> Found:
        return forecast.cost_forecast(request, lines, now)

    def GetDimensionValues(self, request: Found, lines: list[LineItem], now: datetime) -> Found:
        return explorer.values(request, lines, request["Dimension"], "DimensionValues", attributes=True)

    def GetTags(self, request: Found, lines: list[LineItem], now: datetime) -> Found:
        return explorer.values(request, lines, request.get("TagKey", ""), "Tags", attributes=False)

    def GetAnomalies(self, request: Found, lines: list[LineItem], now: datetime) -> Found:
        return self.anomalies.anomalies(request, lines, now)

    def ListCostAllocationTags(self, request: Found, lines: list[LineItem], now: datetime) -> Found:
        return allocation.listed(self.active, request, self.lines())

    def UpdateCostAllocationTagsStatus(self, request: Found, lines: list[LineItem], now: datetime) -> Found:
        with self.lock:
            found = allocation.update(self.active, request, self.lines(), now)
            self._keep()
        return found


def _cut(line: LineItem, until: float) -> LineItem:
    """The part of a line before a moment."""
    share = explorer.overlap(line, line.start, until)
    if share == 1:
        return line
    amounts = {name: None if value is None else value * share for name, value in (
        ("quantity", line.quantity), ("cost", line.cost), ("list_cost", line.list_cost))}  # fmt: skip
    return replace(line, end=until, **amounts)  # type: ignore[arg-type]
