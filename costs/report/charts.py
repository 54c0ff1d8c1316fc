"""Charts as plain SVG: small pure functions from figures to marks; colours come from the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from html import escape

from costs.report.analysis import Day, Item, dollars
from costs.report.names import short

WIDTH, HEIGHT = 720, 260
LEFT, TOP, BOTTOM = 58, 18, 40
MARGIN, LIMIT_MARGIN = 8, 86  # on the right; the limit's figure stands beside its line
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


def scale(largest: Decimal, lines: int = 4) -> Scale:
    """Room for `largest`, with some `lines` at round numbers."""
    if largest <= 0:
        return Scale(Decimal(1), Decimal("0.25"))
    raw = largest / lines
    power = Decimal(1).scaleb(raw.adjusted())
    step = next(step * power for step in STEPS if step * power >= raw)
    count = (largest / step).to_integral_value(ROUND_CEILING)
    return Scale(step * count, step)


def _number(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.1')):f}"


def daily(days: Sequence[Day], budget_a_day: Decimal | None) -> str:
    """A bar for each day, the same weekday before as an outline, and what the limit allows for a day as a line."""
    largest = max([*(day.usd for day in days), *(day.before_usd for day in days), Decimal(0)])
    shown = budget_a_day if budget_a_day and budget_a_day <= 4 * largest else None
    axis = scale(max(largest, shown or Decimal(0)))
    right = WIDTH - (LIMIT_MARGIN if shown else MARGIN)
    slot = Decimal(right - LEFT) / len(days)
    bar = min(slot * Decimal("0.62"), Decimal(64))
    every = -(-len(days) // 10)  # a label for each day while there is room
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Dollars a day" class="chart">',
        *_grid(axis, right),
    ]
    for number, day in enumerate(days):
        middle = LEFT + slot * number + slot / 2
        x, base = middle - bar / 2, axis.y(Decimal(0))
        title = f"{day.day:%a %d %b}: {dollars(day.usd)}, same weekday before {dollars(day.before_usd)}"
        title += "" if day.state in ("whole", "estimated") else f" ({day.state})"
        parts.append(f"<g><title>{escape(title)}</title>")
        y = axis.y(day.usd)
        parts.append(
            f'<rect class="bar {day.state}" x="{_number(x)}" y="{_number(y)}" width="{_number(bar)}" '
            f'height="{_number(base - y)}" rx="2"/>'
        )
        if day.before_usd > 0:
            top = axis.y(day.before_usd)
            parts.append(
                f'<path class="before" d="M{_number(x - 4)} {_number(base)}V{_number(top)}H{_number(x + bar + 4)}'
                f'V{_number(base)}"/>'
            )
        if day.state in ("late", "running"):
            word = "not in yet" if day.state == "late" else "not over"
            parts.append(f'<text class="word" x="{_number(middle)}" y="{_number(y - 6)}">{word}</text>')
        if number % every == 0:
            parts.append(f'<text class="day" x="{_number(middle)}" y="{HEIGHT - 22}">{day.day:%a}</text>')
            parts.append(f'<text class="date" x="{_number(middle)}" y="{HEIGHT - 7}">{day.day:%d %b}</text>')
        parts.append("</g>")
    if shown:
        y = axis.y(shown)
        parts.append(f'<path class="limit" d="M{LEFT} {_number(y)}H{right}"/>')
        for words, down in (("limit", -4), (f"{dollars(shown)} a day", 10)):
            parts.append(f'<text class="limit-word" x="{right + 6}" y="{_number(y + down)}">{words}</text>')
    parts.append("</svg>")
    return "".join(parts)


def _grid(axis: Scale, right: int) -> list[str]:
    lines = []
    for tick in axis.ticks:
        y = _number(axis.y(tick))
        lines.append(f'<path class="grid" d="M{LEFT} {y}H{right}"/>')
        lines.append(f'<text class="tick" x="{LEFT - 8}" y="{y}" dy="4">{_tick(tick, axis.step)}</text>')
    return lines


def _tick(usd: Decimal, step: Decimal) -> str:
    places = max(0, -step.normalize().as_tuple().exponent)  # type: ignore[operator]
    return f"${usd:,.{max(places, 2) if places else 0}f}"


def breakdown(items: Sequence[Item], most: int = 8) -> str:
    """Services as bars beside each other, the smallest gathered in one; last period as a tick on each bar."""
    shown = [(item.name, item.usd, item.before_usd) for item in items if item.usd > 0]
    if len(shown) > most:
        rest = shown[most - 1 :]
        others = sum((usd for _, usd, _ in rest), Decimal(0)), sum((before for _, _, before in rest), Decimal(0))
        shown = [*shown[: most - 1], (f"{len(rest)} others", *others)]
    row, figure = 30, 70
    label = 18 + max([len(short(name)) for name, *_ in shown], default=0) * 7  # room for the longest name, at 13 px
    height = row * len(shown) + 6
    largest = max([max(usd, before) for _, usd, before in shown], default=Decimal(0)) or Decimal(1)
    room = WIDTH - label - figure
    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Dollars by service" class="chart">']
    for number, (name, usd, before) in enumerate(shown):
        y = row * number + 4
        width = max(room * usd / largest, Decimal("1.5"))
        parts.append(f"<g><title>{escape(name)}: {dollars(usd)}, in the period before {dollars(before)}</title>")
        parts.append(f'<text class="name" x="{label - 10}" y="{y + 16}">{escape(short(name))}</text>')
        parts.append(f'<rect class="bar whole" x="{label}" y="{y}" width="{_number(width)}" height="22" rx="2"/>')
        if before > 0:
            x = _number(label + room * before / largest)
            parts.append(f'<path class="before" d="M{x} {y - 3}V{y + 25}"/>')
        end = label + max(width, room * before / largest)
        parts.append(f'<text class="figure" x="{_number(end + 6)}" y="{y + 16}">{dollars(usd)}</text></g>')
    parts.append("</svg>")
    return "".join(parts)
