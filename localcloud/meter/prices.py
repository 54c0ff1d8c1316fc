"""The prices that the bill is made with: the price book, and the emulated spot market; read anew when they change."""

from __future__ import annotations

import threading
from pathlib import Path

from costs.book.prices import PriceBook
from localcloud.meter.rate import Rater
from localcloud.protocol import Notice
from localcloud.sagemaker.spot import Spot
from shoestring.base.errors import UserError


class Prices:
    """Below `home`: `prices/` is what was refreshed, `cloud/spot.json` the market."""

    def __init__(self, home: Path) -> None:
        self.refreshed, self.spot = home / "prices", home / "cloud" / "spot.json"
        self.lock, self.seen, self.problem = threading.Lock(), (-1, -1), Notice()
        self.current: Rater | None = None

    def rater(self) -> Rater:
        """The same one as long as nothing has changed."""
        with self.lock:
            seen = _written(self.refreshed), _written(self.spot)
            if self.current is None or seen != self.seen:
                self.current, self.seen = Rater(self._book(), self._market()), seen
            return self.current

    def _book(self) -> PriceBook:
        try:
            return PriceBook.current(self.refreshed)
        except UserError as error:
            self.problem(f"the refreshed prices are not used: {error}")
            return PriceBook.load()

    def _market(self) -> Spot:
        try:
            return Spot.read(self.spot)
        except ValueError as error:
            self.problem(f"the spot market is taken as it is without its file: {error}")
            return Spot()


def _written(path: Path) -> int:
    """When a file or something in a folder was last written (nanoseconds); 0 where there is none."""
    try:
        inside = [file.stat().st_mtime_ns for file in path.iterdir()] if path.is_dir() else []
        return max([path.stat().st_mtime_ns, *inside])
    except FileNotFoundError:
        return 0
