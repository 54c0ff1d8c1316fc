"""`shoestring setup` and `shoestring doctor`: what this machine and checkout have, and what they lack."""

from __future__ import annotations

from dataclasses import asdict

import typer

from shoestring.commands.common import Json, emit, say
from shoestring.setup.doctor import examine, render
from shoestring.setup.installation import set_up


def setup() -> None:
    """Put the engine and its launchers in place (called by make setup)."""
    installed, changed = set_up(lambda line: say(f"set-up: {line}"))
    engine = f"Pulumi {installed['version']} ({installed['source']})"
    say(f"set-up: done: {engine}" if changed else f"set-up: nothing to do: {engine}")


def doctor(as_json: Json = False) -> None:
    """Name everything that is missing or wrong, each with the command that mends it."""
    checks = examine()
    emit([asdict(check) for check in checks], as_json, render(checks))
    raise typer.Exit(1 if any(check.needed and not check.good for check in checks) else 0)
