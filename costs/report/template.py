"""Fills in this folder's templates: the page with its charts, and the summary."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.amounts import dollars
from costs.report.analysis import percent, signed, span
from costs.report.names import short


def _pixels(value: Decimal) -> str:
    return f"{value:.1f}"


def fill(template: str, **values: Any) -> str:
    """The template's text with the values in it; no value can be taken for markup."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # heavy

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"usd": dollars, "signed": signed, "span": span, "short": short, "px": _pixels}
    return environment.get_template(template).render(percent=percent, **values)
