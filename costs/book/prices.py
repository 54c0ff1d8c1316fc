"""The price book: what AWS lists for one unit of an item, with the source and the date of each figure.

Two layers. `prices.csv` is the shipped table: list prices of us-east-1, written down from AWS's public price pages;
with it ships `ec2.csv`, EC2's prices in some regions, on demand and spot (`costs/book/spot.py`). Over them lies what
`shoestring prices refresh` has read from AWS, a file for each region. An item that none has is an error that names it,
never zero.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path

from costs.book.price import Price, UnknownPrice
from costs.book.spot import Observed, SpotPrice, catalogue, spot_price
from costs.book.store import read_all

TABLE = Path(__file__).with_name("prices.csv")
TABLE_SOURCE = "AWS public price pages, written down"
TABLE_DATE = date(2026, 1, 1)  # the year is known, the day is not
COLUMNS = ("service", "item", "region", "unit", "usd", "note")
# One price for all regions, kept under us-east-1: services, and single items of others.
GLOBAL = {"budgets", "costexplorer", "route53", ("cloudwatch", "dashboard")}


class PriceBook:
    """Prices by service, item and region, and what was seen of EC2's spot prices and interruptions."""

    def __init__(
        self, prices: Iterable[Price], seen: Iterable[Observed] = (), interruptions: Iterable[Observed] = ()
    ) -> None:
        self._prices: dict[tuple[str, str, str], Price] = {}
        for price in prices:
            key = price.service, price.item, price.region
            if key in self._prices:
                raise ValueError(f"two prices for {' '.join(key)}")
            self._prices[key] = price
        self._seen = {(spot.item, spot.region): spot for spot in seen}
        self._interruptions = {(rate.item, rate.region): rate for rate in interruptions}

    @classmethod
    def load(cls, path: Path = TABLE, source: str = TABLE_SOURCE, as_of: date = TABLE_DATE) -> PriceBook:
        """Reads a table with the columns of `prices.csv`; under that itself lies the catalogue of EC2's prices.

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
        return cls(*catalogue()).overlaid(prices) if path == TABLE else cls(prices)

    @classmethod
    def current(cls, folder: Path | None = None) -> PriceBook:
        """The shipped table, and over it what was refreshed (`prices/` in the product's home, or `folder`).

        Raises:
            UserError: a refreshed file cannot be read.
        """
        return cls.load().overlaid(*read_all(folder))

    def overlaid(
        self, prices: Iterable[Price], seen: Iterable[Observed] = (), interruptions: Iterable[Observed] = ()
    ) -> PriceBook:
        """This book with these in the place of its own for the same items."""
        book = PriceBook(prices, seen, interruptions)
        book._prices = self._prices | book._prices
        book._seen = self._seen | book._seen
        book._interruptions = self._interruptions | book._interruptions
        return book

    def find(self, service: str, item: str, region: str = "us-east-1") -> Price | None:
        """The price of one unit; None where it is not known."""
        anywhere = service in GLOBAL or (service, item) in GLOBAL
        return self._prices.get((service, item, "us-east-1" if anywhere else region))

    def price(self, service: str, item: str, region: str = "us-east-1") -> Price:
        """The price of one unit.

        Raises:
            UnknownPrice: names the item, the known ones that come near, and the command that reads prices.
        """
        if price := self.find(service, item, region):
            return price
        raise UnknownPrice(service, item, region, self._near(service, item, region))

    def _near(self, service: str, item: str, region: str) -> Iterator[str]:
        items = self.items(service, region)
        yield from get_close_matches(item, items, 3) or items[:3]

    def spot(self, service: str, item: str, region: str = "us-east-1") -> SpotPrice:
        """What an instance type costs on spot capacity: what was seen of it, or else the bounds that AWS advertises.

        Raises:
            UnknownPrice: its price on demand is not known.
        """
        on_demand = self.price(service, item, region)
        instance = item.removeprefix("ml."), region
        ec2 = self._prices.get(("ec2", *instance))
        return spot_price(on_demand, self._seen.get(instance), ec2, self._interruptions.get(instance))

    def items(self, service: str, region: str = "us-east-1") -> list[str]:
        """The items of a service that have a price in the region."""
        return sorted(item for of, item, where in self._prices if of == service and where == region)

    def regions(self, service: str | None = None, item: str | None = None) -> list[str]:
        """The regions with any price, or with one of the service, or of the item."""
        prices = (price for price in self if service in (None, price.service) and item in (None, price.item))
        return sorted({price.region for price in prices})

    def __iter__(self) -> Iterator[Price]:
        return iter(self._prices.values())

    def __len__(self) -> int:
        return len(self._prices)
