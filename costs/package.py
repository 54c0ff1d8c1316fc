"""The zip of the functions that watch over the costs: the budget's guard and the weekly report, in one."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from shoestring import lambda_package
from shoestring.lambda_package import Progress

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
MODULES = ("__init__.py", "charges.py", "estimates.py", "gate.py", "guard.py", "prices.py", "prices.csv", "spot.py")
FOLDERS = ("report",)
RUNS = frozenset({".py", ".j2", ".html", ".css", ".js", ".svg", ".csv", ".json"})
UNUSED = (".lock", "*.pyc", "*.pyi", "*.c", "RECORD", "INSTALLER", "REQUESTED")


def _sources() -> dict[str, Path]:
    """What of this folder runs inside the functions, by its path in the zip."""
    files = [HERE / name for name in MODULES if (HERE / name).exists()]
    for folder in FOLDERS:
        files += [path for path in sorted((HERE / folder).rglob("*")) if path.suffix in RUNS]
    return {f"costs/{path.relative_to(HERE).as_posix()}": path for path in files}


def _needed(path: PurePosixPath) -> bool:
    return "__pycache__" not in path.parts and not any(path.match(name) for name in UNUSED)


def build(architecture: str, python_version: str, folder: Path, progress: Progress) -> Path:
    """Makes `<folder>/costs-<hash>.zip`, or returns it where it was made before; see `lambda_package.build`."""
    content = lambda_package.Content(
        name="costs",
        requirements=REQUIREMENTS,
        sources=_sources(),
        needed=_needed,
        recipe=(Path(__file__), Path(lambda_package.__file__)),
    )
    return lambda_package.build(content, architecture, python_version, folder, progress)
