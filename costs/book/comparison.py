"""An item's prices side by side: on demand and spot, on EC2 and SageMaker, in every region that is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from costs.amounts import listed
from costs.book.price import Price, UnknownPrice
from costs.book.prices import PriceBook
from costs.book.spot import SpotPrice

INSTANCES = {"ec2": "EC2", "sagemaker-training": "SageMaker training"}  # what has a spot price
STALE = " (stale)"


@dataclass(frozen=True)
class ShownPrice:
    """A price as a table shows it: dollars for one unit, from `low` to `high`; `spot` where it is on spot capacity."""

    name: str
    price: Price
    low: Decimal
    high: Decimal
    note: str
    stale: bool
    source: str
    as_of: date
    spot: SpotPrice | None = None

    def facts(self) -> dict[str, Any]:
        """For machines; money is a text."""
        facts: dict[str, Any] = {
            "region": self.price.region, "what": self.name, "unit": self.price.unit, "usd_low": f"{self.low:f}",
            "usd_high": f"{self.high:f}", "note": self.note, "source": self.source, "as_of": self.as_of.isoformat(),
            "stale": self.stale,
        }  # fmt: skip
        if spot := self.spot:
            low, high = (f"{share:f}" for share in spot.interruption) if spot.interruption else (None, None)
            likely = spot.share.expected
            facts |= {
                "usd_expected": spot.likely and f"{spot.likely:f}",
                "saving_expected": None if likely is None else f"{1 - likely:.4f}",
                "saving_low": f"{spot.saving_low:.4f}", "saving_high": f"{spot.saving_high:.4f}",
                "interruption_low": low, "interruption_high": high,
                "interruption_source": spot.interruption_source or None,
            }  # fmt: skip
        return facts


def _shown(book: PriceBook, item: str, regions: Sequence[str], today: date) -> Iterator[ShownPrice]:
    names, order = {item, item.removeprefix("ml."), f"ml.{item}"}, list(INSTANCES)
    prices = [price for price in book if price.item in names and (not regions or price.region in regions)]
    prices.sort(key=lambda price: (price.region, price.service not in order, price.service, price.item))
    for price in prices:
        name, stale = INSTANCES.get(price.service, f"{price.service} {price.item}"), price.stale(today)
        yield ShownPrice(name, price, price.usd, price.usd, price.note, stale, price.source, price.as_of)
        if price.service in INSTANCES and (price.service == "ec2" or price.item.startswith("ml.")):
            spot = book.spot(price.service, price.item, price.region)
            stale = spot.stale(today)
            yield ShownPrice(f"{name} spot", price, spot.low, spot.high, "", stale, spot.source, spot.as_of, spot)


def compare(book: PriceBook, item: str, regions: Sequence[str], today: date) -> list[ShownPrice]:
    """Every price of an item (an instance type with or without `ml.`, or an item of any service).

    Raises:
        UnknownPrice: no region, or none of `regions`, has one.
    """
    if rows := list(_shown(book, item, regions, today)):
        return rows
    elsewhere = dict.fromkeys(shown.price.region for shown in _shown(book, item, (), today))
    names = sorted({price.item for price in book})
    near = get_close_matches(item, names, 3, 0.5) or [name for name in names if item in name][:3]
    region = next(iter(regions), "us-east-1")
    raise UnknownPrice("", item, region, [f"{item} in {where}" for where in elsewhere] or near)


def table(rows: Sequence[ShownPrice]) -> str:
    """The rows in columns, with their sources below."""
    sources = list(dict.fromkeys((row.source, row.as_of) for row in rows))
    head = ("region", "what", "dollars", "unit", "saving", "taken back a month", "source")
    lines = [head]
    for row in rows:
        money = listed(row.low) if row.low == row.high else f"{listed(row.low)} to {listed(row.high)}"
        saving = f"{row.spot.saving_low:.0%} to {row.spot.saving_high:.0%}" if row.spot else ""
        if row.spot and row.spot.likely and (share := row.spot.share.expected):
            money, saving = f"{listed(row.spot.likely)} ({money})", f"{1 - share:.0%} ({saving})"
        rate = row.spot.interruption if row.spot else None
        taken = f"{rate[0]:.0%} to {rate[1]:.0%}" if rate else "unknown" if row.spot else ""
        name = f"{row.name}: {row.note}" if row.note else row.name
        source = f"[{sources.index((row.source, row.as_of)) + 1}]{STALE if row.stale else ''}"
        lines.append((row.price.region, name, money, row.price.unit, saving, taken, source))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    columns = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    advice = list(dict.fromkeys(row.spot.interruption_source for row in rows if row.spot and row.spot.interruption))
    notes = [f"[{number}] {source}; of {as_of}" for number, (source, as_of) in enumerate(sources, 1)]
    return "\n".join([*columns, "", *notes, *(f"taken back: {source}" for source in advice)])
