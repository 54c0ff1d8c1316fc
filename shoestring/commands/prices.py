"""`shoestring prices`: the price book, shown and brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shoestring.commands.common import Json, emit, say

app = typer.Typer(no_args_is_help=True, help="List prices and spot prices of AWS.")

Regions = Annotated[
    list[str] | None, typer.Option("--region", "-r", metavar="REGION", help="Only there; may be repeated.")
]


@app.command()
def show(item: str, region: Regions = None, as_json: Json = False) -> None:
    """Compare an item's prices: on demand, spot, SageMaker, and regions. ITEM is like g4dn.xlarge or nat-gateway."""
    from costs.book.comparison import compare, table
    from costs.book.price import UnknownPrice
    from costs.book.prices import PriceBook
    from costs.book.store import today
    from shoestring.base.errors import UserError

    try:
        rows = compare(PriceBook.current(), item, region or [], today())
    except UnknownPrice as error:
        where = f" in {', '.join(region)}" if region else ""
        near = f"one of: {', '.join(error.near)}" if error.near else "an item of costs/book/prices.csv"
        raise UserError(f"no price for {item}{where}", near, error.command) from error
    emit([row.facts() for row in rows], as_json, table(rows))


@app.command()
def refresh(
    region: Annotated[
        list[str] | None,
        typer.Option("--region", "-r", metavar="REGION", help="May be repeated [AWS_REGION or us-east-1]"),
    ] = None,
    service: Annotated[
        list[str] | None, typer.Option("--service", "-s", metavar="SERVICE", help="Only these; may be repeated.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Read again what is younger than a day.")] = False,
    days: Annotated[int, typer.Option("--days", min=1, max=90, help="Days of spot price history.")] = 7,
    advisor: Annotated[
        Path | None,
        typer.Option("--spot-advisor", metavar="FILE", help="A saved copy of AWS's spot-advisor-data.json."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read list prices and spot prices from AWS, and keep them for a day. What was read is kept when it is stopped."""
    import os

    from costs.book.refresh.run import PARTS, Refresh, Settings, unread
    from costs.book.store import folder

    here = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    done = Refresh(Settings(region or [here], service or PARTS, force, days, advisor), say).run()
    facts = [
        {"region": one.region, "part": one.part, "state": one.state, "prices": one.prices, "without": one.left,
         "read_at": one.read_at.isoformat() if one.read_at else None}
        for one in done
    ]  # fmt: skip
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for one in done if any(one.state != "kept" for one in done) else []:
        for item, why in one.left.items():
            reasons.setdefault((one.region, one.part, why), []).append(item)
    lines = [f"  {where} {part}, {why}: {', '.join(items)}" for (where, part, why), items in reasons.items()]
    if lines:
        lines.insert(0, "no new price, and why:")
    if not service:
        lines.append(f"not in a refresh, as the shipped table has them (us-east-1): {', '.join(unread())}")
    read = sum(one.prices for one in done if one.state == "read")
    lines.append(f"{read} prices read, in {folder()}")
    emit(facts, as_json, "\n".join(lines))
