"""Charts as plain SVG: where each mark stands; the marks are in the templates, their colours in the page's style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from costs.report.analysis import Day, Item
from costs.report.names import short
from costs.report.template import fill

WIDTH, HEIGHT = 720, 276
TOP, BOTTOM = 18, 56
SIGN = 12  # room for each sign of a text, at the size that a phone's page gives it (21 of these units)
MARGIN, LIMIT_MARGIN = 8, 86  # on the right; the limit's figure stands beside its line
FIGURE, LEAST = 118, Decimal("1.5")  # room for the dollars behind a bar, and the least of a bar itself
STEPS = tuple(Decimal(step) for step in ("1", "2", "2.5", "5", "10"))


@dataclass(frozen=True)
class Scale:
    """Dollars to pixels: from 0 to a round number above the largest."""

    top: Decimal
    step: Decimal

    def y(self, usd: Decimal) -> Decimal:
        """The height of `usd` on the page, from above."""
        room = HEIGHT - TOP - BOTTOM
        return TOP + room * (1 - max(Decimal(0), min(usd, self.top)) / self.top)

    @property
    def ticks(self) -> list[Decimal]:
        """The round numbers from 0 to the top."""
        return [self.step * number for number in range(int(self.top / self.step) + 1)]

    def label(self, tick: Decimal) -> str:
        """A tick in dollars, with the decimals that the step needs."""
        places = max(0, -self.step.normalize().as_tuple().exponent)  # type: ignore[operator]
        return f"${tick:,.{max(places, 2) if places else 0}f}"


def scale(largest: Decimal, lines: int = 4) -> Scale:
    """Room for `largest`, with some `lines` at round numbers."""
    if largest <= 0:
        return Scale(Decimal(1), Decimal("0.25"))
    raw = largest / lines
    power = Decimal(1).scaleb(raw.adjusted())
    step = next(step * power for step in STEPS if step * power >= raw)
    count = (largest / step).to_integral_value(ROUND_CEILING)
    return Scale(step * count, step)


def daily(days: Sequence[Day], budget_a_day: Decimal | None) -> str:
    """A bar for each day, the same weekday before as an outline, and what the limit allows for a day as a line."""
    largest = max([*(day.usd for day in days), *(day.before_usd for day in days), Decimal(0)])
    limit = budget_a_day if budget_a_day and budget_a_day <= 4 * largest else None
    right = WIDTH - (LIMIT_MARGIN if limit else MARGIN)
    axis = scale(max(largest, limit or Decimal(0)))
    left = 14 + SIGN * max(len(axis.label(tick)) for tick in axis.ticks)
    slot = Decimal(right - left) / len(days)
    return fill(
        "daily.svg.j2",
        days=days,
        limit=limit,
        axis=axis,
        width=WIDTH,
        height=HEIGHT,
        left=left,
        right=right,
        slot=slot,
        bar=min(slot * Decimal("0.62"), Decimal(64)),
        every=-(-len(days) // 7),  # a label for each day while there is room
    )


def breakdown(items: Sequence[Item], most: int = 8) -> str:
    """Services as bars beside each other, the smallest gathered in one; last period as a tick on each bar."""
    shown = [(item.name, item.usd, item.before_usd) for item in items if item.usd > 0]
    if len(shown) > most:
        rest = shown[most - 1 :]
        others = sum((usd for _, usd, _ in rest), Decimal(0)), sum((before for _, _, before in rest), Decimal(0))
        shown = [*shown[: most - 1], (f"{len(rest)} others", *others)]
    label = 18 + max([len(short(name)) for name, *_ in shown], default=0) * SIGN
    largest = max([max(usd, before) for _, usd, before in shown], default=Decimal(0)) or Decimal(1)
    dollar = (WIDTH - label - FIGURE) / largest
    return fill("breakdown.svg.j2", bars=shown, width=WIDTH, row=30, label=label, dollar=dollar, least=LEAST)
