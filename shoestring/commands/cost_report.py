"""`shoestring cost report` and `shoestring cost rightsize`: what was spent, what it bought, and what is too large."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from costs.book.prices import PriceBook
from costs.report import document, text
from costs.report import publish as files
from costs.report.account import Subject
from costs.report.explorer import Scope
from costs.report.gather import gather
from costs.report.periods import chosen
from costs.report.report import Report
from costs.value.rightsizing import measure
from shoestring.base import aws, names
from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL, MONTHLY_USD, REGION
from shoestring.commands.common import Env, Json, emit, say
from shoestring.environment import check_name, configuration, enter
from shoestring.updates import outputs

Week = Annotated[str, typer.Option(help="An ISO week like 2026-W47; default: the last whole week.", metavar="WEEK")]
Since = Annotated[str, typer.Option(help="The first day, like 2026-11-01.", metavar="DATE")]
Until = Annotated[str, typer.Option(help="The last day; default: today.", metavar="DATE")]
Out = Annotated[
    Path | None,
    typer.Option(help="Write report.html, report.json, focus.csv and summary.txt here.", metavar="FOLDER"),
]
Publish = Annotated[bool, typer.Option("--publish", help="Write the files to the bucket, and tell the topic.")]


def subject(environment: str, monitor: str = "") -> Subject:
    """Whose costs: project, region and limit as `Pulumi.<environment>.yaml` has them; the platform need not be up.

    Args:
        monitor: ARN of the platform's anomaly monitor, where it is known.
    """
    configured = configuration(environment)
    budget = configured.get("shoestring:budget") or {}
    if not isinstance(budget, dict):
        path = f"Pulumi.{environment}.yaml"
        raise UserError(
            f"{path}: shoestring:budget is {budget!r}", "an object, such as {monthlyUsd: 15}", f"edit {path}"
        )
    return Subject(
        scope=Scope(str(configured.get("shoestring:project", "shoestring")), environment),
        region=str(configured.get("aws:region", REGION)),
        function=names.resource(environment, names.INFERENCE),
        budget=names.resource(environment, names.COST_GUARD),
        monthly_usd=str(budget.get("monthlyUsd", MONTHLY_USD[environment])),
        bucket=names.resource(environment, "{account}"),
        monitor=monitor,
    )


def report(
    environment: Env = LOCAL,
    week: Week = "",
    since: Since = "",
    until: Until = "",
    as_json: Json = False,
    out: Out = None,
    publish: Publish = False,
) -> None:
    """Say what a week cost, what it bought, and what to change."""
    now = datetime.now(UTC)
    period = chosen(now.date(), week, since, until, running=check_name(environment) == LOCAL)
    enter(environment, say)
    platform = _platform(environment, publish)  # before any request to Cost Explorer is paid
    book = PriceBook.current()
    costs = gather(aws.client, subject(environment, platform.get("anomaly_monitor") or ""), period, book, now)
    contents = files.files(costs, book) if out or publish else {}
    if out:
        for path in files.to_folder(contents, out):
            say(f"wrote {path}")
    address = _published(costs, contents, platform) if publish else ""
    emit(document.of(costs), as_json, text.summary(costs, address))


def _platform(environment: str, needed: bool) -> dict[str, Any]:
    """The platform's outputs; nothing where it is not up and not `needed`."""
    try:
        return outputs(environment)
    except UserError:
        if needed:
            raise
        return {}


def _published(costs: Report, contents: dict[str, str], platform: dict[str, Any]) -> str:
    """Writes to the platform's bucket and tells its topic; gives the page's address."""
    region = platform.get("region")
    address = files.to_bucket(costs, contents, aws.client("s3", region_name=region), platform["bucket"])
    say(f"wrote {address}")
    if topic := platform.get("cost_topic"):
        files.announce(costs, address, aws.client("sns", region_name=region), topic)
        say(f"told {topic}")
    else:
        say("nobody was told: the platform has no topic for its costs")
    return address


def rightsize(environment: Env = LOCAL, as_json: Json = False) -> None:
    """Say what is larger than it needs to be, what less would save, and the line that changes it."""
    enter(check_name(environment), say)
    whose = subject(environment)
    sizes = measure(aws.client, whose.scope, whose.region, PriceBook.current())
    emit(sizes.facts(), as_json, sizes.text())
