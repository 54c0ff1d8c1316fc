"""The report as one page: no scripts, nothing from elsewhere, readable in light and dark and on paper."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from costs.amounts import Range
from costs.report import charts
from costs.report.analysis import dollars, percent
from costs.report.names import short
from costs.report.report import Report

TEMPLATE = Path(__file__).with_name("report.html.j2")


def signed(usd: Decimal) -> str:
    """A difference, with its sign."""
    return f"+{dollars(usd)}" if usd > 0 else dollars(usd).replace("-", "−")


def span(value: Range) -> str:
    """Dollars from … to …, or one figure; nothing for nothing."""
    if not value.high:
        return ""
    return dollars(value.high) if value.exact else f"{dollars(value.low)} to {dollars(value.high)}"


def amount(quantity: Decimal, unit: str) -> str:
    """A quantity with at most four significant places, and its unit."""
    places = Decimal(1) if abs(quantity) >= 1000 else Decimal("0.01") if abs(quantity) >= 1 else Decimal("0.0001")
    return f"{quantity.quantize(places):,f} {unit}"


def limit_a_day(report: Report) -> Decimal | None:
    """What the month's limit allows for one of its days."""
    limit = report.month.limit.usd
    return limit / (report.month.end - report.month.start).days if limit else None


def render(report: Report) -> str:
    """The page."""
    from jinja2 import Environment, StrictUndefined  # heavy, and needed for the page alone

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"usd": dollars, "signed": signed, "span": span, "short": short}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        r=report,
        period=report.readings.period,
        scope=report.readings.scope,
        daily=charts.daily(report.days, limit_a_day(report)),
        breakdown=charts.breakdown(report.services),
        percent=percent,
        amount=amount,
    )
