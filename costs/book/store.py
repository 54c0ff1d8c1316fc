"""What a refresh has read, a file for each region: `prices/<region>.json` in the product's home.

Each service lies there on its own, with the moment at which it was read whole, so that a refresh that was stopped goes
on with the services that are missing. Money is written as strings of decimals.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.book.price import Price
from costs.book.spot import Observed
from shoestring.base.errors import UserError
from shoestring.base.paths import home, write_atomically

FORMAT = 1
SPOT, INTERRUPTIONS = "spot", "interruptions"  # parts beside the services


def folder() -> Path:
    """Where the files lie."""
    return home() / "prices"


@dataclass
class StoredPart:
    """A service, the spot history or the interruption rates of a region: when it was read, from where, and its rows.

    `left` names what was asked for and not read, with the reason.
    """

    read_at: datetime
    source: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


@dataclass
class Stored:
    """The file of one region."""

    region: str
    parts: dict[str, StoredPart] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Stored:
        """The file, or an empty one where there is none.

        Raises:
            UserError: it is not what a refresh writes.
        """
        try:
            document = json.loads(path.read_text(), parse_float=Decimal)
        except FileNotFoundError:
            return cls(path.stem)
        except (OSError, ValueError) as error:
            raise _unreadable(path, str(error)) from error
        try:
            if document["format"] != FORMAT or document["region"] != path.stem:
                raise ValueError(f"format {document['format']} for {document['region']}")
            stored = cls(document["region"], {name: _part(part) for name, part in document["parts"].items()})
            stored.prices(), stored.observed(SPOT), stored.observed(INTERRUPTIONS)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise _unreadable(path, f"{type(error).__name__}: {error}") from error
        return stored

    def write(self, path: Path) -> None:
        """Replaces the file, whole."""
        parts = {
            name: {"read_at": part.read_at.isoformat(), "source": part.source, "rows": part.rows, "left": part.left}
            for name, part in sorted(self.parts.items())
        }
        write_atomically(path, json.dumps({"format": FORMAT, "region": self.region, "parts": parts}, indent=1) + "\n")

    def prices(self) -> list[Price]:
        """The list prices."""
        return [
            Price(service, row["item"], self.region, row["unit"], _usd(row["usd"]), row["note"], row["source"],
                  part.read_at.date())
            for service, part in self.parts.items() if service not in (SPOT, INTERRUPTIONS) for row in part.rows
        ]  # fmt: skip

    def observed(self, name: str) -> list[Observed]:
        """The spot prices, or the interruption rates."""
        part = self.parts.get(name)
        return [
            Observed(row["item"], self.region, _usd(row["low"]), _usd(row["high"]), part.source, part.read_at.date(),
                     _usd(row["likely"]) if "likely" in row else None, row.get("zone", ""))
            for row in part.rows
        ] if part else []  # fmt: skip


def _usd(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or number < 0:
        raise ValueError(f"{text} is no price")
    return number


def _part(part: dict[str, Any]) -> StoredPart:
    at = datetime.fromisoformat(part["read_at"])
    return StoredPart(
        at if at.tzinfo else at.replace(tzinfo=UTC), part["source"], list(part["rows"]), dict(part["left"])
    )


def _unreadable(path: Path, why: str) -> Exception:
    return UserError(
        f"{path} cannot be read: {why}",
        "the file as shoestring prices refresh wrote it",
        f"shoestring prices refresh --force --region {path.stem}",
    )


def read_all(place: Path | None = None) -> tuple[list[Price], list[Observed], list[Observed]]:
    """The prices, the spot prices and the interruption rates of all regions that were refreshed.

    Raises:
        UserError: a file cannot be read.
    """
    regions = [Stored.read(path) for path in sorted((place or folder()).glob("*.json"))]
    return (
        [price for region in regions for price in region.prices()],
        [price for region in regions for price in region.observed(SPOT)],
        [rate for region in regions for rate in region.observed(INTERRUPTIONS)],
    )


def today() -> date:
    """In UTC, as AWS counts."""
    return datetime.now(UTC).date()
