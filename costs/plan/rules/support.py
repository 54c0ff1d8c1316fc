"""Until when each version of a product is in standard support (`support.csv`): from then on it is billed more."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

from shoestring.base.paths import rows

SUPPORT: dict[str, dict[str, date]] = defaultdict(dict)
for row in rows(Path(__file__).with_name("support.csv")):
    SUPPORT[row["product"]][row["version"]] = date.fromisoformat(row["standard_until"])
