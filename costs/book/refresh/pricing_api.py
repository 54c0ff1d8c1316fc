"""What AWS's price list says: products as `GetProducts` answers them, read strictly, and one price out of each.

An entry of `PriceList` is a JSON text with the product's attributes and its terms; a term's price dimensions are tiers
with `beginRange` and `endRange`. A price is the first tier that costs anything: free tiers belong to an account, and
the price book leaves them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from costs.book.price_list import Wanted
from shoestring.base.paths import rows

# The book's units → what AWS calls them, and how many of AWS's they are. Another unit is refused, not converted.
UNITS = {
    row["unit"]: (tuple(row["names"].split("|")), Decimal(row["factor"]))
    for row in rows(Path(__file__).with_name("units.csv"))
}
HOME = "us-east-1"  # the price list is asked there, whatever region the prices are of


class _Dimension(BaseModel):
    unit: str
    begin: Decimal = Field(Decimal(0), alias="beginRange")
    usd: dict[str, Decimal] = Field(alias="pricePerUnit")


class _Term(BaseModel):
    dimensions: dict[str, _Dimension] = Field(alias="priceDimensions")


class _Terms(BaseModel):
    on_demand: dict[str, _Term] = Field({}, alias="OnDemand")


class _Description(BaseModel):
    sku: str
    family: str = Field("", alias="productFamily")
    attributes: dict[str, str]

    @property
    def facts(self) -> dict[str, str]:
        """All that it can be told by."""
        return {"productFamily": self.family, **self.attributes}


class Product(BaseModel):
    """One entry of a price list."""

    product: _Description
    terms: _Terms
    published: str = Field("", alias="publicationDate")


@dataclass(frozen=True)
class Candidate:
    """A price that may be an item's."""

    usd: Decimal
    unit: str
    note: str
    sku: str
    published: str


@dataclass
class Reading:
    """What a service's products came to: rows for the price book, and by name what no price was found for, and why."""

    rows: list[dict[str, Any]]
    left: dict[str, str]


def parse(entries: Iterable[str]) -> tuple[list[Product], dict[str, str]]:
    """The products of a price list, and what could not be read: by SKU where it has one."""
    products, bad = [], {}
    for number, entry in enumerate(entries, 1):
        try:
            products.append(Product.model_validate_json(entry))
        except ValidationError as error:
            sku = re.search(r'"sku"\s*:\s*"(\w+)"', str(entry))
            why = error.errors()[0]
            name = f"product {sku[1]}" if sku else f"product number {number}"
            bad[name] = f"malformed: {': '.join([*('.'.join(map(str, why['loc'])),) * bool(why['loc']), why['msg']])}"
    return products, bad


def _candidates(product: Product, wanted: Wanted) -> Iterator[Candidate]:
    """Each on-demand term's price of one of the book's units. Raises ValueError where there is none in US dollars."""
    names, factor = UNITS[wanted.unit]
    for term in product.terms.on_demand.values():
        tiers = sorted(term.dimensions.values(), key=lambda tier: tier.begin)
        if units := {tier.unit for tier in tiers} - set(names):
            raise ValueError(f"priced for each {', '.join(sorted(units))}, expected {' or '.join(names)}")
        if any("USD" not in tier.usd for tier in tiers):
            raise ValueError(f"priced in {', '.join(sorted({money for tier in tiers for money in tier.usd}))}, not USD")
        paid = next((tier for tier in tiers if tier.usd["USD"]), None)
        if paid is None or not paid.usd["USD"].is_finite() or paid.usd["USD"] < 0:
            raise ValueError("no price above 0")
        note = f"first of {len(tiers)} tiers" if len(tiers) > 1 and paid is tiers[0] else ""
        note = f"above {paid.begin.normalize():f} {paid.unit}" if paid is not tiers[0] else note
        yield Candidate(paid.usd["USD"] * factor, wanted.unit, note, product.product.sku, product.published[:10])


def read(products: Iterable[Product], wanted: Iterable[Wanted]) -> Reading:
    """One price for each item that is wanted and found; an item with several different ones gets none, and is named."""
    candidates: dict[str, dict[tuple[Decimal, str], Candidate]] = {}
    left: dict[str, str] = {}
    rules = list(wanted)
    for product in products:
        for rule in rules:
            if (item := rule.name(product.product.facts)) is None:
                continue
            try:
                for candidate in _candidates(product, rule):
                    same = candidate.usd.normalize(), candidate.unit
                    candidates.setdefault(item, {}).setdefault(same, candidate)
            except ValueError as error:
                left[item] = f"product {product.product.sku}: {error}"
    priced = []
    for item, prices in sorted(candidates.items()):
        if len(prices) > 1:
            several = ", ".join(f"{price.usd.normalize():f} (product {price.sku})" for price in prices.values())
            left[item] = f"{len(prices)} prices: {several}"
        else:
            (only,) = prices.values()
            left.pop(item, None)
            published = f", published {only.published}" if only.published else ""
            priced.append({"item": item, "unit": only.unit, "usd": f"{only.usd.normalize():f}", "note": only.note,
                           "source": f"AWS Pricing API{published}, product {only.sku}"})  # fmt: skip
    return Reading(priced, left)


def products_of(client: Any, code: str, region: str, filters: Mapping[str, str]) -> list[str]:
    """All entries of a service's price list in a region that match, page by page."""
    wanted = {"regionCode": region, **filters}
    terms = [{"Type": "TERM_MATCH", "Field": key, "Value": value} for key, value in wanted.items()]
    pages = client.get_paginator("get_products").paginate(ServiceCode=code, Filters=terms)
    return [entry for page in pages for entry in page["PriceList"]]
