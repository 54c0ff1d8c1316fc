"""The demo's bill twice over: what its plans come to for what it used, and what the account's meter counted.

The plans are priced by the rules of `costs/plan/`, for the time that the engine's events give each resource and for the
traffic that the account's own listings show; the meter watches the account, and answers as AWS Cost Explorer does. Only
the requests to S3 have one source for both, the account's trail.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.book.prices import PriceBook
from costs.plan.charges import Basis, Charge
from costs.plan.plan import Plan, price_plan
from costs.plan.preview import Preview
from costs.plan.traffic import KINDS, Usage
from costs.report.account import reported
from costs.report.explorer import BILLED, rows_of
from costs.report.names import OF_BOOK
from localcloud.aws.s3 import READS, WRITES
from localcloud.meter.trail import Trail
from shoestring.base import aws

MINUTE = 60.0  # seconds that AWS bills at the least for an instance, its disk and its address
OVERHEAD = 26  # bytes that CloudWatch Logs adds to each event
GIB = Decimal(1024**3)
HOUR = Decimal(3600)
EXPLORER = "AWS Cost Explorer"  # asking for the bill costs 0.01 $, more than all that is on it: both sides leave it out
# The first two budgets of an account are free, and a plan of one stack cannot know whether they are taken; the weekly
# report does not ask Cost Explorer while the demo lasts.
LEFT_OUT = ("budgets", "costexplorer")


def _used(charge: Charge, seconds: float, job: Mapping[str, Any]) -> Decimal:
    """Dollars of one charge of a plan, for what this run used of it."""
    if charge.basis is Basis.USAGE:
        return charge.usd.high
    if charge.basis is Basis.MONTH:
        return charge.usd_an_hour.high * Decimal(str(seconds)) / HOUR
    # AWS lowers a spot job's seconds, not its price; its disk costs what it costs on demand
    ran = job["billable_seconds"] if charge.price.unit == "hour" else job["training_seconds"]
    assert charge.rate
    return charge.rate.high * charge.price.usd * Decimal(ran) / HOUR


def _metered() -> dict[str, Decimal]:
    """What the account has cost since yesterday, by service, as Cost Explorer answers."""
    today = datetime.now(UTC).date()
    period = {"Start": str(today - timedelta(days=1)), "End": str(today + timedelta(days=1))}
    answer = aws.client("ce").get_cost_and_usage(
        TimePeriod=period, Granularity="DAILY", Metrics=[BILLED],
        GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
        Filter={"Not": {"Dimensions": {"Key": "SERVICE", "Values": [EXPLORER]}}},
    )  # fmt: skip
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows_of(answer):
        totals[row.keys[0]] += row.billed
    return totals


class Bill:
    """What the demo was going to cost, and what it cost. Made before anything is; asked when all is gone."""

    def __init__(self, cloud: Mapping[str, Any]) -> None:
        self._account = Path(cloud["sockets"]) / "aws"
        self._began, self._metered_before = time.time(), _metered()
        self._previews: list[Preview] = []
        self._created: dict[str, float] = {}  # when, by URN, as the engine tells it (epoch seconds)
        self._deleted: dict[str, float] = {}
        self._traffic: dict[str, dict[str, Decimal]] = {}  # a usage file's keys and figures, by URN

    def plan(self, preview: Preview) -> Plan:
        """Takes a stack's preview, the platform's first; returns its plan with prices."""
        self._previews.append(preview)
        return price_plan(preview, PriceBook.current())

    def note(self, event: Mapping[str, Any]) -> None:
        """Notes what an event of the engine says."""
        change = event.get("resourcePreEvent", {}).get("metadata", {})
        if change.get("op") == "create":
            self._created.setdefault(change["urn"], time.time())
        elif change.get("op") == "delete":
            self._deleted[change["urn"]] = time.time()

    def _seconds(self, urn: str) -> float:
        """How long a resource stood; what AWS bills at the least where that was less."""
        if urn not in self._created:
            return 0.0
        return max(self._deleted.get(urn, time.time()) - self._created[urn], MINUTE)

    def _urn(self, kind: str, name: str | None = None) -> str:
        """The URN of the platform's resource of a type that the account knows by `name`."""
        of_kind = [resource for resource in self._previews[0].resources if resource.type == kind]
        return next(resource.urn for resource in of_kind if name in (None, resource.inputs.get("name")))

    def before_teardown(self, function: str) -> None:
        """Counts what was written to the logs, and requests to `function`: before these go with their groups."""
        logs = aws.client("logs")
        for page in logs.get_paginator("describe_log_groups").paginate():
            for group in (item["logGroupName"] for item in page["logGroups"]):
                pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
                messages = [event["message"] for page in pages for event in page["events"]]
                written = Decimal(sum(len(message.encode()) + OVERHEAD for message in messages))
                self._traffic[self._urn("aws:cloudwatch/logGroup:LogGroup", group)] = {"ingested_gb": written / GIB}
                if group.endswith(f"/{function}"):
                    billed = [figures["Billed Duration"] for figures in map(reported, messages) if figures]
                    mean = sum(billed, Decimal(0)) / max(len(billed), 1)
                    urn = self._urn("aws:lambda/function:Function", function)
                    self._traffic[urn] = {"requests": Decimal(len(billed)), "mean_ms": mean}

    def after_teardown(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """The bill: `planned_usd` and `metered_usd` with their `difference_pct`, and both `by_service`.

        Args:
            job: the facts of the one job (`outcomes.facts`).
        """
        # the requests to S3 are counted in the account's trail now, for the teardown made some
        events = [event for event in Trail(self._account).new() if event.service == "s3" and event.at >= self._began]
        writes, reads = (Decimal(sum(event.name in names for event in events)) for names in (WRITES, READS))
        self._traffic[self._urn("aws:s3/bucket:Bucket")] = {"puts": writes, "gets": reads}
        grown = {service: usd - self._metered_before.get(service, 0) for service, usd in _metered().items()}
        by_meter = {service: grown[service] for service in sorted(grown, key=lambda service: -grown[service])}
        by_plan = self._planned(job)
        metered_usd, planned_usd = (sum(services.values(), Decimal(0)) for services in (by_meter, by_plan))
        return {
            "planned_usd": planned_usd,
            "metered_usd": metered_usd,
            "difference_pct": abs(planned_usd - metered_usd) / metered_usd * 100,
            "by_service": {
                service: (by_plan.get(service, Decimal(0)), by_meter.get(service, Decimal(0)))
                for service in dict.fromkeys([*by_meter, *by_plan])
                if by_meter.get(service) or by_plan.get(service)
            },
        }

    def _planned(self, job: Mapping[str, Any]) -> dict[str, Decimal]:
        """What the plans come to, in dollars by service, for the time and the traffic of this run."""
        # what was not counted did not happen
        nothing = {kind: dict.fromkeys(keys, Decimal(0)) for kind, keys in KINDS.items()}
        used = Usage(nothing, self._traffic, source="what the demo used")
        book, totals = PriceBook.current(), defaultdict[str, Decimal](Decimal)
        for preview in self._previews:
            plan = price_plan(preview, book, used if preview is self._previews[0] else None)
            for resource in (change.after for change in plan.changes if change.after):
                for charge in resource.charges:
                    if charge.price.service not in LEFT_OUT:
                        service = OF_BOOK.get(charge.price.service, charge.price.service)
                        totals[service] += _used(charge, self._seconds(resource.urn), job)
        return totals
