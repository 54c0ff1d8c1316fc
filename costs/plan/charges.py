"""What one resource is billed for, in the units of the price book: the words of estimates, policies and reports.

Money is a Decimal in US dollars. What is not known for certain (a spot price, a value that a preview cannot know,
traffic) is a Range and stays one to the end: nothing is guessed silently, and nothing is rounded before it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Literal

from costs.amounts import NOTHING, ONE, Range
from costs.book.price import HOURS_A_MONTH, Price

Status = Literal["priced", "free", "at least", "unpriced"]


class Basis(StrEnum):
    """What a charge's quantity counts."""

    MONTH = "month"  # what stands all month: units in a month of 730 hours
    USAGE = "usage"  # what traffic costs: units in a month, from the usage file or its defaults
    RUN = "run"  # what works and ends: units in one run at the longest


@dataclass(frozen=True)
class Charge:
    """`quantity` of `price.unit`, at `share` of the list price (below 1 on spot capacity).

    `rate` is how many units are billed in each hour of a RUN: four instances are 4, a volume of 10 GB is 10 / 730.
    """

    name: str
    quantity: Range
    price: Price
    basis: Basis = Basis.MONTH
    share: Range = ONE
    rate: Range | None = None
    note: str = ""

    @cached_property
    def usd(self) -> Range:
        """What it comes to in a month (`MONTH`, `USAGE`), or in one run (`RUN`)."""
        return self.quantity * self.price.usd * self.share

    @property
    def usd_an_hour(self) -> Range:
        """What it comes to for each hour that the resource runs; nothing for traffic."""
        if self.basis is Basis.RUN:
            return (self.rate or NOTHING) * self.price.usd * self.share
        return self.usd / HOURS_A_MONTH if self.basis is Basis.MONTH else NOTHING


@dataclass(frozen=True)
class Assumption:
    """A figure that no plan holds: what traffic a resource has, or what it takes where its size is not set."""

    resource: str
    kind: str
    key: str
    value: Decimal
    unit: str
    given: bool = False  # by the usage file; else the default


@dataclass(frozen=True)
class ResourceCost:
    """What a resource costs, or why it costs nothing, or why nobody can say.

    `status` is "at least" where a part of it is priced and another part is not known; the reason names that part.
    `ephemeral` resources work and go: their MONTH charges stand for `hours` (until the lease ends) and not for a month.
    """

    urn: str
    type: str
    name: str
    status: Status
    reason: str
    charges: tuple[Charge, ...] = ()
    ephemeral: bool = False
    hours: Range | None = None
    assumptions: tuple[Assumption, ...] = ()
    assumed: frozenset[str] = frozenset()  # properties that the usage file gives, as far as the rule has read them

    @property
    def whole(self) -> bool:
        """Whether its figures hold all that it costs."""
        return self.status in ("priced", "free")

    def _sum(self, *bases: Basis) -> Range:
        return sum((charge.usd for charge in self.charges if charge.basis in bases), NOTHING)

    @cached_property
    def monthly(self) -> Range:
        """Dollars in a month for what stays: nothing for what is ephemeral."""
        return NOTHING if self.ephemeral else self._sum(Basis.MONTH, Basis.USAGE)

    @cached_property
    def idle(self) -> Range:
        """Dollars in a month for what stays while nobody uses it."""
        return NOTHING if self.ephemeral else self._sum(Basis.MONTH)

    @cached_property
    def hourly(self) -> Range:
        """Dollars for each hour that it runs, usage left out: of what stays, and of what is ephemeral."""
        return sum((charge.usd_an_hour for charge in self.charges), NOTHING)

    @cached_property
    def run(self) -> Range:
        """Dollars for one run of what is ephemeral, from the least to the worst case; nothing for what stays."""
        if not self.ephemeral:
            return NOTHING
        standing = self._sum(Basis.MONTH) / HOURS_A_MONTH * (self.hours or NOTHING)
        return self._sum(Basis.RUN) + standing
