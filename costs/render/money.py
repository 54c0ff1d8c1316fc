"""How figures are written: rounded here and nowhere before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from costs.charges import Range, cents

MICRO = Decimal("0.000001")
DASH, MINUS = "–", "−"


def plain(value: Decimal) -> str:
    """A decimal as JSON carries it: to a millionth of a dollar, without an exponent."""
    text = f"{value.quantize(MICRO):f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def span(value: Range) -> dict[str, str]:
    """A range as JSON carries it."""
    return {"low": plain(value.low), "high": plain(value.high)}


def _cents(value: Decimal) -> str:
    return f"{cents(value):,}"


def usd(value: Range) -> str:
    """Dollars with cents; two of them where it is a range; what is not nothing, but below half a cent, says so."""
    if not value.high and not value.low:
        return "0.00"
    low, high = _cents(value.low), _cents(value.high)
    if low == high:
        return "<0.01" if high == "0.00" else high
    return f"{low} {DASH} {high}"


def signed(value: Range) -> str:
    """A difference in dollars, with its sign; nothing where there is none."""
    low, high = _signed(value.low), _signed(value.high)
    return low if low == high else f"{low or '0.00'} {DASH} {high or '0.00'}"


def _signed(value: Decimal) -> str:
    rounded = cents(value)
    return "" if not rounded else f"{'+' if rounded > 0 else MINUS}{abs(rounded):,}"


def quantity(value: Range) -> str:
    """An amount, with as many digits as matter."""
    low, high = _short(value.low), _short(value.high)
    return low if low == high else f"{low} {DASH} {high}"


def _short(value: Decimal) -> str:
    if value == value.to_integral_value():
        return f"{value.to_integral_value():,}"
    digits = 4 if abs(value) < 1 else 2
    return f"{value.quantize(Decimal(1).scaleb(-digits)):,f}".rstrip("0").rstrip(".")


def price(value: Decimal) -> str:
    """A price of one unit, as it is listed."""
    text = f"{value:f}"
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"


def share(part: Decimal, whole: Decimal) -> Any:
    """Percent of a whole for a bar's length."""
    return float(round(part / whole * 100, 1)) if whole else 0.0
