"""A priced plan as tables in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from costs.plan.plan import Plan
from costs.plan.render.view import Row, Sum, View, grand, view

STYLES = {"+": "green", "−": "red", "~": "yellow", "±": "yellow", "": "dim"}
NARROW = 100  # columns: below that the reckoning of charges has no room


def show(plans: Sequence[Plan], console: Console) -> None:
    """Prints plans, each with what stays, what runs, what is unpriced, and what was assumed."""
    for plan in plans:
        _plan(view(plan), console)
    if together := grand(plans):
        console.print(f"\n[bold]{' and '.join(escape(plan.stack) for plan in plans)} together[/bold]  [dim]USD[/dim]")
        console.print(_sums(together))


def _plan(shown: View, console: Console) -> None:
    console.print(f"\n[bold]{escape(shown.stack)}[/bold]  [dim]{escape(shown.about)}[/dim]")
    wide = console.width >= NARROW
    if shown.stays:
        columns = NEW if shown.new else STAYS
        console.print(_resources(shown.stays, columns, "what stays, USD", wide))
    if shown.stays and shown.goes:
        console.print()
    if shown.goes:
        console.print(_resources(shown.goes, GOES, "what works and goes, USD", wide))
    console.print()
    console.print(_sums(shown.sums))
    if not shown.complete:
        console.print("[yellow]These totals are not whole: see the warnings.[/yellow]")
    if shown.unpriced:
        console.print(f"\n[bold yellow]Unpriced[/bold yellow]  [dim]{len(shown.unpriced)}[/dim]")
        for row in shown.unpriced:
            console.print(f"  {escape(row.kind)} [bold]{escape(row.name)}[/bold]", highlight=False)
            console.print(Padding(escape(row.reason), (0, 0, 0, 6)), style="dim", highlight=False)
    if shown.free:
        console.print(f"\n[bold]Free[/bold]  [dim]{sum(count for _, count, _ in shown.free)}[/dim]")
        _list(((f"{count} ×", reason) for reason, count, _ in shown.free), console, "right")
    if shown.assumptions:
        console.print("\n[bold]Assumed[/bold]  [dim]--usage FILE sets other figures[/dim]")
        _list(((what, f"{figure}  [dim]{escape(whose)}[/dim]") for what, figure, whose in shown.assumptions), console)
    if shown.sources:
        dates = "; ".join(f"{source}, {date}" for source, date in shown.sources)
        console.print(f"\n[dim]Prices: {escape(dates)}. List prices without free tiers, discounts and taxes.[/dim]")
    for warning in shown.warnings:
        console.print(f"[yellow]warning:[/yellow] {escape(warning)}", highlight=False)


Column = tuple[str, Callable[[Row], str], Callable[[Row], bool]]  # title, a row's figure, whether its charges go here
STAYS: tuple[Column, ...] = (
    ("before", lambda row: row.before, lambda row: not row.after),
    ("after", lambda row: row.after, lambda row: bool(row.after)),
    ("change", lambda row: row.difference, lambda row: False),
)
NEW: tuple[Column, ...] = (("a month", lambda row: row.after, lambda row: True),)
GOES: tuple[Column, ...] = (
    ("an hour", lambda row: row.hourly, lambda row: False),
    ("a run", lambda row: row.after or row.before, lambda row: True),
)


def _resources(rows: Sequence[Row], columns: Sequence[Column], title: str, wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1), header_style="dim")
    table.add_column("", width=1)
    table.add_column(title, overflow="fold")
    if wide:
        table.add_column("reckoned", style="dim", overflow="fold")
    for name, *_ in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        mark, reason = f"[{STYLES[row.sign]}]{row.sign}[/]", escape(row.reason) if row.telling else ""
        named = f"{escape(row.kind)} [bold]{escape(row.name)}[/bold]"
        table.add_row(mark, named, *([reason] if wide else []), *(figure(row) for _, figure, _ in columns))
        if reason and not wide:
            table.add_row("", f"[dim]  {reason}[/dim]")
        for line in row.lines:
            placed = [f"[dim]{line.usd}[/dim]" if here(row) else "" for _, _, here in columns]
            table.add_row("", f"[dim]  {escape(line.name)}[/dim]", *([line.reckoned] if wide else []), *placed)
    return table


def _sums(rows: Sequence[Sum]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1), header_style="dim")
    table.add_column("total, USD", min_width=26)
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row.name, row.before, row.after, row.difference, style="bold" if row.strong else None)
    return table


def _list(rows: object, console: Console, justify: str = "left") -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify=justify, style="dim" if justify == "right" else None, no_wrap=True)  # type: ignore[arg-type]
    table.add_column(overflow="fold")
    for row in rows:  # type: ignore[attr-defined]
        table.add_row(*row)
    console.print(Padding(table, (0, 0, 0, 2)), highlight=False)
