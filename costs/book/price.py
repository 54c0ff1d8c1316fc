"""One list price: what AWS asks for one unit of an item, with the source and the date of the figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

from costs.book.price_list import is_read

HOURS_A_MONTH = Decimal(730)  # as AWS's own calculator counts
SECONDS_AN_HOUR = Decimal(3600)
LAMBDA_COMPUTE = {"arm64": "compute-arm64", "x86_64": "compute-x86"}  # a function's architecture → item
LIST_FRESH_DAYS, SPOT_FRESH_DAYS = 365, 7  # after that many days a price is called stale


def refresh_of(service: str, item: str, region: str) -> str:
    """The command that may bring a price; nothing where no refresh asks for the item."""
    return f"shoestring prices refresh --region {region}" if is_read(service, item) else ""


class UnknownPrice(LookupError):
    """No price for an item. Never taken for zero.

    Args:
        service, item, region: what was asked for.
        near: known items of the service in the region that come near; empty where it has none there.
    """

    def __init__(self, service: str, item: str, region: str, near: Iterable[str] = ()) -> None:
        super().__init__()
        self.service, self.item, self.region, self._near = service, item, region, near

    @cached_property
    def command(self) -> str:
        """The refresh that may bring it; nothing where no refresh asks for such an item."""
        return refresh_of(self.service, self.item, self.region)

    @cached_property
    def near(self) -> tuple[str, ...]:
        """Looked for when somebody asks: a rule may ask for many prices that need not exist."""
        return tuple(self._near)

    def __str__(self) -> str:
        hint = ", ".join(self.near)
        hint = f"known there: {hint}" if hint else f"no price of {self.service} is known in {self.region}"
        mend = self.command or "no refresh asks for it"
        return f"no price for {self.service} {self.item} in {self.region}; {hint}; {mend}"


def lacking(errors: Sequence[UnknownPrice]) -> str:
    """One sentence for all prices that a region lacks, with the command that may bring them where there is one."""
    items = {f"{error.service} {error.item}": error for error in errors}
    unread = [name for name, error in items.items() if not error.command]
    parts = [f"no price for {', '.join(items)} in {errors[0].region}"]
    if len(items) == 1 and errors[0].near:
        parts.append(f"known there: {', '.join(errors[0].near)}")
    if len(unread) < len(items):
        parts.append(next(error.command for error in errors if error.command))
    if unread:
        parts.append(f"no refresh asks for {', '.join(unread) if len(items) > 1 else 'it'}")
    return "; ".join(parts)


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

    def stale(self, today: date) -> bool:
        """Whether it is too old to go by unseen."""
        return (today - self.as_of).days > LIST_FRESH_DAYS
