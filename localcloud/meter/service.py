"""The operations of Cost Explorer that the local cloud plays."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from localcloud.aws.row import Json
from localcloud.meter import allocation, explorer, forecast
from localcloud.meter.anomalies import Anomalies
from localcloud.meter.behaviour import Behaviour, Gate
from localcloud.meter.ledger import Ledger
from localcloud.meter.prices import Prices
from localcloud.meter.rate import LineItem
from localcloud.requests import Model, operations
from shoestring.base.paths import write_atomically

BILLED: dict[str, Callable[[Json, list[LineItem], datetime], Json]] = {  # a cent for each call, as on AWS
    "GetCostAndUsage": explorer.cost_and_usage,
    "GetCostForecast": forecast.cost_forecast,
    "GetDimensionValues": explorer.dimension_values,
    "GetTags": explorer.tags,
}
DAY = 86400


class Service:
    """Cost Explorer over one ledger, below `<home>/cloud`; what it is told to keep lies in `explorer.json`."""

    def __init__(self, cloud: Path, ledger: Ledger, prices: Prices) -> None:
        self.ledger, self.prices = ledger, prices
        self.gate = Gate(cloud / "meter" / "behaviour.json")
        self.path, self.lock = cloud / "meter" / "explorer.json", threading.Lock()
        self.kept: Json = json.loads(self.path.read_text()) if self.path.exists() else {}
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
            self.closed += [line for stretch in new for line in rater.lines(stretch, now)]
            self.rated += len(new)
            return self.closed + [line for stretch in self.ledger.open.values() for line in rater.lines(stretch, now)]

    def call(self, name: str, request: Json) -> Json:
        """Checks and carries out one operation. Raises ServiceError."""
        behaviour = self.gate.enter(name)
        MODEL.check(name, request)
        now = time.time()
        if hasattr(self.anomalies, name):
            with self.lock:
                answer = getattr(self.anomalies, name)(request) or {}
                self._keep()
            return dict(answer)
        play = BILLED.get(name) or getattr(self, name)
        answer = play(request, self._shown(behaviour, now), datetime.fromtimestamp(now, UTC))
        if name in BILLED:
            self.ledger.use("explorer-requests", name, 1, now, {}, {})
        return dict(answer)

    def _keep(self) -> None:
        write_atomically(self.path, json.dumps(self.kept, indent=2) + "\n")

    def _shown(self, behaviour: Behaviour, now: float) -> list[LineItem]:
        """The line items as a call sees them."""
        if behaviour.empty:
            return []
        lines = self.lines()
        if behaviour.delay_days:
            until = now - behaviour.delay_days * DAY
            lines = [_cut(line, until) for line in lines if line.start < until]
        if behaviour.active_tags_only:
            lines = [
                replace(line, tags={key: value for key, value in line.tags.items() if key in self.active})
                for line in lines
            ]
        return lines

    def GetAnomalies(self, request: Json, lines: list[LineItem], now: datetime) -> Json:
        return self.anomalies.detect(request, lines, now)

    def ListCostAllocationTags(self, request: Json, lines: list[LineItem], now: datetime) -> Json:
        return allocation.listed(self.active, request, self.lines())

    def UpdateCostAllocationTagsStatus(self, request: Json, lines: list[LineItem], now: datetime) -> Json:
        with self.lock:
            answer = allocation.update(self.active, request, self.lines(), now)
            self._keep()
        return answer


MODEL = Model("ce", (*BILLED, *operations(Service, Anomalies)))


def _cut(line: LineItem, until: float) -> LineItem:
    """The part of a line before a moment."""
    share = explorer.overlap(line, line.start, until)
    if share == 1:
        return line
    amounts = {"quantity": line.quantity, "cost": line.cost, "list_cost": line.list_cost}
    cut = {name: None if amount is None else amount * share for name, amount in amounts.items()}
    return replace(line, end=until, **cut)  # type: ignore[arg-type]
