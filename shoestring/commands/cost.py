"""`shoestring cost`: what a plan costs before it is applied."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoestring.base.errors import UserError
from shoestring.base.names import environment_of
from shoestring.base.names import window as window_of
from shoestring.commands.common import Json, say

if TYPE_CHECKING:
    from costs.plan.plan import Plan
    from costs.plan.preview import Preview
    from shoestring.screen import Screen

app = typer.Typer(no_args_is_help=True, help="What a plan costs, what was spent, what it bought.")
WIDE = 120  # columns of a table that goes into a file


@app.callback()
def _group() -> None:
    """What a plan costs, what was spent, what it bought."""


@app.command()
def plan(
    environment: Annotated[
        str, typer.Argument(help="local, dev, staging or prod; or a stack, such as local-window", metavar="[ENV]")
    ] = "",
    window: Annotated[bool, typer.Option("--window", help="Price ENV's training window as well.")] = False,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="A saved preview (pulumi preview --json --show-sames), or a state (pulumi stack export); - reads "
            "standard input. Nothing is run then.",
            metavar="FILE",
            allow_dash=True,
        ),
    ] = None,
    usage: Annotated[
        Path | None, typer.Option("--usage", help="What traffic the resources have, in YAML.", metavar="FILE")
    ] = None,
    region: Annotated[str, typer.Option("--region", help="Where a saved preview does not say its own.")] = "",
    as_json: Json = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print it for a pull request.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page as well.", metavar="FILE")] = None,
    fail_above: Annotated[
        str, typer.Option("--fail-above", help="Exit with 1 where a month may come to more than so many USD.")
    ] = "",
) -> None:
    """Price a plan before it is applied: what stays, what works and goes at its worst, and the difference.

    ENV is previewed, with progress on standard error; nothing is changed. Exit code 0; 1 after an error, and where
    a month with usage, or a run of all that is ephemeral, may come to more than --fail-above, or is not wholly known.
    """
    import gc

    from costs.book.prices import PriceBook
    from costs.plan.plan import check_usage, price_plan

    gc.disable()  # what is made here stays to the end of the process
    if as_json and as_markdown:
        raise UserError("--json and --markdown are both given", "one of them")
    if not environment and source is None:
        raise UserError("neither ENV nor --from is given", "one of them", "shoestring cost plan local")
    if environment and source is not None:
        raise UserError("ENV and --from are both given", "one of them: a saved preview is of one stack already")
    limit = _limit(fail_above)
    assumed = _usage(usage)
    previews = [_saved(source)] if source else _previews(environment, window)
    if region:
        _check_region(region)
    if assumed:
        check_usage(assumed, [one for preview in previews for one in preview.resources])
    book = PriceBook.current()
    plans = [price_plan(preview, book, assumed, region or None) for preview in previews]
    _show(plans, as_json, as_markdown)
    if html:
        _write(html, plans)
    if limit is not None:
        _judge(plans, limit)


def _limit(text: str) -> Any:
    from costs.amounts import decimal

    if not text:
        return None
    try:
        found = decimal(text)
    except (ArithmeticError, ValueError):
        found = decimal(-1)
    if found < 0:
        raise UserError(f"--fail-above is {text!r}", "dollars a month", "--fail-above 10")
    return found


def _usage(path: Path | None) -> Any:
    if path is None:
        return None
    from costs.plan.usage import load

    return load(path)


def _check_region(region: str) -> None:
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise UserError(f"--region is {region!r}", "an AWS region", "--region us-east-1")


def _saved(source: Path) -> Preview:
    from costs.plan.preview import COMMAND, read

    if str(source) == "-":
        return read(sys.stdin.read(), "standard input")
    try:
        text = source.read_text()
    except UnicodeDecodeError:
        raise UserError(f"{source} is no text", "a preview or a state in JSON", COMMAND) from None
    except OSError as error:
        raise UserError(f"{source}: {error.strerror}", "a preview or a state in JSON", COMMAND) from None
    return read(text, str(source))


def _previews(environment: str, window: bool) -> list[Preview]:
    """Previews of an environment's stacks, through its own engine."""
    from rich.console import Console

    from shoestring.environment import enter
    from shoestring.screen import Screen

    name = environment_of(environment)
    if name != environment and window:
        raise UserError(f"--window is given with the stack {environment}", f"ENV alone: {name}")
    enter(name, say)
    screen = Screen(Console(stderr=True, highlight=False, soft_wrap=True))
    return [_preview(stack, screen) for stack in ([environment, window_of(name)] if window else [environment])]


def _preview(stack: str, screen: Screen) -> Preview:
    from shoestring import plans

    with screen.step(f"preview of {stack}"):
        return plans.preview(stack, on_event=screen.resource)


def _show(plans: Sequence[Plan], as_json: bool, as_markdown: bool) -> None:
    if as_json:
        from costs.plan.render.facts import text

        print(text(plans))
    elif as_markdown:
        from datetime import date

        from costs.plan.render.pages import markdown

        print(markdown(plans, date.today()), end="")
    else:
        from rich.console import Console

        from costs.plan.render.table import show

        console = Console(highlight=False)
        show(plans, console if console.is_terminal else Console(highlight=False, width=WIDE))


def _write(path: Path, plans: Sequence[Plan]) -> None:
    from datetime import date

    from costs.plan.render.pages import html

    path.write_text(html(plans, date.today()))
    say(f"written: {path}")


def _judge(plans: Sequence[Plan], limit: Any) -> None:
    from costs.plan.render.money import usd

    stays = [each.after.monthly for each in plans]
    total, run = sum(each.high for each in stays), sum(each.after.run.high for each in plans)
    found = []
    if total > limit:
        found.append(f"a month may come to {usd(_one(total))} USD")
    if run > limit:
        found.append(f"one run may come to {usd(_one(run))} USD")
    if not found and not all(each.complete for each in plans):
        found.append("the total is not known as a whole: unpriced or hidden resources, as above")
    if found:
        say("error: " + "; ".join(found) + f"\n  expected: at most {limit} USD (--fail-above)")
        raise typer.Exit(1)


def _one(value: Any) -> Any:
    from costs.amounts import Range

    return Range(value, value)
