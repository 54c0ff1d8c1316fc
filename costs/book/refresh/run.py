"""Reads AWS's prices into the price book's second layer, region by region and service by service.

Each service is kept as soon as it has been read whole. A refresh that is stopped, or loses its network, has lost the
service that it was at; the next one goes on there, because what is younger than a day is not read again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from costs.book.price_list import QUERIES, is_read
from costs.book.prices import PriceBook
from costs.book.refresh import spot_history as refresh_spot
from costs.book.refresh.pricing_api import HOME, Product, Reading, parse, products_of, read
from costs.book.store import INTERRUPTIONS, SPOT, Stored, StoredPart, folder
from shoestring.base.errors import UserError

FRESH = timedelta(hours=24)
NOT_ASKED = "not in a refresh: as the shipped table has it"
ATTEMPTS = 8  # of a request that AWS throttles
PARTS = (*QUERIES, SPOT, INTERRUPTIONS)
ACTIONS = ("pricing:GetProducts", "ec2:DescribeSpotPriceHistory")
DENIED = {"AccessDenied", "AccessDeniedException", "AuthFailure", "ExpiredToken", "ExpiredTokenException",
          "InvalidClientTokenId", "InvalidSignatureException", "OptInRequired", "SignatureDoesNotMatch",
          "UnauthorizedOperation", "UnrecognizedClientException"}  # fmt: skip
Say = Callable[[str], None]


@dataclass(frozen=True)
class PartOutcome:
    """What became of one part of one region: `read`, `kept` because it is fresh, or `missing`."""

    region: str
    part: str
    state: str
    prices: int
    left: dict[str, str] = field(default_factory=dict)
    read_at: datetime | None = None


@dataclass
class Settings:
    """What a refresh is told: which regions and parts, and how."""

    regions: Sequence[str]
    parts: Sequence[str] = PARTS
    force: bool = False
    days: int = 7
    advisor: Path | None = None
    place: Path | None = None


def check(settings: Settings) -> None:
    """Raises UserError: all regions and parts that nothing knows, or that AWS is the local cloud here."""
    import boto3  # heavy, and there where AWS is asked

    known = boto3.session.Session().get_available_regions("ec2")
    problems = []
    for name, words, what in (*((r, known, "region of AWS") for r in settings.regions),
                              *((p, PARTS, "service that is read") for p in settings.parts)):  # fmt: skip
        if name not in words:
            near = get_close_matches(name, words, 3) or list(words)[:3]
            problems.append(f"{name} is no {what}; near: {', '.join(near)}")
    if os.environ.get("AWS_ENDPOINT_URL") and "AWS_ENDPOINT_URL_PRICING" not in os.environ:
        raise UserError(
            f"AWS_ENDPOINT_URL is {os.environ['AWS_ENDPOINT_URL']}: the local cloud has no prices of AWS",
            "a shell without it, with credentials of AWS",
            "env -u AWS_ENDPOINT_URL shoestring prices refresh",
        )
    if problems:
        raise UserError("\n".join(problems), f"services: {', '.join(PARTS)}", "shoestring prices refresh --help")


@contextmanager
def _asking(part: str, region: str, done: Sequence[str]) -> Iterator[None]:
    """Turns what AWS refuses, or a network that is lost, into one message that says what is kept."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError  # heavy

    kept = f"; kept: {', '.join(done)}" if done else ""
    again = f"shoestring prices refresh --region {region}    (goes on with {part})"
    actions = " and ".join(ACTIONS)

    def stopped(why: str, expected: str, mend: str = again) -> UserError:
        return UserError(f"{part} of {region}: {why}{kept}", expected, mend)

    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise stopped(f"no AWS credentials: {error}", f"credentials that may {actions}", "aws configure") from error
    except ClientError as error:
        if error.response.get("Error", {}).get("Code", "") in DENIED:
            denied = f"AWS denied {ACTIONS[part == SPOT]}: {error}"
            raise stopped(denied, f"credentials whose policy allows {actions} on *") from error
        raise stopped(f"AWS: {error}", "an answer of the real AWS") from error
    except (BotoCoreError, OSError) as error:
        raise stopped(f"no answer of AWS: {error}", "a network that reaches AWS") from error


