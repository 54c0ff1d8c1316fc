"""Fills in this folder's templates: the page with its charts, and the summary."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.amounts import dollars
from costs.report.analysis import percent, signed, span
from costs.report.names import short
from costs.templates import environment


def _pixels(value: Decimal) -> str:
    return f"{value:.1f}"


def fill(template: str, **values: Any) -> str:
    """The template's text with the values in it; no value can be taken for markup."""
    templates = environment(Path(__file__).parent)
    templates.filters |= {"usd": dollars, "signed": signed, "span": span, "short": short, "px": _pixels}
    return templates.get_template(template).render(percent=percent, **values)
