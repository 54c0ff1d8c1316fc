"""How a plan's figures are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from costs.amounts import Range, rounded, written

DASH, MINUS = "–", "−"


def plain(value: Decimal) -> str:
    """A decimal as JSON carries it: to a millionth of a dollar, without an exponent."""
    digits = f"{rounded(value, 6):f}".rstrip("0").rstrip(".")
    return "0" if digits in ("-0", "") else digits


def span(value: Range) -> dict[str, str]:
    """A range as JSON carries it; with what is expected where the two ends differ and somebody can say."""
    ends = {"low": plain(value.low), "high": plain(value.high)}
    return ends if value.exact or value.expected is None else {**ends, "expected": plain(value.expected)}


def usd(value: Range, digits: int = 2) -> str:
    """Dollars with cents; what is not nothing, but rounds to it, says so."""
    if value.high and not rounded(value.high, digits):
        return f"<{Decimal(1).scaleb(-digits)}"
    places = digits if value.high or value.low else 2
    return written(value, lambda figure: f"{rounded(figure, places):,}", f" {DASH} ")


def signed(value: Range, digits: int = 2) -> str:
    """A difference in dollars, with its sign; empty where there is none."""
    if not rounded(value.low, digits) and not rounded(value.high, digits):
        return ""
    return written(value, lambda figure: _signed(rounded(figure, digits)), f" {DASH} ")


def _signed(figure: Decimal) -> str:
    return f"{'+' if figure > 0 else MINUS if figure else ''}{abs(figure):,}"


def quantity(value: Range) -> str:
    """An amount, with as many digits as matter."""
    ends = Range(value.low, value.high)  # what is expected is said of the dollars
    return written(ends, _short, f" {DASH} ")


def _short(value: Decimal) -> str:
    if value == value.to_integral_value():
        return f"{value.to_integral_value():,}"
    return f"{rounded(value, 4 if abs(value) < 1 else 2):,f}".rstrip("0").rstrip(".")


def share(part: Decimal, whole: Decimal) -> Any:
    """Percent of a whole for a bar's length; all of it where the part is larger."""
    return min(100.0, float(rounded(part / whole * 100, 1))) if whole else 0.0
