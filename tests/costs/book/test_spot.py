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
from costs.book.spot import Observed

DAY = date(2026, 11, 25)
prices = st.decimals("0.0001", "100", places=4)


def book(ec2: Decimal, sagemaker: Decimal, low: Decimal, high: Decimal) -> PriceBook:
    listed = [
        Price("ec2", "g9.large", "us-east-1", "hour", ec2, "", "s", DAY),
        Price("sagemaker-training", "ml.g9.large", "us-east-1", "hour", sagemaker, "", "s", DAY),
    ]
    return PriceBook(listed, [Observed("g9.large", "us-east-1", low, high, "history", DAY)])


def test_without_a_history_the_range_is_the_advertised_one():
    spot = PriceBook.load().spot("sagemaker-training", "ml.g4dn.xlarge")
    assert (spot.low, spot.high) == (Decimal("0.07364"), Decimal("0.7364"))
    assert (spot.saving_low, spot.saving_high) == (0, Decimal("0.9"))
    assert spot.source == "AWS advertises up to 90 % off; never above on demand"
    assert spot.interruption is None and not spot.observed


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
    assert "SageMaker publishes no spot price" in same.source


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
    told = PriceBook.load().spot("ec2", "g4dn.xlarge")
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
