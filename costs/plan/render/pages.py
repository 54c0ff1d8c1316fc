"""A priced plan as text: Markdown for a pull request, and an HTML page that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from costs.plan.plan import Plan
from costs.plan.render.view import grand, view
from costs.templates import environment


def _render(template: str, plans: Sequence[Plan], today: date) -> str:
    templates = environment(Path(__file__).parent / "templates")
    templates.filters["cell"] = _cell
    shown = [view(plan) for plan in plans]
    names = " and ".join(plan.stack for plan in plans)
    return templates.get_template(template).render(plans=shown, names=names, grand=grand(plans), today=today)


def _cell(text: str) -> str:
    """Text that cannot leave its cell of a Markdown table, nor be taken for markup."""
    words = " ".join(str(text).split())
    for mark in "\\`*_[]<>|":
        words = words.replace(mark, f"\\{mark}")
    return words


def markdown(plans: Sequence[Plan], today: date) -> str:
    """For a pull request."""
    return _render("plan.md.j2", plans, today).strip() + "\n"


def html(plans: Sequence[Plan], today: date) -> str:
    """A page of its own: no scripts, nothing that is fetched."""
    return _render("plan.html.j2", plans, today)
