"""A preview of the platform against that of an empty program, and what its two short cuts save.

    .venv/bin/python benchmarks/preview.py [--json] [--repeat 5]

On the real engine, the local cloud, and a state of its own; nothing is deployed. The previews run in turn, so that all
meet the same disturbances, and the least of each counts, as a disturbance only ever adds. On a machine that does other
things as well, look at the processor time: that of the engine and all that it starts. The short cuts, which load single
modules of the SDK and look for no garbage, are there because without either the platform takes LIMIT times an empty
program, or more; with both, the tests hold it below.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.cli import Command
from localcloud import supervisor
from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT, home
from shoestring.environment import local_environment, process_environment
from shoestring.setup.installation import pulumi_home

QUIETLY = ("--stack", "local", "--non-interactive", "--color", "never")
LIMIT = 2.5
EMPTY, PLATFORM = "an empty program", "the platform"
COLLECTED, WHOLE = "the platform, with garbage collection", "the platform, the SDK's packages loaded whole"
NEITHER = "the platform, with neither short cut"
PROGRAMS = {
    EMPTY: "import pulumi\n",
    PLATFORM: f"import runpy\nrunpy.run_path('{ROOT}/stacks/__main__.py', run_name='__main__')\n",
}
COLLECTING = "import gc\ngc.disable = lambda: None\n"
LOADING_WHOLE = """\
import sys
from types import ModuleType
sys.modules["components.sdk"] = ModuleType("components.sdk")
sys.modules["components.sdk"].import_modules_singly = lambda: None
"""
PROGRAMS |= {
    COLLECTED: COLLECTING + PROGRAMS[PLATFORM],
    WHOLE: LOADING_WHOLE + PROGRAMS[PLATFORM],
    NEITHER: COLLECTING + LOADING_WHOLE + PROGRAMS[PLATFORM],
}


class Bench:
    """A project for each of PROGRAMS, with the platform's configuration, on a running local cloud."""

    def __init__(self, folder: Path, cloud: dict[str, Any]) -> None:
        own = {"PULUMI_HOME": str(folder / "home"), "PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}
        self.environment = process_environment({**local_environment(cloud), **own})
        (folder / "state").mkdir()
        (folder / "home").mkdir()
        (folder / "home" / "plugins").symlink_to(pulumi_home() / "plugins")
        project = (ROOT / "Pulumi.yaml").read_text().replace("main: stacks/", "main: program/")
        project = project.replace("virtualenv: .venv", f"virtualenv: {sys.prefix}")
        self.commands: dict[str, Command] = {}
        for number, (name, program) in enumerate(PROGRAMS.items()):
            own_folder = folder / str(number)
            (own_folder / "program").mkdir(parents=True)
            (own_folder / "program" / "__main__.py").write_text(program)
            (own_folder / "Pulumi.yaml").write_text(project.replace("name: shoestring", f"name: bench-{number}"))
            (own_folder / "Pulumi.local.yaml").write_text((ROOT / "Pulumi.local.yaml").read_text())
            init, preview = (
                Command("pulumi", ["pulumi"], *words, *QUIETLY, folder=own_folder, environment=self.environment)
                for words in (["stack", "init"], ["preview"])
            )
            init.run()
            preview.run()  # fills the caches
            preview.times.clear()
            self.commands[name] = preview

    def figures(self, name: str) -> dict[str, Any]:
        """Least and middle of the runs so far, each also as a multiple of the empty program's."""
        figures: dict[str, Any] = {"preview": name}
        for place, unit in enumerate(("seconds", "processor_seconds")):
            own, base = ([run[place] for run in self.commands[program].times] for program in (name, EMPTY))
            figures |= {
                f"least_{unit}": round(min(own), 3),
                f"least_{unit}_ratio": round(min(own) / min(base), 2),
                f"median_{unit}": round(statistics.median(own), 3),
                f"median_{unit}_ratio": round(statistics.median(own) / statistics.median(base), 2),
            }
        return figures


def main() -> None:
    """Prints the results, for people or for machines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each preview")
    words = parser.parse_args()
    try:
        cloud = supervisor.up(home(), progress=lambda line: print(line, file=sys.stderr))
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder), cloud)
            for _ in range(words.repeat):
                for name in PROGRAMS:
                    bench.commands[name].run()
            results = [bench.figures(name) for name in PROGRAMS]
    except UserError as error:
        sys.exit(f"error: {error}")
    if words.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'preview':<48}{'least s':>9}{'ratio':>7}{'processor s':>13}{'ratio':>7}{'median':>8}{'ratio':>7}")
    for r in results:
        print(
            f"{r['preview']:<48}{r['least_seconds']:>9.2f}{r['least_seconds_ratio']:>7.2f}"
            f"{r['least_processor_seconds']:>13.2f}{r['least_processor_seconds_ratio']:>7.2f}"
            f"{r['median_processor_seconds']:>8.2f}{r['median_processor_seconds_ratio']:>7.2f}"
        )


if __name__ == "__main__":
    main()
