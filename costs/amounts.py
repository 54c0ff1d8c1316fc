"""Money and quantities: a Decimal where a figure is known, a Range where it is not.

What is not known for certain (a spot price, a value that a preview cannot know, traffic) stays a Range to the end:
nothing is guessed silently, and nothing is rounded before it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

TWO_DIGITS = Context(prec=2, rounding=ROUND_HALF_UP)
CENT, MILLIONTH = Decimal("0.01"), Decimal("0.000001")
THOUSAND, MILLION = Decimal(1_000), Decimal(1_000_000)
Number = int | float | str | Decimal


def decimal(value: Number) -> Decimal:
    """A number as it is written, never through a float's binary form. Raises ValueError unless it is finite."""
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value} is no finite number")
    return number


def rounded(amount: Decimal, digits: int) -> Decimal:
    """With so many digits behind the point, half of the last one up: the one way in which amounts are rounded."""
    return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def cents(usd: Decimal) -> Decimal:
    """Rounded to the cent, as bills are."""
    return rounded(usd, 2)


def legible(usd: Decimal) -> Decimal:
    """Rounded as people are shown it: to the cent; below ten cents to two digits that say something, so that a part of
    a small bill can be told from the whole; nothing below a millionth."""
    if abs(usd) >= 10 * CENT:
        return cents(usd)
    return Decimal(listed(rounded(TWO_DIGITS.create_decimal(usd), 6)))


def dollars(usd: Decimal) -> str:
    """A figure in a text or a report, rounded as people are shown it."""
    figure, sign = legible(abs(usd)), "-" if usd < 0 else ""
    return f"{sign}${figure:,f}" if figure or not usd else f"{sign}<${MILLIONTH:f}"


def listed(usd: Decimal) -> str:
    """A price of one unit as it is listed, with cents at the least; what is endless ends at a millionth."""
    whole, _, part = f"{usd:f}".partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part.ljust(2, '0')}" if len(part) <= 10 else f"{usd:.6f}"


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both included; one value where they are the same.

    `likely` is the figure to go by between two bounds, and None where nobody can name one. A sum or a product has one
    where all of its parts have, a single value being what is expected of itself.
    """

    low: Decimal
    high: Decimal
    likely: Decimal | None = None

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"{self.low} is above {self.high}")
        if self.likely is not None:
            if not self.low <= self.likely <= self.high:
                raise ValueError(f"{self.likely} is not between {self.low} and {self.high}")
            if self.low == self.high:
                object.__setattr__(self, "likely", None)

    @property
    def expected(self) -> Decimal | None:
        """The one value, or what is likely; None where nobody can say."""
        return self.low if self.low == self.high else self.likely

    @classmethod
    def of(cls, low: Number, high: Number | None = None) -> Range:
        """`low` to `high`, or `low` alone."""
        return cls(decimal(low), decimal(low if high is None else high))

    @classmethod
    def spanning(cls, ranges: Iterable[Range]) -> Range:
        """What one of several ranges may be, nobody knows which. Raises ValueError where there is none."""
        lows, highs = zip(*((each.low, each.high) for each in ranges), strict=True)
        return cls(min(lows), max(highs))

    @property
    def exact(self) -> bool:
        """Whether it is one value."""
        return self.low == self.high

    @property
    def maybe(self) -> Range:
        """From nothing at all to the most of it."""
        return Range(Decimal(0), self.high)

    def map(self, change: Callable[[Decimal], Decimal]) -> Range:
        """Each of its figures changed, by what keeps their order."""
        return Range(change(self.low), change(self.high), None if self.likely is None else change(self.likely))

    def around(self, expected: Decimal | None) -> Range:
        """The same bounds, with what is expected between them: the nearer bound where it lies outside."""
        return Range(self.low, self.high, None if expected is None else min(max(expected, self.low), self.high))

    def __add__(self, other: Range) -> Range:
        low, high = self.low + other.low, self.high + other.high
        if low == high or (expected := self.expected) is None or (more := other.expected) is None:
            return Range(low, high)
        return Range(low, high, expected + more)

    def __mul__(self, other: Range | Decimal | int) -> Range:
        """Of ranges of 0 or more."""
        by = other if isinstance(other, Range) else Range.of(other)
        low, high = self.low * by.low, self.high * by.high
        if low == high or (expected := self.expected) is None or (times := by.expected) is None:
            return Range(low, high)
        return Range(low, high, expected * times)

    def __truediv__(self, by: Decimal | int) -> Range:
        return self.map(lambda amount: amount / by)

    def between(self, start: Decimal, end: Decimal | None = None) -> Range:
        """How much of it lies between two marks."""
        return self.map(lambda amount: max((amount if end is None else min(amount, end)) - start, Decimal(0)))

    def above(self, other: Range) -> Range:
        """How much more than another it is; nothing where it is less."""
        low, high = max(self.low - other.high, Decimal(0)), max(self.high - other.low, Decimal(0))
        if self.expected is None or other.expected is None:
            return Range(low, high)
        return Range(low, high).around(self.expected - other.expected)

    def since(self, before: Range) -> Range:
        """The change from `before`, end by end: what is unknown in both of them does not count twice."""
        ends = [self.low - before.low, self.high - before.high]
        if self.expected is None or before.expected is None:
            return Range(min(ends), max(ends))
        expected = self.expected - before.expected
        return Range(min(*ends, expected), max(*ends, expected), expected)


def written(amount: Range, word: Callable[[Decimal], str] = dollars, between: str = " to ") -> str:
    """An amount in a text: one figure where both ends read alike; else the ends, after what is expected of them."""
    low, high = word(amount.low), word(amount.high)
    if low == high:
        return high
    ends = f"{low}{between}{high}"
    return ends if amount.expected is None else f"{word(amount.expected)} ({ends})"


NOTHING, ONE = Range.of(0), Range.of(1)
