"""Every price has a source and a date; an unknown one is an error that names the item."""

from __future__ import annotations

from decimal import Decimal

import pytest

from costs.prices import TABLE, PriceBook, UnknownPrice


def test_table_is_read_exactly():
    book = PriceBook.load()
    assert len(book) == len(TABLE.read_text().splitlines()) - 1
    price = book.price("ec2", "t4g.small")
    assert (price.usd, price.unit) == (Decimal("0.0168"), "hour")
    assert price.source and price.as_of.year == 2026


@pytest.mark.parametrize(
    ("service", "item", "region", "hint"),
    [
        ("ec2", "t4g.smal", "us-east-1", "t4g.small"),
        ("ec2", "t4g.small", "eu-west-9", "no price of ec2 is known in eu-west-9"),
        ("warp", "drive", "us-east-1", "no price of warp"),
    ],
)
def test_unknown_price_names_the_item_and_what_comes_near(service, item, region, hint):
    with pytest.raises(UnknownPrice) as raised:
        PriceBook.load().price(service, item, region)
    assert f"{service} {item} in {region}" in str(raised.value)
    assert hint in str(raised.value)


def test_every_bad_line_is_listed(tmp_path):
    table = tmp_path / "prices.csv"
    table.write_text("service,item,region,unit,usd,note\nec2,a,r,hour,free,\nec2,b,r,hour,0.1,\nec2,c,r,hour,-1,\n")
    with pytest.raises(ValueError, match=r"(?s)prices.csv:2: usd is 'free'.*prices.csv:4: usd is '-1'"):
        PriceBook.load(table)


def test_two_prices_for_one_item_are_refused(tmp_path):
    table = tmp_path / "prices.csv"
    table.write_text("service,item,region,unit,usd,note\nec2,a,r,hour,1,\nec2,a,r,hour,2,\n")
    with pytest.raises(ValueError, match="two prices for ec2 a r"):
        PriceBook.load(table)


def test_wrong_columns_are_named(tmp_path):
    table = tmp_path / "prices.csv"
    table.write_text("item,usd\na,1\n")
    with pytest.raises(ValueError, match="expected"):
        PriceBook.load(table)
