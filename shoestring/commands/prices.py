"""`shoestring prices`: the price book, shown and brought up to date."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from costs.book.comparison import compare, table
from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from costs.book.refresh.run import PARTS, Refresh, Settings, unread
from costs.book.store import folder, today
from shoestring.base.errors import UserError
from shoestring.base.names import REGION
from shoestring.commands.common import Json, emit, say

app = typer.Typer(no_args_is_help=True)

Regions = Annotated[
    list[str] | None, typer.Option("--region", "-r", metavar="REGION", help="Only there; may be repeated.")
]


@app.command()
def show(item: str, region: Regions = None, as_json: Json = False) -> None:
    """Compare an item's prices: on demand, spot, SageMaker, and regions. ITEM is like g4dn.xlarge or nat-gateway."""
    try:
        rows = compare(PriceBook.current(), item, region or [], today())
    except UnknownPrice as error:
        where = f" in {', '.join(region)}" if region else ""
        near = f"one of: {', '.join(error.near)}" if error.near else "an item of costs/book/prices.csv"
        raise UserError(f"no price for {item}{where}", near, error.command) from error
    emit([row.facts() for row in rows], as_json, table(rows))


def _own_region() -> str:
    """The region that the user's variables or profile name."""
    import boto3  # heavy, and there where AWS is asked

    return os.environ.get("AWS_REGION") or boto3.session.Session().region_name or REGION


@app.command()
def refresh(
    region: Annotated[
        list[str] | None,
        typer.Option("--region", "-r", metavar="REGION", help="May be repeated [the user's own, or us-east-1]"),
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
    results = Refresh(Settings(region or [_own_region()], service or PARTS, force, days, advisor), say).run()
    facts = [
        {"region": result.region, "part": result.part, "state": result.state, "prices": result.prices,
         "without": result.left, "read_at": result.read_at.isoformat() if result.read_at else None}
        for result in results
    ]  # fmt: skip
    missing: dict[tuple[str, str, str], list[str]] = {}
    for result in results if any(result.state != "kept" for result in results) else []:
        for item, reason in result.left.items():
            missing.setdefault((result.region, result.part, reason), []).append(item)
    lines = [f"  {place} {part}, {reason}: {', '.join(items)}" for (place, part, reason), items in missing.items()]
    if lines:
        lines.insert(0, "no new price, and why:")
    if not service:
        lines.append(f"not in a refresh, as the shipped table has them ({REGION}): {', '.join(unread())}")
    read = sum(result.prices for result in results if result.state == "read")
    lines.append(f"{read} prices read, in {folder()}")
    emit(facts, as_json, "\n".join(lines))
