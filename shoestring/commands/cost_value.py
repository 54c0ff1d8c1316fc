"""`shoestring cost roi` and `cost tco`: what it brought, and whether to buy or to rent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from costs.book.store import today
from costs.value import roi as returns
from costs.value import tco as comparison
from costs.value import text
from costs.value.inputs import gather
from costs.value.plot import plot as draw
from shoestring.base.errors import UserError
from shoestring.commands.common import Json, emit, say

File = Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE.yaml", help="Inputs; flags win over it.")]


def _number(help_: str) -> object:
    return typer.Option(help=help_, metavar="NUMBER")


def roi(
    benefit: Annotated[str | None, _number("US dollars that it brought.")] = None,
    cost: Annotated[str | None, _number("US dollars that it cost.")] = None,
    months: Annotated[str | None, _number("Months that both are for; shows when it has paid.")] = None,
    file: File = None,
    as_json: Json = False,
) -> None:
    """Return on investment: (benefit - cost) / cost."""
    flags = {name: value for name, value in locals().items() if name in returns.Roi.model_fields}
    result = gather(returns.Roi, file, flags, "shoestring cost roi")
    emit(result.facts(), as_json, returns.render(result))


def tco(
    price: Annotated[str | None, _number("US dollars for the server.")] = None,
    life_years: Annotated[str | None, _number("Years until it is replaced [3].")] = None,
    residual: Annotated[str | None, _number("US dollars that it is worth then [0].")] = None,
    utilisation: Annotated[str | None, _number("Share of all hours in which it works [1].")] = None,
    power_watts: Annotated[str | None, _number("Watts that it draws at work [0].")] = None,
    idle_watts: Annotated[str | None, _number("Watts that it draws the rest of the time [0].")] = None,
    usd_per_kwh: Annotated[str | None, _number("US dollars for a kilowatt-hour.")] = None,
    pue: Annotated[str | None, _number("Watts of the room for each watt of the server [1].")] = None,
    space_usd_month: Annotated[str | None, _number("US dollars a month for space [0].")] = None,
    staff_hours_month: Annotated[str | None, _number("Hours of work on it a month [0].")] = None,
    staff_usd_hour: Annotated[str | None, _number("US dollars for such an hour.")] = None,
    instance: Annotated[str | None, typer.Option(help="Instance type that does the same work.")] = None,
    count: Annotated[str | None, _number("Of that instance for one server [1].")] = None,
    region: Annotated[str | None, typer.Option(help="Region of its prices [us-east-1].")] = None,
    hourly: Annotated[str | None, _number("US dollars an hour of another offer.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it: a .png or .svg.")] = None,
    file: File = None,
    as_json: Json = False,
) -> None:
    """A bought GPU server against EC2, spot and SageMaker, with the hours after which it pays."""
    flags = {name: value for name, value in locals().items() if name in comparison.TcoInputs.model_fields}
    inputs = gather(comparison.TcoInputs, file, flags, "shoestring cost tco")
    try:
        result = comparison.compare(inputs, PriceBook.current(), today())
    except UnknownPrice as error:
        near = f"one of: {', '.join(error.near)}" if error.near else "a region whose prices are known"
        raise UserError(str(error).split(";")[0], f"{near}; or --hourly with a price", error.command) from error
    if plot:
        try:
            draw(result, plot)
        except ValueError as error:
            raise UserError(str(error), mend="shoestring cost tco … --plot tco.png") from error
        say(f"drawn: {plot}")
    emit(text.facts(result), as_json, text.render(result))
