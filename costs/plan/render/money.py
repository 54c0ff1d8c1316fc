"""How figures are written: rounded here and nowhere before."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from costs.amounts import Range, cents

MICRO = Decimal("0.000001")
DASH, MINUS = "–", "−"


def plain(value: Decimal) -> str:
    """A decimal as JSON carries it: to a millionth of a dollar, without an exponent."""
    digits = f"{value.quantize(MICRO):f}".rstrip("0").rstrip(".")
    return "0" if digits in ("-0", "") else digits


def span(value: Range) -> dict[str, str]:
    """A range as JSON carries it; with what is expected where the two ends differ and somebody can say."""
    ends = {"low": plain(value.low), "high": plain(value.high)}
    return ends if value.exact or value.expected is None else {**ends, "expected": plain(value.expected)}


def _rounded(value: Decimal, digits: int) -> Decimal:
    return cents(value) if digits == 2 else value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _span(value: Range, digits: int, word: Callable[[Decimal], str], nothing: str) -> str:
    """One figure where both ends round to it; else the ends, after what is expected of them."""
    low, high = _rounded(value.low, digits), _rounded(value.high, digits)
    if low == high:
        return word(high)
    ends = f"{word(low) or nothing} {DASH} {word(high) or nothing}"
    return ends if value.expected is None else f"{word(_rounded(value.expected, digits)) or nothing} ({ends})"


def usd(value: Range, digits: int = 2) -> str:
    """Dollars with cents; what is not nothing, but rounds to it, says so."""
    if value.high and not _rounded(value.high, digits):
        return f"<{Decimal(1).scaleb(-digits)}"
    return _span(value, digits if value.high or value.low else 2, "{:,}".format, "")


def signed(value: Range, digits: int = 2) -> str:
    """A difference in dollars, with its sign; nothing where there is none."""
    return _span(value, digits, _signed, str(Decimal(0).quantize(Decimal(1).scaleb(-digits))))


def _signed(value: Decimal) -> str:
    return "" if not value else f"{'+' if value > 0 else MINUS}{abs(value):,}"


def quantity(value: Range) -> str:
    """An amount, with as many digits as matter."""
    low, high = _short(value.low), _short(value.high)
    return low if low == high else f"{low} {DASH} {high}"


def _short(value: Decimal) -> str:
    if value == value.to_integral_value():
        return f"{value.to_integral_value():,}"
    digits = 4 if abs(value) < 1 else 2
    return f"{value.quantize(Decimal(1).scaleb(-digits)):,f}".rstrip("0").rstrip(".")


def share(part: Decimal, whole: Decimal) -> Any:
    """Percent of a whole for a bar's length; all of it where the part is larger."""
    return min(100.0, float(round(part / whole * 100, 1))) if whole else 0.0