class Refresh:
    """One refresh, of all that `settings` names."""

    def __init__(self, settings: Settings, say: Say, now: datetime | None = None) -> None:
        import boto3  # heavy, and there where AWS is asked

        check(settings)
        self._settings, self._say = settings, say
        self._now = now or datetime.now(UTC)
        self._place = settings.place or folder()
        self._book = PriceBook.load()
        self._session = boto3.session.Session()
        self._pages: dict[tuple[str, ...], tuple[list[Product], dict[str, str]]] = {}
        self._advice: dict[str, Any] | refresh_spot.NoAdvice | None = None

    def _client(self, service: str, region: str) -> Any:
        from botocore.config import Config  # heavy, and there where AWS is asked

        steady = Config(retries={"mode": "adaptive", "max_attempts": ATTEMPTS}, connect_timeout=10, read_timeout=60)
        return self._session.client(service, region_name=region, config=steady)

    def run(self) -> list[PartOutcome]:
        """Reads what is missing or old.

        Raises:
            UserError: AWS refuses or cannot be reached, or another refresh is at work; what was read before is kept.
        """
        from filelock import FileLock, Timeout  # for a refresh alone

        self._place.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._place / "refresh.lock", timeout=0):
                return [outcome for region in self._settings.regions for outcome in self._region(region)]
        except Timeout as error:
            raise UserError(
                "another refresh of prices is at work", "one at a time", "shoestring prices refresh"
            ) from error

    def _region(self, region: str) -> list[PartOutcome]:
        path = self._place / f"{region}.json"
        try:
            stored = Stored.read(path)
        except UserError as error:
            if not self._settings.force:
                raise
            self._say(f"{error.found}: read anew")
            stored = Stored(region)
        self._pages.clear()
        outcomes = [self._fresh(stored, part) or self._read(stored, path, part) for part in self._settings.parts]
        if all(outcome.state == "kept" for outcome in outcomes):
            oldest = min(outcome.read_at for outcome in outcomes if outcome.read_at)
            self._say(f"{region}: nothing to do: read since {oldest:%Y-%m-%d %H:%M} UTC (--force reads again)")
        return outcomes

    def _fresh(self, stored: Stored, part: str) -> PartOutcome | None:
        kept = stored.parts.get(part)
        if kept is None or self._settings.force or self._now - kept.read_at >= FRESH:
            return None
        if (part == INTERRUPTIONS and self._settings.advisor) or (
            part == SPOT and kept.source != self._history(kept.read_at)
        ):
            return None
        return PartOutcome(stored.region, part, "kept", len(kept.rows), kept.left, kept.read_at)

    def _history(self, read_at: datetime) -> str:
        """The source of a spot history of the days that are asked for."""
        return f"EC2 spot price history, {self._settings.days} days to {read_at:%Y-%m-%d}, all zones"

    def _read(self, stored: Stored, path: Path, part: str) -> PartOutcome:
        done = [name for name in self._settings.parts if name in stored.parts and name != part]
        try:
            with _asking(part, stored.region, done):
                reading, source = self._reading(stored, part)
        except refresh_spot.NoAdvice as error:
            self._say(f"{stored.region} {part}: {error}; the rates stay unknown")
            return PartOutcome(stored.region, part, "missing", 0, {"spot advisor": str(error)})
        stored.parts[part] = StoredPart(self._now, source, reading.rows, reading.left)
        stored.write(path)
        missing = f", {len(reading.left)} without a new price" if reading.left else ""
        self._say(f"{stored.region} {part}: {len(reading.rows)} read{missing}")
        return PartOutcome(stored.region, part, "read", len(reading.rows), reading.left, self._now)

    def _reading(self, stored: Stored, part: str) -> tuple[Reading, str]:
        """What AWS says of a part, and the source of it. Raises NoAdvice."""
        if part == INTERRUPTIONS:
            advised = self._advised()
            rates = refresh_spot.rates(advised, stored.region, self._types(stored))
            return rates, f"AWS Spot Advisor, {self._now:%Y-%m-%d}"
        if part == SPOT:
            client = self._client("ec2", stored.region)
            history = refresh_spot.history(client, self._types(stored), self._now, self._settings.days)
            return history, self._history(self._now)
        return self._service(stored.region, part), "AWS Pricing API"

    def _advised(self) -> dict[str, Any]:
        """The Spot Advisor's data, asked for once for all regions. Raises NoAdvice."""
        if self._advice is None:
            try:
                self._advice = refresh_spot.advice(self._settings.advisor)
            except refresh_spot.NoAdvice as error:
                self._advice = error
        if isinstance(self._advice, refresh_spot.NoAdvice):
            raise self._advice
        return self._advice

    def _types(self, stored: Stored) -> list[str]:
        """The book's EC2 instance types, those that the region is known to lack left out."""
        ec2 = stored.parts.get("ec2")
        return [name for name in self._book.items("ec2") if ec2 is None or name not in ec2.left]

    def _service(self, region: str, service: str) -> Reading:
        """All queries of a service; the same request is made once for all services of a region."""
        client = self._client("pricing", HOME)
        items = set(self._book.items(service))
        whole = Reading([], {})
        for query in QUERIES[service]:
            products: list[Product] = []
            for filters in query.filters:
                request = (query.code, *map(str, sorted(filters.items())))
                if request not in self._pages:
                    self._pages[request] = parse(products_of(client, query.code, region, filters))
                page, bad = self._pages[request]
                products += page
                whole.left |= bad
            reading = read(products, query.wanted)
            whole.rows += reading.rows
            whole.left |= reading.left
        named = {row["item"] for row in whole.rows}
        for item in sorted(items - named - set(whole.left)):
            whole.left[item] = "no product for it there" if is_read(service, item) else NOT_ASKED
        return whole


def unread() -> list[str]:
    """The services of the shipped table that no refresh reads."""
    return sorted({price.service for price in PriceBook.load()} - set(PARTS))
