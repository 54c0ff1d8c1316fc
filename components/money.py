"""What components cost, from the price book: figures for their outputs, never a reason to fail."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pulumi

from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from costs.estimates import PlatformParts, job_cost, platform_month

FREE = "0"
_books: list[PriceBook] = []


def _book() -> PriceBook:
    if not _books:
        _books.append(PriceBook.current())
    return _books[0]


def _figure(what: str, estimate: Callable[[], Decimal]) -> str | None:
    try:
        return f"{estimate().normalize():f}"
    except UnknownPrice as error:
        pulumi.log.warn(f"what {what} costs is not known: {error}")
        return None


def monthly(what: str, region: str, parts: PlatformParts) -> str | None:
    """Dollars for a month in which nothing happens, at list prices; None, and a warning, where one is unknown."""
    return _figure(what, lambda: platform_month(parts, region, _book()).usd)


def worst_case(what: str, region: str, instance_type: str, seconds: int, volume_gb: int) -> str | None:
    """Dollars for a job that runs as long as it may and that spot saves nothing; None where a price is unknown."""
    return _figure(what, lambda: job_cost(instance_type, seconds, seconds, False, volume_gb, region, _book()).usd)


def total(figures: list[str | None]) -> str | None:
    """Their sum to the cent, as text; None where one is unknown."""
    known = [Decimal(figure) for figure in figures if figure is not None]
    return str(sum(known, Decimal(0)).quantize(Decimal("0.01"))) if len(known) == len(figures) else None
