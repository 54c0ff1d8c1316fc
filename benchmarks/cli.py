"""How long a user waits: `shoestring --help`, and `pulumi preview` of the platform against that of an empty program.

    eval "$(.venv/bin/shoestring env local)"
    .venv/bin/python benchmarks/cli.py [--json] [--repeat 5] [--stack local]

Nothing is changed: the platform's stack is only previewed, and the empty program has a state of its own that goes with
it. The bare interpreter and the empty program show what of the time is not ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shoestring.errors import UserError
from shoestring.paths import ROOT

SHOESTRING = Path(sys.executable).with_name("shoestring")
NEEDED = ("PULUMI_HOME", "PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "AWS_ENDPOINT_URL")


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Runs a command; returns its seconds, and raises UserError with what it wrote where it fails."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise UserError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout.strip()}")
    return time.perf_counter() - started


def median(command: list[str], repeat: int, folder: Path, environment: Mapping[str, str]) -> float:
    """The middle one of `repeat` runs, after one that warms the caches."""
    run(command, folder, environment)
    return statistics.median(run(command, folder, environment) for _ in range(repeat))


def preview(repeat: int, stack: str, folder: Path, environment: Mapping[str, str]) -> float:
    """Seconds of a preview."""
    command = ["pulumi", "preview", "--stack", stack, "--non-interactive", "--color", "never"]
    return median(command, repeat, folder, environment)


def empty_preview(repeat: int) -> float:
    """Seconds of a preview of a program without resources, on the same engine and interpreter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: empty\nruntime: {name: python}\n")
        (folder / "__main__.py").write_text("import pulumi\n")
        environment = {**os.environ, "PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}
        run(["pulumi", "stack", "init", "empty", "--non-interactive"], folder, environment)
        return preview(repeat, "empty", folder, environment)


def measure(repeat: int, stack: str) -> list[dict[str, Any]]:
    """What was run, its median seconds, and how often that of what it is compared with.

    Raises:
        UserError: the environment was not prepared, or a command fails.
    """
    if missing := [name for name in NEEDED if name not in os.environ]:
        raise UserError(
            f"not set: {', '.join(missing)}", "the local environment's variables", 'eval "$(shoestring env local)"'
        )
    if not (ROOT / "Pulumi.yaml").exists():
        raise UserError("there is no Pulumi.yaml at the top of the checkout", "the platform's program")
    bare = median([sys.executable, "-c", "pass"], repeat, ROOT, os.environ)
    help_ = median([str(SHOESTRING), "--help"], repeat, ROOT, os.environ)
    empty = empty_preview(repeat)
    platform = preview(repeat, stack, ROOT, os.environ)
    pairs = [("python -c pass", bare, bare), ("shoestring --help", help_, bare)]
    pairs += [("pulumi preview, empty", empty, empty), (f"pulumi preview, {stack}", platform, empty)]
    return [
        {"command": name, "median_seconds": round(seconds, 3), "ratio": round(seconds / base, 2)}
        for name, seconds, base in pairs
    ]


def main() -> None:
    """Prints the results, for people or for machines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each command")
    parser.add_argument("--stack", default="local", help="the platform's stack")
    words = parser.parse_args()
    try:
        results = measure(words.repeat, words.stack)
    except UserError as error:
        sys.exit(f"error: {error}")
    if words.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'command':<28}{'median s':>9}{'ratio':>8}")
    for r in results:
        print(f"{r['command']:<28}{r['median_seconds']:>9.3f}{r['ratio']:>8.2f}")


if __name__ == "__main__":
    main()
