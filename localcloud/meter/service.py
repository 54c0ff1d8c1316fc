"""The operations of Cost Explorer that the local cloud plays."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.prices import PriceBook
from localcloud.meter import explorer
from localcloud.meter.behaviour import Gate
from localcloud.meter.ledger import Ledger
from localcloud.meter.rate import Line, Rater
from localcloud.requests import Model

SUPPORTED = ("GetCostAndUsage", "GetTags", "GetDimensionValues")
MODEL = Model("ce", SUPPORTED)
DAY = 86400


class Service:
    """Cost Explorer over one ledger, below `<home>/cloud`."""

    def __init__(self, cloud: Path, ledger: Ledger, book: PriceBook, market: Decimal) -> None:
        self.ledger, self.rater = ledger, Rater(book, market)
        self.gate = Gate(cloud / "meter" / "behaviour.json")

    def lines(self, until: float | None = None) -> list[Line]:
        """All line items up to now; `until` cuts off what came later."""
        now = time.time()
        found = [line for stretch in self.ledger.all() for line in self.rater.lines(stretch, now)]
        return found if until is None else [line for line in found if line.start < until]

    def call(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Checks and carries out one operation. Raises ServiceError."""
        behaviour = self.gate.enter(name)
        MODEL.check(name, request)
        now = time.time()
        until = now - behaviour.delay_days * DAY if behaviour.delay_days else None
        lines = [] if behaviour.empty else self.lines(until)
        found = dict(getattr(self, name)(request, lines, datetime.fromtimestamp(now, UTC)) or {})
        self.ledger.use("explorer-requests", name, 1, now, {}, {})
        return found

    def GetCostAndUsage(self, request: dict[str, Any], lines: list[Line], now: datetime) -> dict[str, Any]:
        return explorer.cost_and_usage(request, lines, now)

    def GetDimensionValues(self, request: dict[str, Any], lines: list[Line], now: datetime) -> dict[str, Any]:
        return explorer.values(request, lines, request["Dimension"], "DimensionValues", attributes=True)

    def GetTags(self, request: dict[str, Any], lines: list[Line], now: datetime) -> dict[str, Any]:
        return explorer.values(request, lines, request.get("TagKey", ""), "Tags", attributes=False)
