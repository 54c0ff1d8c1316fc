"""Looks at the account: at its trail each second, and at what stands whenever the trail tells of a change."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3
import jmespath
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud import sockets
from localcloud.aws.row import Json, Listing, ResourceType, absent, as_object
from localcloud.aws.s3 import READS, WRITES
from localcloud.aws.types import METERED, USAGE
from localcloud.meter.budgets import Budgets
from localcloud.meter.functions import Logs
from localcloud.meter.ledger import Ledger
from localcloud.meter.observe import observe
from localcloud.meter.rate import LineItem
from localcloud.meter.trail import AGENT, Event, Trail
from localcloud.meter.training import Jobs
from localcloud.protocol import Notice

PAUSE = 1.0  # seconds between two looks at the trail
LONGEST = 15.0  # seconds between two looks at what stands, where the trail tells of nothing
BUDGETS = 3.0  # the same for budgets
LOGS = 2.0  # the same for logs, which also grow by calls that the trail does not have
KEPT = 500  # events of a service that cannot be looked at
DATA = (
    "PutObject",
    "DeleteObject",
    "CreateMultipartUpload",
    "POST.s3",
    "PutLogEvents",
    "CreateLogStream",
    "PutMetricData",
)  # calls that change no resource's tags
STANDING = [(row, row.listing) for row in METERED.values() if row.listing and not row.metering.recorded]
SERVICES = sorted({row.service for row, _ in STANDING} | {"lambda"})


class AccountReader:
    """The account's answers, in the shape that the ledger takes; clients are made when they are first needed."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client = functools.cache(self._client)
        self.asked: dict[str, float] = {}  # when tags were, by type
        self.tags: dict[str, dict[str, dict[str, str]]] = {}  # by type and name

    def _client(self, service: str) -> Any:
        """A client that is marked as the meter's own."""
        config = Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 1}, user_agent_extra=AGENT)
        return boto3.client(service, endpoint_url=self.endpoint, config=config)

    def items(self, row: ResourceType, listing: Listing, anew: bool) -> list[Json]:
        """All resources of a type, with `_facts` and `_tags`; tags that take calls of their own are asked `anew`, or
        after a while."""
        client = self.client(row.service)
        items = listing.all(client)
        if anew or time.monotonic() - self.asked.get(row.key, -LONGEST) >= LONGEST:
            self.asked[row.key], self.tags[row.key] = time.monotonic(), {}
        return [item for item in (self._described(client, row, item) for item in items) if item is not None]

    def _described(self, client: Any, row: ResourceType, item: Json) -> Json | None:
        """None for what was deleted since the listing."""
        metering = row.metering
        facts = {name: jmespath.search(expression, item) for name, expression in metering.facts.items()}
        try:
            tags = self._tags(client, row, item)
            if metering.more_facts and jmespath.search(metering.active, item):
                facts |= metering.more_facts(client, item)
        except ClientError as error:
            if absent(error):
                return None
            raise
        return {**item, "_tags": facts.pop("tags", None) or tags, "_facts": facts}

    def _tags(self, client: Any, row: ResourceType, item: Json) -> dict[str, str]:
        if not row.metering.tagged:
            return as_object(jmespath.search(row.metering.tags, item))
        operation, argument, value, where = row.metering.tagged
        name, known = jmespath.search(value, item), self.tags[row.key]
        if name not in known:
            try:
                known[name] = as_object(jmespath.search(where, getattr(client, operation)(**{argument: name})))
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchTagSet":
                    raise
                known[name] = {}
        return known[name]


