"""Spot prices from `DescribeSpotPriceHistory`, and interruption rates from AWS's public Spot Advisor."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from costs.book.refresh.pricing_api import Reading
from costs.book.spot import median_zone

ADVISOR_URL = "https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json"
SECONDS = 15
AT_ONCE = 50  # instance types in one request
LINUX = "Linux/UNIX"


class NoAdvice(Exception):
    """The Spot Advisor cannot be read; says why."""


def _history(
    client: Any, types: list[str], start: datetime, end: datetime, left: dict[str, str]
) -> list[dict[str, Any]]:
    """The history of some instance types; those that the region does not have go to `left`."""
    from botocore.exceptions import ClientError  # heavy, and there where AWS is asked

    while types:
        pages = client.get_paginator("describe_spot_price_history").paginate(
            StartTime=start, EndTime=end, ProductDescriptions=[LINUX], InstanceTypes=types
        )
        try:
            return [point for page in pages for point in page["SpotPriceHistory"]]
        except ClientError as error:
            message = error.response["Error"].get("Message", "")
            unknown = [name for name in types if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", message)]
            if error.response["Error"].get("Code") != "InvalidParameterValue" or not unknown:
                raise
            left |= dict.fromkeys(unknown, "not an instance type of the region")
            types = [name for name in types if name not in unknown]
    return []


def history(client: Any, types: Iterable[str], now: datetime, days: int) -> Reading:
    """The lowest and the highest price of each instance type in the last `days`, over all zones, and the median of the
    newest ones of all zones, with the zone that asks it."""
    names = sorted(set(types))
    left: dict[str, str] = {}
    seen: dict[str, list[tuple[str, str, Decimal]]] = {}  # by type: when, in which zone, at which price
    for first in range(0, len(names), AT_ONCE):
        for point in _history(client, names[first : first + AT_ONCE], now - timedelta(days=days), now, left):
            name = point.get("InstanceType", "")
            try:
                price = Decimal(point["SpotPrice"])
            except (InvalidOperation, KeyError, TypeError):
                price = Decimal("NaN")
            if not price.is_finite() or price <= 0:
                left[name] = f"malformed: the spot price {point.get('SpotPrice')!r}"
                continue
            zone = point.get("AvailabilityZoneId") or point.get("AvailabilityZone", "")
            seen.setdefault(name, []).append((str(point.get("Timestamp", "")), zone, price))
    rows = []
    for name, points in sorted(seen.items()):
        prices = [price for _, _, price in points]
        likely, zone = median_zone({zone: price for _, zone, price in sorted(points)})
        rows.append(
            {"item": name, "low": f"{min(prices):f}", "high": f"{max(prices):f}", "likely": f"{likely:f}", "zone": zone}
        )
    left |= {name: "no spot price in the history" for name in names if name not in seen and name not in left}
    return Reading(rows, left)


def advice(source: Path | None = None) -> dict[str, Any]:
    """The Spot Advisor's data, from a saved copy or from AWS.

    Raises:
        NoAdvice: it cannot be reached, or is not what the Spot Advisor writes.
    """
    place = str(source or ADVISOR_URL)
    try:
        if source:
            text = source.read_text()
        else:
            with urlopen(place, timeout=SECONDS) as answer:
                text = answer.read().decode()
        advised: dict[str, Any] = json.loads(text)
        if not isinstance(advised["ranges"], list) or not isinstance(advised["spot_advisor"], dict):
            raise ValueError("no ranges and spot_advisor in it")
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"no {error} in it" if isinstance(error, KeyError) else error
        raise NoAdvice(f"no Spot Advisor: {place}: {why}") from error
    return advised


def _share(label: str) -> tuple[Decimal, Decimal]:
    """`<5%` is 0 to 0.05, `5-10%` is 0.05 to 0.1, `>20%` is 0.2 to 1. Raises ValueError."""
    parts = re.fullmatch(r"\s*(?:(<)|(>)|(\d+)\s*-)\s*(\d+)\s*%\s*", label)
    if not parts:
        raise ValueError(f"the range {label!r}")
    below, above, low, number = parts.groups()
    if below:
        return Decimal(0), Decimal(number) / 100
    return (Decimal(number) / 100, Decimal(1)) if above else (Decimal(low) / 100, Decimal(number) / 100)


def rates(advised: dict[str, Any], region: str, types: Iterable[str]) -> Reading:
    """How many of each instance type's spot instances were taken back in a month, in a region on Linux."""
    labels = {entry.get("index"): str(entry.get("label")) for entry in advised["ranges"] if isinstance(entry, dict)}
    here = advised["spot_advisor"].get(region)
    linux = here.get("Linux") if isinstance(here, dict) else None
    rows, left = [], {}
    for name in sorted(set(types)):
        entry = linux.get(name) if isinstance(linux, dict) else None
        if not isinstance(entry, dict):
            left[name] = "not in the Spot Advisor" if linux else f"the Spot Advisor has no {region}"
            continue
        try:
            low, high = _share(labels[entry["r"]])
        except (KeyError, TypeError, ValueError) as error:
            left[name] = f"malformed: {error} of {entry}"
            continue
        rows.append({"item": name, "low": f"{low:f}", "high": f"{high:f}"})
    return Reading(rows, left)
