"""`shoestring setup`, `doctor` and `repair`: what this machine, checkout and account have, what they lack, the mend."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL
from shoestring.commands.common import NAMES, Environment, Json, emit, say
from shoestring.environment import enter
from shoestring.repair import check, mend
from shoestring.repair import examine as examine_environment
from shoestring.setup.doctor import examine, render
from shoestring.setup.installation import set_up

MaybeEnv = Annotated[str | None, typer.Option("-e", "--env", help=NAMES, metavar="ENV")]


def setup() -> None:
    """Put the engine and its launchers in place (called by make setup)."""
    installed, changed = set_up(lambda line: say(f"set-up: {line}"))
    engine = f"Pulumi {installed['version']} ({installed['source']})"
    say(f"set-up: done: {engine}" if changed else f"set-up: nothing to do: {engine}")


def doctor(environment: MaybeEnv = None, as_json: Json = False) -> None:
    """Name all that is missing or wrong, each with a command that mends it; with -e also quotas and mail."""
    checks = examine()
    if environment:
        from shoestring.mail import examine_mail
        from shoestring.quotas import examine_quotas

        enter(environment, say)
        checks += examine_quotas(environment) + examine_mail(environment)
    checks.append(check(environment or LOCAL))
    emit([asdict(check) for check in checks], as_json, render(checks))
    raise typer.Exit(1 if any(check.needed and not check.good for check in checks) else 0)


def repair(
    environment: Environment,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    also_unnamed: Annotated[
        bool, typer.Option(help="Remove also what only its tags Project and Environment say to be of ENV.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Mend what a killed update left: locks, operations without an end, resources in no state, processes."""
    enter(environment, say)
    findings = examine_environment(environment)
    if also_unnamed:
        findings.accept(findings.doubtful)
    lines, asked = findings.lines(), sys.stdin.isatty() and not yes
    say("\n".join(f"{what}\n  to be {cure}" for what, cure in lines) or "nothing to repair")
    if findings.due and not yes:
        if not asked:
            raise UserError("nothing was changed", "a yes", f"shoestring repair {environment} --yes")
        typer.confirm("Do this?", abort=True, err=True)
    if asked:
        findings.accept([found for found in findings.doubtful if typer.confirm(f"Remove {found} too?", err=True)])
    due, lines = findings.due, findings.lines()
    mend(findings, say)
    text = f"repaired; go on with: pulumi up or pulumi destroy, --stack {environment}" if due else ""
    emit([{"found": what, "to_be": cure} for what, cure in lines], as_json, text)
