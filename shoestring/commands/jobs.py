"""`shoestring jobs`: the training jobs of an environment, also those whose windows are gone."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from costs.amounts import decimal, dollars
from localcloud.sagemaker.client import interrupt as take_instance_away
from shoestring import jobs, layout, outcomes
from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL, window
from shoestring.commands.common import Env, Json, emit, say
from shoestring.environment import enter
from shoestring.following import POLL, figures
from shoestring.updates import outputs

app = typer.Typer(no_args_is_help=True)
Names = Annotated[list[str] | None, typer.Argument(help="training jobs; those of the window, where none is named")]


@contextlib.contextmanager
def _bucket(environment: str) -> Iterator[str]:
    """The platform's; empty where it cannot be had.

    That is said when the account has answered: AWS may have a reason of its own for showing nothing, which then counts.
    """
    bucket = missing = ""
    try:
        bucket = str(outputs(environment)["bucket"])
    except UserError as error:
        missing = f"{error.found}: what its bucket kept of earlier jobs is not shown"
    try:
        yield bucket
    except UserError as error:
        found = "\n".join(filter(None, [missing, error.found]))
        raise UserError(found, error.expected, error.mend) from error
    if missing:
        say(missing)


@app.command("list")
def list_(
    environment: Env = LOCAL,
    limit: Annotated[int, typer.Option(min=1, max=100, help="how many")] = 20,
    as_json: Json = False,
) -> None:
    """List the newest training jobs, also those whose windows are gone."""
    enter(environment, say)
    with _bucket(environment) as bucket:
        listed = jobs.recent(bucket, limit)
    rows = [
        [(job["created"] or "")[:19], job["status"], job["name"], _usd(job["cost_usd"]), *figures(job["metrics"])]
        for job in listed
    ]
    emit(listed, as_json, layout.table(rows, 4, layout.width()) or "no training jobs")


def _usd(cost: float | None) -> str:
    return "-" if cost is None else dollars(decimal(cost))


@app.command()
def show(name: str, environment: Env = LOCAL, as_json: Json = False) -> None:
    """Show how a training job went: its end, metrics, version and cost."""
    enter(environment, say)
    with _bucket(environment) as bucket:
        kept = jobs.record(name, bucket)
    facts = {**kept["Facts"], "created": kept.get("CreationTime"), "ended": kept.get("TrainingEndTime")}
    emit(facts, as_json, outcomes.told(kept["Facts"], layout.width()))


@app.command()
def logs(
    name: str,
    environment: Env = LOCAL,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until the job has ended")] = False,
    tail: Annotated[int | None, typer.Option(min=0, help="the last lines alone")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the facts for machines; with --follow an object in each line.")
    ] = False,
) -> None:
    """Print what a training job has said, also when its window is gone."""
    cloud = enter(environment, say)
    described = jobs.find(name)
    log = jobs.Log(name, described["CreationTime"]) if described else None
    if log and follow:
        lines = list(log.events())
    else:
        with _bucket(environment) as bucket:
            lines = jobs.log(name, bucket)
    lines = lines if tail is None else lines[max(0, len(lines) - tail) :]
    if as_json and not follow:
        emit([_line(*line) for line in lines], True, "")
        return
    _print(lines, as_json)
    while log and follow and described and described["TrainingJobStatus"] in ("InProgress", "Stopping"):
        time.sleep(POLL if cloud else 10 * POLL)
        described = jobs.find(name)
        _print(log.events(), as_json)


def _print(lines: Iterable[jobs.Line], as_json: bool) -> None:
    for at, text in lines:
        print(json.dumps(_line(at, text)) if as_json else text, flush=True)


def _line(at: float | None, text: str) -> dict[str, str | None]:
    """A line of a log for machines; `at` is None where its moment was not kept."""
    moment = None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {"at": moment, "line": text}


@app.command()
def wait(names: Names = None, environment: Env = LOCAL, as_json: Json = False) -> None:
    """Follow training jobs to their ends, and keep what came out; exit code 0 where all completed, 1 otherwise."""
    from shoestring import tracking as server  # here, for they are heavy: the other commands do without
    from shoestring import windows
    from shoestring.screen import Screen

    cloud = enter(environment, say)
    platform = outputs(environment)
    chosen = names or [job["name"] for job in outputs(window(environment))["jobs"]]
    for name in chosen:
        jobs.describe(name)
    uri = server.nearest(platform, say) if cloud else server.FORWARDED
    poll = POLL if cloud else 10 * POLL
    finished = windows.follow(chosen, Screen(error=True), poll, uri, platform["bucket"])
    emit(finished, as_json, outcomes.summary(environment, finished, layout.width()))
    outcomes.require_success(finished)


@app.command()
def interrupt(name: str) -> None:
    """Take the spot instance of a running job away (local cloud only); it resumes on the next one."""
    cloud: dict[str, Any] | None = enter(LOCAL, say)
    assert cloud
    take_instance_away(cloud, name)
    print(f"{name} is interrupted")
