"""What all commands share: how they speak, and the options that mean the same everywhere."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from shoestring.base.names import ENVIRONMENTS

NAMES = f"{', '.join(ENVIRONMENTS[:-1])} or {ENVIRONMENTS[-1]}"
Json = Annotated[bool, typer.Option("--json", help="Print the facts for machines.")]
Environment = Annotated[str, typer.Argument(help=NAMES, metavar="ENV")]
Env = Annotated[str, typer.Option("-e", "--env", help=NAMES, metavar="ENV")]


def say(text: str) -> None:
    """Progress and remarks: to standard error, so that standard output can be piped or evaluated."""
    print(text, file=sys.stderr, flush=True)


def emit(facts: object, as_json: bool, text: str) -> None:
    """The result of a command: for machines, or for people, who get no empty line where there is nothing to say."""
    if as_json or text:
        print(json.dumps(facts, indent=2, default=str) if as_json else text)
