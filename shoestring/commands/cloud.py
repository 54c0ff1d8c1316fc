"""`shoestring cloud`: the local cloud's processes, and what is in its account."""

from __future__ import annotations

from typing import Annotated

import typer

from localcloud import supervisor
from localcloud.account import list_account
from shoestring.base.errors import MEND
from shoestring.base.names import LOCAL
from shoestring.base.paths import home
from shoestring.commands.common import Json, emit, say
from shoestring.demo import recovery
from shoestring.environment import enter
from shoestring.setup.installation import installed

app = typer.Typer(no_args_is_help=True)


@app.command()
def up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget the emulated account, and the local stacks.")] = False,
    as_json: Json = False,
) -> None:
    """Start the local cloud, or heal it; does nothing where it runs well."""
    if fresh:
        recovery.forget()
    else:
        recovery.clear(say)
    cloud = supervisor.up(home(), progress=say)
    if fresh and installed():
        enter(LOCAL, say)  # makes the stacks anew, for the shells that work on them
    del cloud["variables"]  # the keys; `shoestring env local` gives them to a shell
    emit(cloud, as_json, f"the local cloud is up: {cloud['aws_endpoint']}")


@app.command()
def down(as_json: Json = False) -> None:
    """Stop everything that the local cloud runs; its account is kept for the next up."""
    stopped = ["a killed demo"] if recovery.clear(say) else supervisor.down(home())
    emit({"stopped": stopped}, as_json, "stopped: " + ", ".join(stopped) if stopped else "nothing was running")


@app.command()
def status(as_json: Json = False) -> None:
    """Say whether the local cloud runs; exit code 1 where it does not."""
    facts = supervisor.status(home())
    is_up = facts["state"] == "up"
    parts = "".join(f"\n  {name}: {state}" for name, state in facts["parts"].items())
    emit(
        facts,
        as_json,
        f"the local cloud is {facts['state']}{parts}" + ("" if is_up else f"\n{MEND}shoestring cloud up"),
    )
    raise typer.Exit(0 if is_up else 1)


@app.command()
def logs(lines: Annotated[int, typer.Option("-n", min=1, help="Lines of each log.")] = 40) -> None:
    """Show the last lines of each part's log."""
    for path in supervisor.log_paths(home()):
        print(f"== {path}")
        print("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))


@app.command()
def account(as_json: Json = False) -> None:
    """List everything in the emulated account; exit code 1 where anything is there."""
    resources = list_account(supervisor.up(home(), progress=say))
    rows = "\n".join(f"{resource['service']:<15} {resource['type']:<20} {resource['id']}" for resource in resources)
    emit(resources, as_json, rows or "the account is empty")
    raise typer.Exit(1 if resources else 0)