class Watch:
    """Keeps the ledger true to the account below `<home>/cloud`."""

    def __init__(self, cloud: Path, endpoint: str, ledger: Ledger, lines: Callable[[], list[LineItem]]) -> None:
        self.ledger, self.lines = ledger, lines
        self.account, self.trail, self.jobs = AccountReader(endpoint), Trail(sockets.path(cloud, "aws")), Jobs(cloud)
        self.logs, self.problem = Logs(self.account.client), Notice()
        say = functools.cache(lambda line: print(line, flush=True))  # into the part's log, each line once
        self.budgets = Budgets(self.account.client, ledger.notes.setdefault("sent", {}), say)
        self.evaluated = 0.0
        self.refreshed: dict[str, float] = {}  # by service
        self.missed: dict[str, list[Event]] = {}  # by service: what a look that failed has not taken up
        self.state = cloud / "data" / "state"
        self.turn = threading.Lock()

    def run(self, ending: threading.Event) -> None:
        """Looks until `ending`, and once more then."""
        while not ending.wait(PAUSE):
            self.try_once()
        self.try_once()

    def know(self, names: list[str]) -> Json:
        """Looks, unless something of these names is known to stand."""
        with self.ledger.lock:
            known = {stretch.id for stretch in self.ledger.open.values()}
        if known.isdisjoint(names):
            self.try_once()
        return {}

    def try_once(self) -> None:
        """One look; what the account refuses is told once, and tried again."""
        with self.turn:
            try:
                events = self.trail.new()
            except (OSError, ValueError, KeyError) as error:
                self.problem(f"the account's trail cannot be read: {type(error).__name__}: {error}")
            else:
                self.problem("; ".join(self._once(events)))

    def _once(self, events: Sequence[Event]) -> list[str]:
        """One look; returns what could not be looked at, and why."""
        now, problems = time.time(), []
        self.jobs.update(self.ledger)
        for service in SERVICES:
            due = [*self.missed.pop(service, []), *events]
            if self._due(service, due):
                try:
                    self._refresh(service, now, due)
                except (OSError, BotoCoreError, ClientError, ValueError, KeyError) as error:
                    problems.append(f"{service} cannot be metered: {type(error).__name__}: {error}")
                    self.missed[service] = due[-KEPT:]
        self._requests(events)  # when the buckets that they went to are known
        self.ledger.settle(frozenset(USAGE), now)
        if self.budgets.kept and time.monotonic() - self.evaluated >= BUDGETS:
            self.evaluated = time.monotonic()
            try:
                self.budgets.evaluate(self.lines())
            except (OSError, BotoCoreError, ClientError) as error:
                problems.append(f"budgets cannot warn: {error}")
        self.ledger.save()
        return problems

    def _due(self, service: str, events: Sequence[Event]) -> bool:
        if any(event.service == service and not event.reads for event in events):
            return True
        if service not in self.refreshed and not self._ever(service):
            return False
        pause = LOGS if service == "logs" else LONGEST
        return time.monotonic() - self.refreshed.get(service, -LONGEST) >= pause

    def _ever(self, service: str) -> bool:
        """Whether the account holds anything of a service: what was never used is not asked for, and not loaded."""
        names = {row.metered for row, _ in STANDING if row.service == service}
        known = any(stretch.kind in names for stretch in self.ledger.open.values())
        return known or service == "logs" or (self.state / f"{service}.json").exists()

    def _refresh(self, service: str, now: float, events: Sequence[Event]) -> None:
        self.refreshed[service] = time.monotonic()
        if service == "lambda":
            self.logs.learn()
        anew = any(event.service == service and not event.reads and event.name not in DATA for event in events)
        for row, listing in STANDING:
            if row.service != service:
                continue
            items = self.account.items(row, listing, anew)
            with self.ledger.lock:
                if row.key == "logs/log-group":  # before its end is seen, with what it still tells
                    self.logs.update(self.ledger, items)
                observe(self.ledger, row, items, now, events)
        if service == "budgets":
            self.budgets.learn()

    def _requests(self, events: Sequence[Event]) -> None:
        """Counts the requests to S3 that its price list knows; deletions are free."""
        for event in events:
            usage = "s3-writes" if event.name in WRITES else "s3-reads" if event.name in READS else ""
            if event.service != "s3" or not usage:
                continue
            buckets = [life for life in self.ledger.all() if life.kind == "bucket" and life.id in event.mentions]
            name, tags = (buckets[-1].id, buckets[-1].tags) if buckets else ("(account)", {})
            self.ledger.use(usage, name, 1, event.at, {}, tags)
