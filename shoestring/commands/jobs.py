"""`shoestring jobs`: the training jobs of an environment."""

from __future__ import annotations

import typer

from localcloud.sagemaker.client import interrupt as take_instance_away
from shoestring.base.names import LOCAL
from shoestring.commands.common import Env, Json, emit, say
from shoestring.environment import enter
from shoestring.jobs import Log, describe, recent

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(environment: Env = LOCAL, as_json: Json = False) -> None:
    """List the newest training jobs."""
    enter(environment, say)
    jobs = recent()
    rows = "\n".join(f"{job['created'][:19]}  {job['status']:<12}{job['name']}" for job in jobs)
    emit(jobs, as_json, rows or "no training jobs")


@app.command()
def logs(name: str, environment: Env = LOCAL) -> None:
    """Print what a training job has said so far."""
    enter(environment, say)
    describe(name)
    for line in Log(name).new():
        print(line)


@app.command()
def interrupt(name: str) -> None:
    """Take the spot instance of a running job away (local cloud only); it resumes on the next one."""
    cloud = enter(LOCAL, say)
    assert cloud
    take_instance_away(cloud, name)
    print(f"{name} is interrupted")
