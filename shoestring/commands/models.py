"""`shoestring models`: the registered models of an environment, and which version of one is served."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from textwrap import indent
from typing import Annotated, Any

import typer

from shoestring import layout
from shoestring import models as registry
from shoestring import tracking as server
from shoestring.base.names import LOCAL
from shoestring.commands.common import Env, Json, emit, say
from shoestring.environment import enter
from shoestring.following import figures
from shoestring.updates import configuration, outputs

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(
    model: Annotated[str, typer.Argument(help="all models, if none is named")] = "",
    environment: Env = LOCAL,
    as_json: Json = False,
) -> None:
    """List the versions of a model or of all, which one of each is champion, and which are served."""
    enter(environment, say)
    platform, champions = outputs(environment), registry.champions(environment)
    served = platform.get("models", {})
    versions = registry.versions(platform["bucket"], model)
    for version in versions:
        name, number = version["name"], str(version["version"])
        version["champion"], version["served"] = champions.get(name) == number, served.get(name) == number
    emit(versions, as_json, "\n".join(_lines(versions, layout.width())) or "no versions yet")


def _lines(versions: list[dict[str, Any]], width: int) -> Iterator[str]:
    for name, group in groupby(versions, key=itemgetter("name")):
        yield name
        yield indent(layout.table([_row(version) for version in group], 3, width - 2), "  ")


def _row(version: dict[str, Any]) -> list[str]:
    marks = ", ".join(mark for mark in ("champion", "served") if version[mark])
    return [str(version["version"]), marks, version["job"], *figures(version["metrics"])]


@app.command()
def promote(
    model: str,
    version: Annotated[str, typer.Argument(help="a version's number, or latest")] = "latest",
    environment: Env = LOCAL,
) -> None:
    """Choose the version of a model to serve; the next pulumi up publishes it. To roll back, promote an older one."""
    from stacks.settings import PlatformSettings, read  # here, for it is heavy

    enter(environment, say)
    platform, settings = outputs(environment), read(environment, configuration(environment))
    assert isinstance(settings, PlatformSettings)
    chosen = registry.promote(environment, platform["bucket"], model, version)
    left = registry.to_publish(environment, model, chosen, platform.get("models", {}), settings.inference)
    print(f"{model} version {chosen} is champion; {left or 'it is served'}")


@app.command()
def register(
    job: str,
    environment: Env = LOCAL,
    tracking_uri: Annotated[str, typer.Option(help="the MLflow server; on AWS after `shoestring tracking`")] = "",
) -> None:
    """Register a finished job's model, where the job itself could not reach MLflow; repeatable."""
    cloud = enter(environment, say)
    platform = outputs(environment)
    uri = tracking_uri or (server.local_address(platform) if cloud else server.FORWARDED)
    version = registry.register(job, uri, platform["bucket"])
    print(f"{version.name} version {version.version} {'is registered' if version.new else 'was registered before'}")
