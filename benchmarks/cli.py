"""How long a user waits for `--help`, against a program with nothing but Typer: what of the time is not ours.

    .venv/bin/python benchmarks/cli.py [--json] [--repeat 5]

On a machine that does other things as well, look at the processor time: that of a command and of all processes that it
starts; its least is the steadiest figure, as a disturbance only ever adds.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT

SHOESTRING = Path(sys.executable).with_name("shoestring")
# Two commands, so that they are a group; one with an option, as reading those costs Typer the most.
TYPER_ALONE = """
import typer
app = typer.Typer(rich_markup_mode=None, add_completion=False)
@app.command()
def greet(name: str = "you") -> None:
    print(name)
@app.command()
def leave() -> None:
    print("bye")
app()
"""
GROUPS = ("budget", "cloud", "cost", "jobs", "models", "policies", "prices")


class Command:
    """A command line, where it runs, and what its runs took: (seconds, seconds of processor time of all processes)."""

    def __init__(
        self, name: str, program: list[str], *words: str, folder: Path = ROOT, environment: dict[str, str] | None = None
    ) -> None:
        self.name, self.words = " ".join([name, *words]), [*program, *words]
        self.folder, self.environment = folder, environment
        self.times: list[tuple[float, float]] = []

    def run(self) -> None:
        """Runs it once; raises UserError with what it wrote where it fails."""
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        completed = subprocess.run(
            self.words, cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        if completed.returncode:
            raise UserError(f"{' '.join(self.words)} exited with {completed.returncode}:\n{completed.stdout.strip()}")
        self.times.append((seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime))

    def median(self, which: int) -> float:
        """The middle one of the runs; the first only warms the caches."""
        return statistics.median(run[which] for run in self.times[1:])

    def least_processor_seconds(self) -> float:
        """Of all runs."""
        return min(processor_seconds for _, processor_seconds in self.times)


def compare(base: Command, commands: list[Command], repeat: int) -> list[dict[str, Any]]:
    """Runs all in turn, so that all meet the same disturbances; each against `base`."""
    for _ in range(1 + repeat):
        for command in (base, *commands):
            command.run()
    return [
        {
            "command": command.name,
            "median_seconds": round(command.median(0), 3),
            "ratio": round(command.median(0) / base.median(0), 2),
            "processor_seconds": round(command.median(1), 3),
            "processor_ratio": round(command.median(1) / base.median(1), 2),
            "least_processor_ratio": round(command.least_processor_seconds() / base.least_processor_seconds(), 2),
        }
        for command in (base, *commands)
    ]


def compare_helps(repeat: int) -> list[dict[str, Any]]:
    """`--help` of the whole, and of each group, against those of a program that has only Typer."""
    ours, typer_alone = [str(SHOESTRING)], [sys.executable, "-c", TYPER_ALONE]
    whole = [Command("shoestring", ours, "--help")]
    groups = [Command("shoestring", ours, name, "--help") for name in GROUPS]
    return [
        *compare(Command("typer alone,", typer_alone, "--help"), whole, repeat),
        *compare(Command("typer alone,", typer_alone, "greet", "--help"), groups, repeat),
    ]


def main() -> None:
    """Prints the results, for people or for machines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each command")
    words = parser.parse_args()
    try:
        results = compare_helps(words.repeat)
    except UserError as error:
        sys.exit(f"error: {error}")
    if words.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'command':<28}{'median s':>10}{'ratio':>7}{'processor s':>13}{'ratio':>7}{'of the least':>14}")
    for row in results:
        print(
            f"{row['command']:<28}{row['median_seconds']:>10.3f}{row['ratio']:>7.2f}{row['processor_seconds']:>13.3f}"
            f"{row['processor_ratio']:>7.2f}{row['least_processor_ratio']:>14.2f}"
        )


if __name__ == "__main__":
    main()
