"""`shoestring models`: the registered models of an environment, and which version of one is served."""

from __future__ import annotations

from typing import Annotated

import typer

from shoestring import models as registry
from shoestring import tracking as server
from shoestring.base.names import LOCAL
from shoestring.commands.common import Env, Json, emit, say
from shoestring.environment import enter
from shoestring.updates import outputs

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(model: str, environment: Env = LOCAL, as_json: Json = False) -> None:
    """List a model's versions, and which one is served."""
    enter(environment, say)
    champion = registry.champion(environment, model)
    versions = registry.versions(outputs(environment)["bucket"], model)
    for version in versions:
        version["champion"] = str(version["version"]) == champion
    rows = "\n".join(
        f"{version['version']:>4}  {'champion' if version['champion'] else '':<9}{version['job']}  "
        + "  ".join(f"{name}={value:.4g}" for name, value in version["metrics"].items())
        for version in versions
    )
    emit(versions, as_json, rows or "no versions yet")


@app.command()
def promote(
    model: str,
    version: Annotated[str, typer.Argument(help="a version's number, or latest")] = "latest",
    environment: Env = LOCAL,
) -> None:
    """Choose the version to serve; the next pulumi up publishes it. To roll back, promote an older one."""
    enter(environment, say)
    chosen = registry.promote(environment, outputs(environment)["bucket"], model, version)
    print(f"{model} version {chosen} is champion; publish it: pulumi up -s {environment} --policy-pack policies")


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
