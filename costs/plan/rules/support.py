"""Until when each version of a product is in standard support (`support.csv`): from then on it is billed more."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path


def _table() -> dict[str, dict[str, date]]:
    table: dict[str, dict[str, date]] = defaultdict(dict)
    with Path(__file__).with_name("support.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            table[row["product"]][row["version"]] = date.fromisoformat(row["standard_until"])
    return dict(table)


SUPPORT: Mapping[str, Mapping[str, date]] = _table()
