"""`--help` answers at once, and what it says of a command is what the command says of itself."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from shoestring import cli
from shoestring.base.paths import ROOT
from shoestring.commands import cost
from shoestring.commands.deferred import Deferred

MOST, MOST_GROUP = 1.4, 2.5  # times the processor time of a program with nothing but Typer
FEW, MANY = 3, 10  # runs: few say that it is good, only many say that it is not


def least_ratios(repeat: int) -> dict[str, float]:
    command = [sys.executable, "benchmarks/cli.py", "--json", "--repeat", str(repeat)]
    benchmark = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert benchmark.returncode == 0, benchmark.stderr
    return {row["command"]: row["least_processor_ratio"] for row in json.loads(benchmark.stdout)}


def test_help_takes_little_more_time_than_typer_alone() -> None:
    for repeat in (FEW, MANY):
        ratios = least_ratios(repeat)
        groups = [ratio for command, ratio in ratios.items() if command.startswith("shoestring ")]
        if ratios["shoestring --help"] <= MOST and max(groups) <= MOST_GROUP:
            return
    raise AssertionError(ratios)


@pytest.mark.parametrize(
    ("name", "place", "text"),
    [(name, *entry) for table in (cli.COMMANDS, cost.COMMANDS) for name, entry in table.items()],
)
def test_the_list_says_what_the_command_says(name: str, place: str, text: str) -> None:
    command = Deferred(name, place, text).load()
    assert command.name == name
    assert command.help.partition("\n\n")[0].replace("\n", " ") == text
    if hasattr(command, "commands"):
        assert command.commands
