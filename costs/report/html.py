"""The report as one page: no scripts, nothing from elsewhere, readable in light and dark and on paper."""

from __future__ import annotations

from decimal import Decimal

from costs.report import charts
from costs.report.report import Report
from costs.report.template import fill


def amount(quantity: Decimal, unit: str) -> str:
    """A quantity with at most four significant places, and its unit."""
    places = Decimal(1) if abs(quantity) >= 1000 else Decimal("0.01") if abs(quantity) >= 1 else Decimal("0.0001")
    return f"{quantity.quantize(places):,f} {unit}"


def render(report: Report) -> str:
    """The page."""
    month = report.month
    limit_a_day = month.limit.usd / (month.end - month.start).days if month.limit.usd else None
    return fill(
        "report.html.j2",
        r=report,
        period=report.readings.period,
        scope=report.readings.scope,
        daily=charts.daily(report.days, limit_a_day),
        breakdown=charts.breakdown(report.services),
        amount=amount,
    )
