"""How long it takes to price a saved preview of 1,000 resources, against only reading the same file as JSON.

    .venv/bin/python benchmarks/plan.py [--json] [--repeat 5] [--resources 1000]

The preview is the one of a web shop (tests/costs/plan/data) again and again under other names, with the source
positions that the engine writes. Within one process: reading its JSON, reading it as a plan, pricing it before and
after. As a command: `shoestring cost plan --from FILE --json` from start to end, beside an interpreter that only reads
the JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from costs.book.prices import PriceBook
from costs.plan.plan import price_plan
from costs.plan.preview import read
from shoestring.base.paths import ROOT

SAMPLE = ROOT / "tests" / "costs" / "plan" / "data" / "webshop-preview.json"
SHOESTRING = Path(sys.executable).with_name("shoestring")
POSITIONS = [{"sourcePosition": f"project:///program/layer_{line % 7}.py#{line}"} for line in range(16)]
LOAD = "import json, sys; json.load(open(sys.argv[1]))"


def preview(count: int) -> str:
    """A preview of `count` resources, all of which are there already and stay."""
    sample = json.loads(SAMPLE.read_text())
    text = [json.dumps(step) for step in sample["steps"]]
    steps: list[dict[str, Any]] = []
    copy = 0
    while len(steps) < count:
        for step in map(json.loads, (each.replace("::webshop::", f"::webshop{copy}::") for each in text)):
            step["newState"]["stackTrace"] = POSITIONS
            steps.append({**step, "op": "update", "oldState": step["newState"]})
        copy += 1
    steps = steps[:count]
    return json.dumps({**sample, "steps": steps, "changeSummary": {"update": count}}, indent=4)


def timed(work: Callable[[], object], repeat: int) -> float:
    """The middle one of the times of several runs, the first of which only warms up."""
    taken = []
    for _ in range(1 + repeat):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[1:])


def measure(count: int, repeat: int) -> dict[str, Any]:
    """The times in seconds, and how often reading the JSON alone goes into them."""
    text = preview(count)
    book = PriceBook.load()
    plan = read(text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "preview.json")
        path.write_text(text)
        command = [str(SHOESTRING), "cost", "plan", "--from", str(path), "--json"]
        loading = [sys.executable, "-c", LOAD, str(path)]
        seconds = {
            "json.load": timed(lambda: json.loads(path.read_text()), repeat),
            "read as a plan": timed(lambda: read(path.read_text()), repeat),
            "price": timed(lambda: price_plan(plan, book), repeat),
            "python, json.load": timed(lambda: _run(loading), repeat),
            "shoestring cost plan --json": timed(lambda: _run(command), repeat),
        }
    in_process = seconds["read as a plan"] + seconds["price"]
    return {
        "resources": count,
        "megabytes": round(len(text) / 1e6, 1),
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "ratio_in_process": round(in_process / seconds["json.load"], 2),
        "ratio_of_commands": round(seconds["shoestring cost plan --json"] / seconds["python, json.load"], 2),
    }


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{' '.join(command)} exited with {done.returncode}:\n{done.stderr.strip()[-2000:]}")


def main() -> None:
    """Prints the results, for people or for machines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each")
    parser.add_argument("--resources", type=int, default=1000, help="in the preview")
    words = parser.parse_args()
    figures = measure(words.resources, words.repeat)
    if words.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{figures['resources']} resources, {figures['megabytes']} MB of JSON")
    for name, seconds in figures["seconds"].items():
        print(f"  {name:<30}{seconds * 1000:>9.1f} ms")
    print(f"  reading and pricing take {figures['ratio_in_process']} times what json.load takes;")
    print(f"  the command {figures['ratio_of_commands']} times an interpreter that only loads the JSON")


if __name__ == "__main__":
    main()
