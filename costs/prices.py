"""The price book: what AWS lists for one unit of an item, with the source and the date of each figure.

`prices.csv` is the starting table: list prices of us-east-1, written down from AWS's public price pages.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path

TABLE = Path(__file__).with_name("prices.csv")
TABLE_SOURCE = "AWS public price pages, written down"
TABLE_DATE = date(2026, 1, 1)  # the year is known, the day is not
COLUMNS = ("service", "item", "region", "unit", "usd", "note")
HOURS_A_MONTH = Decimal(730)  # as AWS's own calculator counts


class UnknownPrice(LookupError):
    """No price for an item; the message names it and what comes near. Never taken for zero."""


@dataclass(frozen=True)
class Price:
    """One list price: `usd` for one `unit` (hour, GB-month, million, …) of `item`."""

    service: str
    item: str
    region: str
    unit: str
    usd: Decimal
    note: str
    source: str
    as_of: date


class PriceBook:
    """Prices by service, item and region."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices: dict[tuple[str, str, str], Price] = {}
        for price in prices:
            key = price.service, price.item, price.region
            if key in self._prices:
                raise ValueError(f"two prices for {' '.join(key)}")
            self._prices[key] = price

    @classmethod
    def load(cls, path: Path = TABLE, source: str = TABLE_SOURCE, as_of: date = TABLE_DATE) -> PriceBook:
        """Reads a table with the columns of `prices.csv`.

        Raises:
            ValueError: lists every bad line of the file at once.
        """
        prices, problems = [], []
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise ValueError(f"{path.name}: the columns are {reader.fieldnames}, expected {list(COLUMNS)}")
            for row in reader:
                try:
                    usd = Decimal(row["usd"])
                except (InvalidOperation, TypeError):
                    usd = Decimal(-1)
                if not usd.is_finite() or usd < 0:
                    problems.append(f"{path.name}:{reader.line_num}: usd is {row['usd']!r}, expected like 0.0168")
                    continue
                name = row["service"], row["item"], row["region"], row["unit"]
                prices.append(Price(*name, usd=usd, note=row["note"] or "", source=source, as_of=as_of))
        if problems:
            raise ValueError("\n".join(problems))
        return cls(prices)

    def price(self, service: str, item: str, region: str = "us-east-1") -> Price:
        """The price of one unit.

        Raises:
            UnknownPrice: names the item, and the known ones that come near.
        """
        found = self._prices.get((service, item, region))
        if found:
            return found
        items = sorted({known for of, known, where in self._prices if of == service and where == region})
        near = get_close_matches(item, items, 3) or items[:3]
        hint = f"; known there: {', '.join(near)}" if near else f"; no price of {service} is known in {region}"
        raise UnknownPrice(f"no price for {service} {item} in {region}{hint}")

    def __len__(self) -> int:
        return len(self._prices)
