"""What works on an environment's platform, and has no group: train, predict, tracking."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from serving.client import FunctionUrl
from shoestring import layout, outcomes, windows
from shoestring import tracking as server
from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL
from shoestring.commands.common import Env, Json, emit, say
from shoestring.environment import enter
from shoestring.following import POLL
from shoestring.screen import Screen
from shoestring.updates import outputs


def train(
    environment: Env = LOCAL,
    again: Annotated[
        bool, typer.Option(help="Train also what a registered version has exactly the inputs of.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the training window up, follow its jobs, and tear it down whatever happens."""
    cloud = enter(environment, say)
    platform = outputs(environment)
    mlflow = server.nearest(platform, say) if cloud else server.FORWARDED
    bucket, poll = platform["bucket"], POLL if cloud else 10 * POLL
    jobs = windows.train(environment, bucket, Screen(error=True), poll, mlflow, again)
    emit(jobs, as_json, outcomes.summary(environment, jobs, layout.width()))
    outcomes.require_success(jobs)


def predict(
    rows: Annotated[typer.FileText, typer.Argument(help="a JSON list of objects, or - for standard input")],
    model: Annotated[str, typer.Option(help="where several are served; by default shoestring:inference.model")] = "",
    environment: Env = LOCAL,
) -> None:
    """Ask a served model, over HTTP with a signed request; prints its answer as JSON."""
    cloud = enter(environment, say)
    try:
        records = json.load(rows)
    except ValueError as error:
        raise UserError(f"{rows.name} is not JSON: {error}", 'like [{"mean_radius": 14.1, …}]') from error
    platform = outputs(environment)
    function = FunctionUrl(platform["inference_url"], platform["region"], cloud["aws_endpoint"] if cloud else None)
    status, answer = function.predict(records if isinstance(records, list) else [records], model)
    print(json.dumps(answer, indent=2))
    raise typer.Exit(0 if status == 200 else 1)


def tracking(environment: Env = LOCAL) -> None:
    """Say where the MLflow server's pages are, or how to reach them on AWS."""
    cloud = enter(environment, say)
    platform = outputs(environment)
    print(server.opening(server.local_address(platform)) if cloud else server.forwarding(platform))
