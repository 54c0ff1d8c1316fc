"""Ranges: sums, products and changes, with what is expected where all parts can say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.amounts import NOTHING, Range, legible

FIGURES = st.decimals(0, 10**6, places=4)


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    low, expected, high = sorted(draw(st.tuples(FIGURES, FIGURES, FIGURES)))
    return Range(low, high, draw(st.sampled_from([expected, None])))


def test_one_value_is_what_is_expected() -> None:
    assert Range.of(3).expected == 3 and Range.of(1, 3).expected is None
    assert Range.of(1, 3).around(Decimal(2)) == Range(Decimal(1), Decimal(3), Decimal(2))
    assert Range.of(1, 3).around(Decimal(9)).expected == 3 and Range.of(1, 3).around(None).expected is None


def test_what_is_expected_outside_of_the_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="4 is not between 1 and 3"):
        Range(Decimal(1), Decimal(3), Decimal(4))


@given(ranges(), ranges())
def test_arithmetic_carries_what_is_expected_where_all_parts_have_it(left: Range, right: Range) -> None:
    known = None not in (left.expected, right.expected)
    for result in (left + right, left * right, left.since(right)):
        assert (result.expected is not None) == (known or result.exact)
        if result.expected is not None:
            assert result.low <= result.expected <= result.high
    if known:
        assert (left + right).expected == left.expected + right.expected  # type: ignore[operator]
        assert (left * 2).expected == left.expected * 2 and (left + NOTHING).expected == left.expected  # type: ignore[operator]


def test_a_change_holds_what_is_unknown_on_both_sides_once() -> None:
    was, now = Range.of(1, 10), Range.of(3, 12)
    assert now.since(was) == Range.of(2)
    assert Range.of(0, 10).around(Decimal(8)).since(Range.of(0, 10).around(Decimal(5))) == Range(
        Decimal(0), Decimal(3), Decimal(3)
    )


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("12.345", "12.35"),
        ("0", "0.00"),
        ("0.0001", "0.0001"),
        ("0.00012345", "0.00012"),
        ("0.0051", "0.0051"),
        ("0.05", "0.05"),
        ("0.0996", "0.10"),
        ("0.104", "0.10"),
        ("-0.0123", "-0.012"),
        ("0.0000000000055", "0.00"),
        ("0.0000266", "0.000027"),
    ],
)
def test_small_figures_keep_two_digits_and_get_no_more(usd: str, text: str) -> None:
    assert f"{legible(Decimal(usd)):f}" == text
