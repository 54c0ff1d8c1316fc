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

    variables = local_environment() if check_name(environment) == "local" else remote_environment()
    print(shell_lines(variables, local=environment == "local"))


def main() -> None:
    """Entry point: errors for people become one message and an exit code."""
    try:
        app()
    except UserError as error:
        say(f"error: {error.message}")
        sys.exit(error.code)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)


if __name__ == "__main__":
    main()
