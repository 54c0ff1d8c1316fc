"""Money and quantities: a Decimal where a figure is known, a Range where it is not.

What is not known for certain (a spot price, a value that a preview cannot know, traffic) stays a Range to the end:
nothing is guessed silently, and nothing is rounded before it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
Number = int | float | str | Decimal


def decimal(value: Number) -> Decimal:
    """A number as it is written, never through a float's binary form. Raises ValueError unless it is finite."""
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value} is no finite number")
    return number


def cents(usd: Decimal) -> Decimal:
    """Rounded to the cent, half a cent up, as bills are."""
    return usd.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included; one value where they are the same."""

    low: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"{self.low} is above {self.high}")

    @classmethod
    def of(cls, low: Number, high: Number | None = None) -> Range:
        """`low` to `high`, or `low` alone."""
        return cls(decimal(low), decimal(low if high is None else high))

    @property
    def exact(self) -> bool:
        """Whether it is one value."""
        return self.low == self.high

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range | Decimal | int) -> Range:
        """Of ranges of 0 or more."""
        by = other if isinstance(other, Range) else Range.of(other)
        return Range(self.low * by.low, self.high * by.high)

    def __truediv__(self, by: Decimal | int) -> Range:
        return Range(self.low / by, self.high / by)


NOTHING, ONE = Range.of(0), Range.of(1)
