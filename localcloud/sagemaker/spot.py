"""When a spot instance is taken away: at named seconds, by a seed, or by a recorded trace of availability.

Read at each job's start from `<home>/cloud/spot.json`, all keys optional: `interrupt_after_seconds` (one for each
attempt), `seed` with `mean_seconds` (exponential), `trace` (a file `{"metadata": {"gap_seconds"}, "data": [0, 1, …]}`),
`grace_seconds` between SIGTERM and SIGKILL (120, as on AWS), `capacity_seconds` until there is capacity again (1),
`interface_seconds` that a job's network interface stays after its end (2; on AWS it takes minutes),
`price_ratio` of spot to on-demand, in place of that which the price book expects of each instance type.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from pathlib import Path

from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from localcloud import REGION
from localcloud.settings import read_settings


@dataclass(frozen=True)
class Spot:
    """The market that a job meets."""

    interrupt_after_seconds: list[float] = field(default_factory=list)
    seed: int | None = None
    mean_seconds: float = 60.0
    trace: str | None = None
    grace_seconds: float = 120.0
    capacity_seconds: float = 1.0
    interface_seconds: float = 2.0
    price_ratio: float | None = None

    @classmethod
    def read(cls, path: Path) -> Spot:
        """The file's settings, or the defaults where there is none. Raises ValueError for what it cannot hold."""
        return read_settings(cls, path)

    def share(self, book: PriceBook, instance_type: str, region: str = REGION) -> Decimal:
        """What is billed of an instance type's price on demand, on EC2 and SageMaker alike: all of it where no spot
        price is known."""
        if self.price_ratio is not None:
            return Decimal(str(self.price_ratio))
        try:
            return book.spot("ec2", instance_type.removeprefix("ml."), region).share.expected or Decimal(1)
        except UnknownPrice:
            return Decimal(1)

    def lives(self) -> Iterator[float]:
        """How long each attempt's instance lives, in seconds; ends when no further one is taken away."""
        yield from self.interrupt_after_seconds
        if self.trace:
            recorded = json.loads(Path(self.trace).read_text())
            gap = recorded["metadata"]["gap_seconds"]
            yield from (gap * len(list(run)) for available, run in groupby(recorded["data"], bool) if available)
        elif self.seed is not None:
            chance = random.Random(self.seed)
            while True:
                yield chance.expovariate(1 / self.mean_seconds)
