"""The comparison of buying and renting as text and as facts for machines. Rounded here, and nowhere before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from costs.value.tco import BreakEven, Compared, Offer, Tco

NEVER = "never within its life"
NEVER_IN_A_RANGE = "never"


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"


def _even(even: BreakEven) -> dict[str, Any]:
    return {
        "usd_hour": _text(even.hour), "hours": _text(even.hours), "months": _text(even.months),
        "within_life": even.within, "hours_a_month_of_life": _text(even.hours_a_month),
    }  # fmt: skip


def facts(tco: Tco) -> dict[str, Any]:
    """For machines; money is a text."""
    server = tco.owned
    bought = {
        "net_usd": _text(server.net), "fixed_usd_month": _text(server.fixed), "running_usd_hour": _text(server.running),
        "hours_of_use": _text(server.hours), "total_usd": _text(server.total), "source": "given",
    }  # fmt: skip
    inputs = {name: str(value) for name, value in tco.inputs if value is not None}
    return {"inputs": inputs, "bought": bought, "offers": [_offer(compared) for compared in tco.offers]}


def _offer(compared: Compared) -> dict[str, Any]:
    offer = compared.offer
    return {
        "name": offer.name, "usd_hour_low": _text(offer.hour.low), "usd_hour_high": _text(offer.hour.high),
        "source": offer.source, "as_of": offer.as_of.isoformat() if offer.as_of else None, "stale": offer.stale,
        "total_usd_low": _text(compared.total.low), "total_usd_high": _text(compared.total.high),
        "break_even": _even(compared.early),
        "break_even_at_lowest_price": None if offer.hour.exact else _even(compared.late),
    }  # fmt: skip


def money(usd: Decimal) -> str:
    """An hour's price with what it needs of decimals, at least two."""
    whole, _, part = f"{usd:,.4f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def _between(low: str, high: str) -> str:
    """Of the highest price of an offer first: that is where owning pays soonest."""
    return low if low == high else f"{low} to {NEVER_IN_A_RANGE if high == NEVER else high}"


def dollars(offer: Offer) -> str:
    """What an hour costs, as a range where it is one."""
    return _between(money(offer.hour.low), money(offer.hour.high))


def _hours(even: BreakEven) -> str:
    return f"{even.hours:,.0f}" if even.within else NEVER


def _monthly(even: BreakEven) -> str:
    return NEVER if even.hours_a_month is None else f"{even.hours_a_month:,.1f}"


def _months(even: BreakEven) -> str:
    return f"{even.months:,.1f}" if even.within else NEVER


def _row(compared: Compared, sources: list[str]) -> tuple[str, ...]:
    number = sources.index(source(compared.offer)) + 1
    pairs = [_between(shown(compared.early), shown(compared.late)) for shown in (_hours, _months, _monthly)]
    if pairs[0] == pairs[1] == NEVER:
        pairs[1] = ""
    total = _between(f"{compared.total.low:,.0f}", f"{compared.total.high:,.0f}")
    return compared.offer.name, dollars(compared.offer), *pairs, total, f"[{number}]"


def source(offer: Offer) -> str:
    """Where the price of an offer comes from, with its date."""
    return f"{offer.source}; of {offer.as_of}{' (stale)' * offer.stale}" if offer.as_of else offer.source


def render(tco: Tco) -> str:
    """For people."""
    inputs, server = tco.inputs, tco.owned
    sources = list(dict.fromkeys(source(compared.offer) for compared in tco.offers))
    head = ("rented", "dollars an hour", "even after hours of use", "and months", "even at hours a month",
            "dollars in that life", "source")  # fmt: skip
    rows = [head, *(_row(compared, sources) for compared in tco.offers)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([
        f"bought          {inputs.price:,.2f} dollars (given), "
        f"worth {inputs.residual:,.2f} after {inputs.life_years} years",
        f"each month      {server.fixed:,.2f} dollars: space, staff, idle power (given)",
        f"each hour       {money(server.running)} dollars of power more at work (given)",
        f"in its life     {server.hours:,.0f} hours of use ({server.hours_a_month:,.0f} of 730 a month), "
        f"{server.total:,.2f} dollars, {money(server.total / server.hours)} for an hour of use",
        "", *table, "", *(f"[{number}] {text}" for number, text in enumerate(sources, 1)),
        "even after hours of use: at the utilisation above; even at hours a month: all through its life;",
        "in a range, the highest price comes first, and never means never within the server's life.",
        "Rented hours only: storage, traffic and people's work on the cloud are not in it.",
    ])  # fmt: skip
