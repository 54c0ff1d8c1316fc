"""The comparison of buying and renting as a picture: dollars so far against hours of use."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from costs.value.tco import BreakEven, Compared, Offer, Tco
from costs.value.text import NEVER, dollars, source

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BOUGHT = "#1a1a1a"
COLORS = {"ec2": "#00798c", "sagemaker-training": "#d1495b", "": "#5f4bb6"}
WIDTH, PLOT, CAPTION, ROW, AXIS, TITLE = 9.0, 4.6, 0.42, 0.23, 0.6, 0.4  # inches
NEAR = Decimal("0.2")  # of the drawn hours: labels nearer than that would lie on each other
KINDS = (".png", ".svg")


def _evens(tco: Tco) -> dict[Decimal, tuple[BreakEven, Offer]]:
    """The break-even points within the server's life, by their hours."""
    pairs = [(even, compared.offer) for compared in tco.offers for even in (compared.early, compared.late)]
    return {even.hours: (even, offer) for even, offer in pairs if even.hours is not None and even.within}


def _end(tco: Tco) -> Decimal:
    """The last hour that is drawn: the server's life, or less where all that happens in it happens early."""
    return min(tco.owned.hours, 2 * max(_evens(tco), default=tco.owned.hours))


def _when(even: BreakEven) -> str:
    return f"even after {even.hours:,.0f} hours" if even.within else NEVER


def _label(compared: Compared) -> str:
    times = dict.fromkeys(_when(even) for even in (compared.early, compared.late))
    return f"{compared.offer.name}: {dollars(compared.offer)} an hour, {', or '.join(times)}"


def _draw(axes: Axes, compared: Compared, end: Decimal) -> None:
    label, color = _label(compared), COLORS[compared.offer.service]
    low, high = (float(price * end) for price in (compared.offer.hour.low, compared.offer.hour.high))
    if compared.offer.hour.exact:
        axes.plot([0, float(end)], [0, high], color=color, linewidth=2.2, label=label, zorder=3)
        return
    kind: dict[str, Any] = {"facecolor": color, "alpha": 0.16, "linewidth": 0}
    if compared.offer.service == "sagemaker-training":  # lies over EC2's band: hatched, so that both are seen
        kind = {"facecolor": "none", "hatch": "//", "edgecolor": color, "alpha": 0.3, "linewidth": 0}
    axes.fill_between([0, float(end)], [0, low], [0, high], label=label, **kind)
    for top in (low, high):
        axes.plot([0, float(end)], [0, top], color=color, linewidth=1, linestyle=(0, (5, 3)))


def _mark(axes: Axes, tco: Tco, end: Decimal) -> None:
    """The break-even points, each once; with its hours where no other is near (the legend has them all)."""
    evens = _evens(tco)
    for hours, (even, offer) in sorted(evens.items()):
        at = float(hours), float(hours * even.hour)
        axes.plot([at[0], at[0]], [0, at[1]], color="#777777", linewidth=1, linestyle=":", zorder=2)
        axes.plot(*at, marker="o", markersize=8, color="white", markeredgecolor=COLORS[offer.service],
                  markeredgewidth=2, zorder=5)  # fmt: skip
        if any(other < hours and hours - other < NEAR * end for other in evens):
            left = False
        elif any(hours < other < hours + NEAR * end for other in evens):
            left = True
        else:
            left = hours > end * 3 / 4
        crowded = sum(abs(hours - other) < NEAR * end for other in evens) > 2 or (left and hours < NEAR * end)
        if not crowded:
            axes.annotate(
                f"even after {hours:,.0f} hours\n({even.months:,.1f} months)", at, textcoords="offset points",
                xytext=(-10, 12) if left else (10, -32), ha="right" if left else "left", fontsize=9, zorder=6,
                bbox={"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": "#cccccc"},
            )  # fmt: skip


def plot(tco: Tco, path: Path) -> None:
    """Writes a `.png` or `.svg`; raises ValueError for another ending."""
    if path.suffix not in KINDS:
        raise ValueError(f"{path.name}: expected a name that ends in {' or '.join(KINDS)}")
    import matplotlib  # heavy, and needed for a picture alone
    from matplotlib.figure import Figure

    server, end = tco.owned, _end(tco)
    below = CAPTION + ROW * (len(tco.offers) + 1) + AXIS
    height = below + PLOT + TITLE
    figure = Figure(figsize=(WIDTH, height), dpi=120)
    axes = figure.add_axes((0.095, below / height, 0.875, PLOT / height))
    for compared in tco.offers:
        _draw(axes, compared, end)
    bought = [float(server.net), float(server.net + server.each_hour * end)]
    less = " less what it is worth at the end" if tco.inputs.residual else ""
    name = f"bought: {tco.inputs.price:,.0f} dollars{less}, and {server.each_hour:,.2f} an hour of use"
    axes.plot([0, float(end)], bought, color=BOUGHT, linewidth=2.5, label=name, zorder=4)
    _mark(axes, tco, end)
    axes.set_xlim(0, float(end))
    axes.set_ylim(0, 1.8 * bought[1])
    axes.set_xlabel(f"hours of use ({server.hours_a_month:,.0f} a month, {server.hours:,.0f} in its life)")
    axes.set_ylabel("US dollars so far")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_title("A bought server against rented hours", loc="left", fontsize=13, fontweight="bold")
    axes.grid(color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    legend = {"bbox_to_anchor": (0.01, CAPTION / height), "borderaxespad": 0, "frameon": False}
    figure.legend(loc="lower left", fontsize=9, **legend)
    sources = "; ".join(dict.fromkeys(source(compared.offer) for compared in tco.offers))
    caption = fill(f"Prices: {sources}. The server's price, power, space and staff are given.", 150)
    figure.text(0.018, 0.08 / height, caption, fontsize=7.5, color="#555555")
    path.parent.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {"metadata": {"Date": None}} if path.suffix == ".svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": "tco"}):
        figure.savefig(path, **about)
