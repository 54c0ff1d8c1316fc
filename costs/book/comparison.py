"""An item's prices side by side: on demand and spot, on EC2 and SageMaker, in every region that is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from costs.book.price import Price, UnknownPrice
from costs.book.prices import PriceBook
from costs.book.spot import SpotPrice

INSTANCES = {"ec2": "EC2", "sagemaker-training": "SageMaker training"}  # what has a spot price
STALE = " (stale)"


@dataclass(frozen=True)
class Shown:
    """A price as a table shows it: dollars for one `unit`, from `low` to `high`."""

    region: str
    name: str
    unit: str
    low: Decimal
    high: Decimal
    note: str
    source: str
    as_of: date
    stale: bool
    spot: SpotPrice | None = None

    def facts(self) -> dict[str, Any]:
        """For machines; money is a text."""
        facts: dict[str, Any] = {
            "region": self.region, "what": self.name, "unit": self.unit, "usd_low": f"{self.low:f}",
            "usd_high": f"{self.high:f}", "note": self.note, "source": self.source, "as_of": self.as_of.isoformat(),
            "stale": self.stale,
        }  # fmt: skip
        if spot := self.spot:
            rate = spot.interruption
            facts["saving_low"], facts["saving_high"] = f"{spot.saving_low:.4f}", f"{spot.saving_high:.4f}"
            facts["interruption_low"], facts["interruption_high"] = (
                [f"{one:f}" for one in rate] if rate else (None, None)
            )
            facts["interruption_source"] = spot.interruption_source or None
        return facts


def _listed(price: Price, name: str, today: date) -> Shown:
    return Shown(price.region, name, price.unit, price.usd, price.usd, price.note, price.source, price.as_of,
                 price.stale(today))  # fmt: skip


def _spot(book: PriceBook, price: Price, name: str, today: date) -> Shown:
    spot = book.spot(price.service, price.item, price.region)
    return Shown(price.region, f"{name} spot", price.unit, spot.low, spot.high, "", spot.source, spot.as_of,
                 spot.stale(today), spot)  # fmt: skip


def _found(book: PriceBook, item: str, regions: Sequence[str], today: date) -> Iterator[Shown]:
    names = {item, item.removeprefix("ml."), f"ml.{item}"}
    prices = [price for price in book if price.item in names and (not regions or price.region in regions)]
    order = list(INSTANCES)
    for price in sorted(prices, key=lambda one: (one.region, one.service not in order, one.service, one.item)):
        name = INSTANCES.get(price.service, f"{price.service} {price.item}")
        yield _listed(price, name, today)
        if price.service in INSTANCES and (price.service == "ec2" or price.item.startswith("ml.")):
            yield _spot(book, price, name, today)


def compare(book: PriceBook, item: str, regions: Sequence[str], today: date) -> list[Shown]:
    """Every price of an item (an instance type with or without `ml.`, or an item of any service).

    Raises:
        UnknownPrice: no region, or none of `regions`, has one.
    """
    if found := list(_found(book, item, regions, today)):
        return found
    elsewhere = (
        book.regions(item=item) or book.regions(item=f"ml.{item}") or book.regions(item=item.removeprefix("ml."))
    )
    names = sorted({price.item for price in book})
    near = get_close_matches(item, names, 3, 0.5) or [name for name in names if item in name][:3]
    region = next(iter(regions), "us-east-1")
    raise UnknownPrice("", item, region, [f"{item} in {where}" for where in elsewhere] or near)


def _money(usd: Decimal) -> str:
    text = f"{usd:f}"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}" if len(part) <= 10 else f"{usd:.6f}"


def table(rows: Sequence[Shown]) -> str:
    """The rows in columns, with their sources below."""
    sources = list(dict.fromkeys((row.source, row.as_of) for row in rows))
    head = ("region", "what", "dollars", "unit", "saving", "taken back a month", "source")
    lines = [head]
    for row in rows:
        money = _money(row.low) if row.low == row.high else f"{_money(row.low)} to {_money(row.high)}"
        saving = f"{row.spot.saving_low:.0%} to {row.spot.saving_high:.0%}" if row.spot else ""
        rate = row.spot.interruption if row.spot else None
        taken = f"{rate[0]:.0%} to {rate[1]:.0%}" if rate else "unknown" if row.spot else ""
        name = f"{row.name}: {row.note}" if row.note else row.name
        source = f"[{sources.index((row.source, row.as_of)) + 1}]{STALE if row.stale else ''}"
        lines.append((row.region, name, money, row.unit, saving, taken, source))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    advice = list(dict.fromkeys(row.spot.interruption_source for row in rows if row.spot and row.spot.interruption))
    notes = [f"[{number}] {source}; of {as_of}" for number, (source, as_of) in enumerate(sources, 1)]
    return "\n".join([*text, "", *notes, *(f"taken back: {source}" for source in advice)])
