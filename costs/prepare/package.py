"""The zip of the functions that watch over the costs: the budget's guard and the weekly report, in one."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from shoestring.base import closure, function_package
from shoestring.base.function_package import Progress
from shoestring.base.paths import ROOT

REQUIREMENTS = ROOT / "costs/function/requirements.txt"
ENTRIES = ("costs.function.guard", "costs.function.weekly_report")
UNUSED = (".lock", "*.pyc", "*.pyi", "*.c", "RECORD", "INSTALLER", "REQUESTED")


def _needed(path: PurePosixPath) -> bool:
    return "__pycache__" not in path.parts and not any(path.match(name) for name in UNUSED)


def build(architecture: str, python_version: str, folder: Path, progress: Progress) -> Path:
    """Makes `<folder>/costs-<hash>.zip`, or returns it where it was made before; see `function_package.build`."""
    content = function_package.Content(
        name="costs",
        requirements=REQUIREMENTS,
        sources=closure.sources(ENTRIES),
        needed=_needed,
        recipe=(Path(__file__), Path(function_package.__file__)),
    )
    return function_package.build(content, architecture, python_version, folder, progress)
