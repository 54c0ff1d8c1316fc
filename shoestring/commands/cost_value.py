"""`shoestring cost roi` and `cost tco`: what it brought, and whether to buy or to rent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated

import typer

from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from costs.book.store import today
from costs.value import roi as returns
from costs.value import tco as comparison
from costs.value import text
from costs.value.inputs import Inputs, gather
from costs.value.plot import plot as draw
from shoestring.base.errors import UserError
from shoestring.commands.common import Json, emit, say

File = Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE.yaml", help="Inputs; flags win over it.")]


Plot = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it: a .png or .svg.")]


def _with_flags(model: type[Inputs], command: Callable[..., None]) -> Callable[..., None]:
    """The command with an option for each field of the model; it receives them as texts, None where not given."""
    flags = []
    for name, field in model.model_fields.items():
        usual = "" if field.is_required() or field.default is None else f" [{field.default}]"
        option = typer.Option(help=f"{field.description}{usual}.", metavar="VALUE")
        flags.append(Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]))
    *own, _ = signature(command, eval_str=True).parameters.values()
    command.__signature__ = Signature([*flags, *own])  # type: ignore[attr-defined]
    command.__annotations__ |= {flag.name: flag.annotation for flag in flags}
    return command


@partial(_with_flags, returns.Roi)
def roi(*, file: File = None, as_json: Json = False, **flags: str | None) -> None:
    """Return on investment: (benefit - cost) / cost."""
    result = gather(returns.Roi, file, flags, "shoestring cost roi")
    emit(result.facts(), as_json, returns.render(result))


@partial(_with_flags, comparison.TcoInputs)
def tco(*, plot: Plot = None, file: File = None, as_json: Json = False, **flags: str | None) -> None:
    """A bought GPU server against EC2, spot and SageMaker, with the hours after which it pays."""
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
