"""Which products of AWS's price list are the items of the price book, service by service: `products.csv`.

Its rows with the same service, code and filters are one query; each of the filters (`a=1;b=2`, the next after a `|`) is
one paginated request. What the price list does not have by region, or not under a unit that can be told apart (budgets,
Cost Explorer, Route 53, dashboards, parameters), is not there and stays as the shipped table has it. `is_read` says
which items are there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shoestring.base.paths import rows

REGION_PREFIX = r"(?:EU-|[A-Z]{2,4}\d-|[a-z]{2}(?:-[a-z]+)+-\d-)?"  # of a usage type: EUC1-BoxUsage:m5.large
TYPE = re.compile(r"\(\?P<type>(.+)\)$")  # the group at the end of a usage type that an item's `{type}` stands for


@dataclass(frozen=True)
class Wanted:
    """How an item of the price book is known among the products, and its unit.

    Args:
        item: its name; `{type}` stands for the group of that name in `usage`.
        usage: a pattern for the whole usage type, without the region's prefix.
        unit: the book's.
        where: attributes (`productFamily` among them) and the values that they must have.
    """

    item: str
    usage: str
    unit: str
    where: Mapping[str, str]

    def name(self, attributes: Mapping[str, str]) -> str | None:
        """The name of the item that a product with these attributes is; None where it is another."""
        usage = re.fullmatch(REGION_PREFIX + self.usage, attributes.get("usagetype", ""))
        if not usage or any(attributes.get(key) != value for key, value in self.where.items()):
            return None
        return self.item.format(**usage.groupdict())

    def names(self, item: str) -> bool:
        """Whether some product may be this item; `db.t4g.micro-*` is any item that begins so."""
        types = TYPE.search(self.usage)
        if item.endswith("*"):
            return types is not None or self.item.startswith(item[:-1])
        return re.fullmatch(re.escape(self.item).replace(r"\{type\}", types[1] if types else ""), item) is not None


@dataclass(frozen=True)
class Query:
    """A service code of the price list, the filters of each request, and what is wanted of the answers."""

    code: str
    filters: list[Mapping[str, str]]
    wanted: list[Wanted]


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in text.split(";") if pair)


def _queries() -> dict[str, list[Query]]:
    services: dict[str, dict[tuple[str, str], Query]] = defaultdict(dict)
    for row in rows(Path(__file__).with_name("products.csv")):
        code, filters = row["code"], row["filters"]
        query = services[row["service"]].setdefault(
            (code, filters), Query(code, [_pairs(text) for text in filters.split("|")], [])
        )
        query.wanted.append(Wanted(row["item"], row["usage"], row["unit"], _pairs(row["where"])))
    return {service: list(queries.values()) for service, queries in services.items()}


QUERIES = _queries()


def is_read(service: str, item: str) -> bool:
    """Whether a refresh asks for an item of the price book; of any service where `service` is empty."""
    queries = QUERIES.get(service, []) if service else [query for queries in QUERIES.values() for query in queries]
    return any(wanted.names(item) for query in queries for wanted in query.wanted)
