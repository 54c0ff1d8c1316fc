"""`shoestring`: the command line. Each command imports what it needs, so that `--help` stays fast."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from shoestring.errors import UserError

app = typer.Typer(
    rich_markup_mode=None,  # the rich help costs more time than all the rest of `--help`
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Machine learning on a small AWS budget: platform, training windows, local cloud.",
)

cloud = typer.Typer(no_args_is_help=True, help="The local cloud: an emulated AWS account on this machine.")
app.add_typer(cloud, name="cloud")

Json = Annotated[bool, typer.Option("--json", help="Print the facts for machines.")]
Environment = Annotated[str, typer.Argument(help="local, dev, staging or prod", metavar="ENV")]


def say(text: str) -> None:
    """Progress and remarks: to standard error, so that standard output can be piped or evaluated."""
    print(text, file=sys.stderr, flush=True)


def emit(facts: object, as_json: bool, text: str) -> None:
    """The result of a command: for machines or for people."""
    print(json.dumps(facts, indent=2, default=str) if as_json else text)


@app.command()
def setup() -> None:
    """Put the engine and its launchers in place (called by make setup)."""
    from shoestring.installation import set_up

    described, changed = set_up(lambda line: say(f"set-up: {line}"))
    what = f"Pulumi {described['version']} ({described['source']})"
    say(f"set-up: done: {what}" if changed else f"set-up: nothing to do: {what}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Name everything that is missing or wrong, each with the command that mends it."""
    from shoestring.doctor import examine, render

    findings = examine()
    emit([finding.facts() for finding in findings], as_json, render(findings))
    raise typer.Exit(1 if any(finding.needed and not finding.good for finding in findings) else 0)


@app.command()
def env(environment: Environment) -> None:
    """Print the variables under which plain pulumi works: eval "$(shoestring env local)"."""
    from shoestring.environment import check_name, local_environment, remote_environment, shell_lines

    if check_name(environment) != "local":
        print(shell_lines(remote_environment(), local=False))
        return
    from localcloud import supervisor
    from shoestring.environment import require_set_up
    from shoestring.paths import home

    require_set_up()
    print(shell_lines(local_environment(supervisor.up(home(), progress=say)), local=True))


@cloud.command("up")
def cloud_up(
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget everything in the emulated account.")] = False,
    as_json: Json = False,
) -> None:
    """Start the local cloud, or heal it; does nothing where it runs well."""
    from localcloud import supervisor
    from shoestring.paths import home

    described = supervisor.up(home(), fresh=fresh, progress=say)
    emit(described, as_json, f"the local cloud is up: {described['aws_endpoint']}")


@cloud.command("down")
def cloud_down(as_json: Json = False) -> None:
    """Stop everything that the local cloud runs; its account is kept for the next up."""
    from localcloud import supervisor
    from shoestring.paths import home

    stopped = supervisor.down(home())
    emit({"stopped": stopped}, as_json, "stopped: " + ", ".join(stopped) if stopped else "nothing was running")


@cloud.command("status")
def cloud_status(as_json: Json = False) -> None:
    """Say whether the local cloud runs; exit code 1 where it does not."""
    from localcloud import supervisor
    from shoestring.paths import home

    status = supervisor.status(home())
    parts = "".join(f"\n  {name}: {state}" for name, state in status["parts"].items())
    mend = "" if status["state"] == "up" else "\n  mend it:  shoestring cloud up"
    emit(status, as_json, f"the local cloud is {status['state']}{parts}{mend}")
    raise typer.Exit(0 if status["state"] == "up" else 1)


@cloud.command("logs")
def cloud_logs(lines: Annotated[int, typer.Option("-n", min=1, help="Lines of each log.")] = 40) -> None:
    """Show the last lines of each part's log."""
    from localcloud import supervisor
    from shoestring.paths import home

    for path in supervisor.log_paths(home()):
        print(f"== {path}")
        print("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))


@cloud.command("account")
def cloud_account(as_json: Json = False) -> None:
    """List everything in the emulated account; exit code 1 where anything is there."""
    from localcloud import supervisor
    from localcloud.account import list_account
    from shoestring.paths import home

    found = list_account(supervisor.up(home(), progress=say))
    rows = "\n".join(f"{item['service']:<15} {item['type']:<20} {item['id']}" for item in found)
    emit(found, as_json, rows or "the account is empty")
    raise typer.Exit(1 if found else 0)


def main() -> None:
    """Entry point: errors for people become one message and an exit code."""
    try:
        app()
    except UserError as error:
        say(f"error: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)


if __name__ == "__main__":
    main()
