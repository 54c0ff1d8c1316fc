"""The report as one page: no scripts, nothing from elsewhere, readable in light and dark and on paper."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from costs.amounts import Range
from costs.report import charts
from costs.report.analysis import dollars, percent
from costs.report.report import Report

TEMPLATE = Path(__file__).with_name("report.html.j2")


def signed(usd: Decimal) -> str:
    """A difference, with its sign."""
    return f"+{dollars(usd)}" if usd > 0 else dollars(usd).replace("-", "−")


def span(found: Range) -> str:
    """Dollars from … to …, or one figure; nothing for nothing."""
    if not found.high:
        return ""
    return dollars(found.high) if found.exact else f"{dollars(found.low)} to {dollars(found.high)}"


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
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "usd": dollars, "signed": signed, "span": span, "short": charts.short
    }  # fmt: skip
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        r=report,
        period=report.readings.period,
        scope=report.readings.scope,
        daily=charts.daily(report.days, limit_a_day(report)),
        breakdown=charts.breakdown(report.services),
        percent=percent,
        amount=amount,
    )
