"""`shoestring cost plan`: what a plan costs before it is applied."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from costs.amounts import decimal, dollars
from costs.book.prices import PriceBook
from costs.plan import usage as usage_file
from costs.plan.plan import Plan, price_plan
from costs.plan.preview import COMMAND, Preview, read
from costs.plan.render import facts, pages, table
from costs.plan.traffic import WORDS
from shoestring import offline, plans
from shoestring.base import names
from shoestring.base.errors import UserError
from shoestring.commands.common import NAMES, Json, say
from shoestring.environment import enter
from shoestring.screen import Screen

WIDE = 120  # columns of a table that goes into a file


def plan(
    environment: Annotated[
        str, typer.Argument(help=f"{NAMES}; or a stack, such as {names.window(names.LOCAL)}", metavar="[ENV]")
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
        Path | None,
        typer.Option("--usage", help=f"What traffic the resources have, in YAML. Kinds: {WORDS}", metavar="FILE"),
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
    if as_json and as_markdown:
        raise UserError("--json and --markdown are both given", "one of them")
    if not environment and source is None:
        raise UserError("neither ENV nor --from is given", "one of them", "shoestring cost plan local")
    if environment and source is not None:
        raise UserError("ENV and --from are both given", "one of them: a saved preview is of one stack already")
    limit = _limit(fail_above) if fail_above else None
    assumed = usage_file.load(usage) if usage else None
    previews = [_saved(source)] if source else _previews(environment, window)
    if region and not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise UserError(f"--region is {region!r}", "an AWS region", "--region us-east-1")
    book = PriceBook.current()
    priced = [price_plan(preview, book, assumed, region or None) for preview in previews]
    if assumed:
        usage_file.check_usage(assumed, [cost for plan in priced for cost in plan.costs])
    _show(priced, as_json, as_markdown)
    if html:
        html.write_text(pages.html(priced, date.today()))
        say(f"written: {html}")
    if limit is not None:
        _judge(priced, limit)


def _limit(text: str) -> Decimal:
    try:
        limit = decimal(text)
    except (ArithmeticError, ValueError):
        limit = Decimal(-1)
    if limit < 0:
        raise UserError(f"--fail-above is {text!r}", "dollars a month", "--fail-above 10")
    return limit


def _saved(source: Path) -> Preview:
    if str(source) == "-":
        return read(sys.stdin.read(), "standard input")
    try:
        text = source.read_text()
    except UnicodeDecodeError:
        raise UserError(f"{source} is no text", "a preview or a state in JSON", COMMAND) from None
    except OSError as error:
        raise UserError(f"{source}: {error.strerror}", "a preview or a state in JSON", COMMAND) from None
    return read(text, str(source))


def _previews(stack: str, window: bool) -> list[Preview]:
    """Previews of a stack, and of its training window where asked for, through its environment's own engine."""
    environment = names.environment_of(stack)
    if window and environment != stack:
        raise UserError(f"--window is given with the stack {stack}", f"ENV alone: {environment}")
    enter(environment, say)
    screen = Screen(error=True)
    previews = []
    for name in [stack, names.window(environment)] if window else [stack]:
        with screen.step(f"preview of {name}"):
            reason = "" if environment == names.LOCAL else offline.why(name)
            previews.append(offline.preview(name, reason) if reason else plans.preview(name, on_event=screen.resource))
    return previews


def _show(priced: Sequence[Plan], as_json: bool, as_markdown: bool) -> None:
    if as_json:
        print(facts.text(priced))
    elif as_markdown:
        print(pages.markdown(priced, date.today()), end="")
    else:
        console = Console(highlight=False)
        table.show(priced, console if console.is_terminal else Console(highlight=False, width=WIDE))


def _judge(priced: Sequence[Plan], limit: Decimal) -> None:
    month = sum((plan.after.monthly.high for plan in priced), Decimal(0))
    run = sum((plan.after.run.high for plan in priced), Decimal(0))
    reasons = []
    if month > limit:
        reasons.append(f"a month may come to {dollars(month)}")
    if run > limit:
        reasons.append(f"one run may come to {dollars(run)}")
    if not reasons and not all(plan.complete for plan in priced):
        reasons.append("the total is not known as a whole: unpriced or hidden resources, as above")
    if reasons:
        say("error: " + "; ".join(reasons) + f"\n  expected: at most {limit} USD (--fail-above)")
        raise typer.Exit(1)
