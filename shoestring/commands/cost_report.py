"""`shoestring cost report` and `shoestring cost rightsize`: what was spent, what it bought, and what is too large."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoestring.commands.common import Env, Json, emit, say

if TYPE_CHECKING:
    from costs.report.gather import Target
    from costs.report.report import Report

Week = Annotated[str, typer.Option(help="An ISO week like 2026-W47; default: the last whole week.", metavar="WEEK")]
Since = Annotated[str, typer.Option(help="The first day, like 2026-11-01.", metavar="DATE")]
Until = Annotated[str, typer.Option(help="The last day; default: today.", metavar="DATE")]
Out = Annotated[
    Path | None,
    typer.Option(help="Write report.html, report.json, focus.csv and summary.txt here.", metavar="FOLDER"),
]
Publish = Annotated[bool, typer.Option("--publish", help="Write the files to the bucket, and tell the topic.")]


@contextmanager
def _told() -> Iterator[None]:
    """A report's trouble as the command line's own kind of error."""
    from shoestring.base.errors import UserError

    try:
        yield
    except UserError as error:
        raise UserError(error.found, error.expected, error.mend) from error


def target(environment: str) -> Target:
    """Whose costs: project, region and limit as `Pulumi.<environment>.yaml` has them; the platform need not be up."""
    import yaml

    from costs.report.gather import Target
    from shoestring.base.errors import UserError
    from shoestring.base.names import MONTHLY_USD
    from shoestring.base.paths import ROOT

    path = ROOT / f"Pulumi.{environment}.yaml"
    try:
        found = (yaml.safe_load(path.read_text()) or {}).get("config") or {}
        budget = found.get("shoestring:budget") or {}
        limit = budget.get("monthlyUsd", MONTHLY_USD[environment])
    except FileNotFoundError:
        found, limit = {}, MONTHLY_USD[environment]
    except (yaml.YAMLError, AttributeError) as error:
        raise UserError(f"{path.name}: {error}", "the stack's configuration", f"git diff {path.name}") from error
    name = f"shoestring-{environment}"
    return Target(
        project=str(found.get("shoestring:project", "shoestring")),
        environment=environment,
        region=str(found.get("aws:region", "us-east-1")),
        function=f"{name}-inference",
        budget=f"{name}-costs",
        monthly_usd=str(limit),
        bucket=f"{name}-{{account}}",
    )


def report(
    environment: Env = "local",
    week: Week = "",
    since: Since = "",
    until: Until = "",
    as_json: Json = False,
    out: Out = None,
    publish: Publish = False,
) -> None:
    """Say what a week cost, what it bought, and what to change."""
    from datetime import UTC, datetime

    from shoestring.environment import check_name, enter

    now = datetime.now(UTC)
    with _told():
        from costs.report.periods import chosen

        period = chosen(now.date(), week, since, until, running=check_name(environment) == "local")
        enter(environment, say)
        import boto3

        from costs.book.prices import PriceBook
        from costs.report import document, text
        from costs.report import publish as files
        from costs.report.gather import gather
        from shoestring.updates import outputs

        platform = outputs(environment) if publish else {}  # before any request to Cost Explorer is paid
        book = PriceBook.current()
        found = gather(boto3.client, target(environment), period, book, now)
        made = files.files(found, book) if out or publish else {}
        if out:
            for path in files.to_folder(made, out):
                say(f"wrote {path}")
        where = _published(found, made, platform) if publish else ""
    emit(document.of(found), as_json, text.summary(found, where))


def _published(found: Report, made: dict[str, str], platform: dict[str, Any]) -> str:
    """Writes to the platform's bucket and tells its topic; gives the page's address."""
    import boto3

    from costs.report import publish as files

    region = platform.get("region")
    where = files.to_bucket(found, made, boto3.client("s3", region_name=region), platform["bucket"])
    say(f"wrote {where}")
    if topic := platform.get("cost_topic"):
        files.announce(found, where, boto3.client("sns", region_name=region), topic)
        say(f"told {topic}")
    else:
        say("nobody was told: the platform has no topic for its costs")
    return where


def rightsize(environment: Env = "local", as_json: Json = False) -> None:
    """Say what is larger than it needs to be, what less would save, and the line that changes it."""
    from shoestring.environment import check_name, enter

    check_name(environment)
    enter(environment, say)
    import boto3

    from costs.book.prices import PriceBook
    from costs.report.explorer import Scope
    from costs.value.rightsizing import measure

    whose = target(environment)
    scope = Scope(whose.project, whose.environment)
    found = measure(boto3.client, scope, whose.region, PriceBook.current())
    emit(found.facts(), as_json, found.text())


def register(app: typer.Typer) -> None:
    """Adds both to `shoestring cost`."""
    app.command()(report)
    app.command()(rightsize)
