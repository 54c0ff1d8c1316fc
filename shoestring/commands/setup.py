"""`shoestring setup` and `shoestring doctor`: what this machine and checkout have, and what they lack."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from shoestring.commands.common import NAMES, Json, emit, say
from shoestring.setup.doctor import examine, render
from shoestring.setup.installation import set_up

MaybeEnv = Annotated[str | None, typer.Option("-e", "--env", help=NAMES, metavar="ENV")]


def setup() -> None:
    """Put the engine and its launchers in place (called by make setup)."""
    installed, changed = set_up(lambda line: say(f"set-up: {line}"))
    engine = f"Pulumi {installed['version']} ({installed['source']})"
    say(f"set-up: done: {engine}" if changed else f"set-up: nothing to do: {engine}")


def doctor(environment: MaybeEnv = None, as_json: Json = False) -> None:
    """Name everything that is missing or wrong, each with a command that mends it; with -e the account's quotas too."""
    checks = examine()
    if environment:
        from shoestring.environment import enter
        from shoestring.quotas import examine_quotas

        enter(environment, say)
        checks += examine_quotas(environment)
    emit([asdict(check) for check in checks], as_json, render(checks))
    raise typer.Exit(1 if any(check.needed and not check.good for check in checks) else 0)
