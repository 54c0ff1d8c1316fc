"""A spot price is a range between what is known and what AWS promises, and says where it comes from."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.book.price import Price, UnknownPrice
from costs.book.prices import PriceBook
from costs.book.refresh.spot_history import rates
from costs.book.spot import CATALOGUE as CATALOGUE_FILE
from costs.book.spot import Observed, catalogue
from shoestring.base.paths import rows

DAY = date(2026, 11, 25)
prices = st.decimals("0.0001", "100", places=4)


def book(ec2: Decimal, sagemaker: Decimal, low: Decimal, high: Decimal) -> PriceBook:
    listed = [
        Price("ec2", "g9.large", "us-east-1", "hour", ec2, "", "s", DAY),
        Price("sagemaker-training", "ml.g9.large", "us-east-1", "hour", sagemaker, "", "s", DAY),
    ]
    return PriceBook(listed, [Observed("g9.large", "us-east-1", low, high, "history", DAY)])


def test_where_nothing_was_seen_the_range_is_the_advertised_one():
    spot = PriceBook.load().spot("sagemaker-training", "ml.p3.8xlarge")
    assert (spot.low, spot.high) == (Decimal("1.4688"), Decimal("14.688"))
    assert (spot.saving_low, spot.saving_high) == (0, Decimal("0.9"))
    assert spot.source == "no spot price is known: AWS advertises up to 90 % off, and never asks more than on demand"
    assert spot.interruption is None and spot.likely is None and not spot.observed


CATALOGUE = "SkyPilot's catalogue 00148f2, January to April 2026"


@pytest.mark.parametrize(
    ("item", "region", "low", "likely", "high", "zone"),
    [
        ("g4dn.xlarge", "us-east-1", "0.2000", "0.2039", "0.2158", "use1-az4"),
        ("g6.xlarge", "us-east-1", "0.3490", "0.38205", "0.4011", "use1-az2 and use1-az6"),  # the two in the middle
        ("p3.2xlarge", "us-east-1", "0.3707", "0.3941", "0.4281", "use1-az6 and use1-az5"),  # zones without a price
    ],
)
def test_the_catalogue_says_what_the_median_zone_asks(item, region, low, likely, high, zone):
    spot = PriceBook.load().spot("ec2", item, region)
    assert (spot.low, spot.likely, spot.high) == (Decimal(low), Decimal(likely), Decimal(high))
    assert spot.source == f"{CATALOGUE}, median zone {zone}" and spot.stale(date(2026, 11, 27))
    # months later it says what to expect, and no longer the bounds
    later, then = spot.bounds(date(2026, 11, 27)), spot.bounds(spot.as_of)
    assert (later.low, later.likely, later.high) == (spot.on_demand.usd / 10, spot.likely, spot.on_demand.usd)
    assert (then.low, then.likely, then.high) == (spot.low, spot.likely, spot.high)


def test_the_catalogue_and_the_table_agree_on_prices_on_demand():
    prices, _ = catalogue()
    book = PriceBook.load()
    listed = {price.item: price.usd for price in prices if price.region == "us-east-1"}
    assert len(listed) == 24
    assert {item: book.price("ec2", item).usd for item in listed} == listed
    assert {
        row["zone"] for row in rows(CATALOGUE_FILE) if row["zone"].count("-") > 1
    }  # Local Zones, which are left out
    assert all(zone.count("-") == 1 for each in catalogue()[1] for zone in each.zone.split(" and "))


def test_other_regions_have_prices_of_their_own():
    book = PriceBook.load()
    assert book.regions("ec2", "g5.xlarge") == ["eu-central-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2"]
    price = book.price("ec2", "g5.xlarge", "eu-central-1")
    assert (price.usd, price.source) == (Decimal("1.258"), CATALOGUE)
    with pytest.raises(UnknownPrice):
        book.price("ec2", "g6.xlarge", "eu-west-1")  # which the catalogue has not


def test_sagemakers_spot_is_assumed_to_be_as_ec2s():
    book = PriceBook.load()
    ec2, sagemaker = book.spot("ec2", "m5.large"), book.spot("sagemaker-training", "ml.m5.large")
    assert sagemaker.share.likely == ec2.share.likely == Decimal("0.0375") / Decimal("0.096")
    assert sagemaker.source == f"{ec2.source}; as EC2's, assumed"


@given(ec2=prices, sagemaker=prices, one=prices, other=prices)
def test_share_and_savings_belong_together(ec2, sagemaker, one, other):
    low, high = sorted((one, other))
    found = book(ec2, sagemaker, low, high)
    spot = found.spot("ec2", "g9.large")
    assert (spot.low, spot.high) == (low, high)
    assert spot.saving_low == 1 - spot.share.high <= spot.saving_high == 1 - spot.share.low
    same = found.spot("sagemaker-training", "ml.g9.large")
    for mine, theirs in ((same.share.low, spot.share.low), (same.share.high, spot.share.high)):
        assert mine == pytest.approx(theirs, rel=Decimal("1e-20"))
    assert same.source == "history; as EC2's, assumed"


def test_history_of_an_item_without_a_list_price_is_no_price():
    found = PriceBook([], [Observed("g9.large", "us-east-1", Decimal(1), Decimal(2), "history", DAY)])
    with pytest.raises(UnknownPrice):
        found.spot("ec2", "g9.large")


def test_interruptions_stand_beside_either_range():
    taken = Observed("g4dn.xlarge", "us-east-1", Decimal("0.05"), Decimal("0.1"), "advisor", DAY)
    spot = PriceBook(PriceBook.load(), (), [taken]).spot("sagemaker-training", "ml.g4dn.xlarge")
    assert spot.interruption == (Decimal("0.05"), Decimal("0.1")) and spot.interruption_source == "advisor"
    assert "advertises" in spot.source


def test_history_is_stale_after_a_week_and_the_advertised_range_with_its_list_price():
    seen = book(Decimal(1), Decimal(1), Decimal("0.2"), Decimal("0.3")).spot("ec2", "g9.large")
    assert not seen.stale(DAY + timedelta(days=7)) and seen.stale(DAY + timedelta(days=8))
    told = PriceBook.load().spot("ec2", "p3.8xlarge")
    assert not told.stale(told.as_of + timedelta(days=365)) and told.stale(told.as_of + timedelta(days=366))


@pytest.mark.parametrize(
    ("label", "low", "high"),
    [("<5%", "0", "0.05"), ("5-10%", "0.05", "0.1"), ("15-20%", "0.15", "0.2"), (">20%", "0.2", "1")],
)
def test_labels_of_the_spot_advisor_are_shares(label, low, high):
    advised = {"ranges": [{"index": 7, "label": label}], "spot_advisor": {"r": {"Linux": {"a": {"s": 1, "r": 7}}}}}
    (row,) = rates(advised, "r", ["a"]).rows
    assert (Decimal(row["low"]), Decimal(row["high"])) == (Decimal(low), Decimal(high))


def test_region_that_the_spot_advisor_lacks_is_named():
    found = rates({"ranges": [], "spot_advisor": {}}, "mars-1", ["a"])
    assert not found.rows and found.left == {"a": "the Spot Advisor has no mars-1"}
