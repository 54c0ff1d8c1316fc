"""The zip of the guard and the report holds all that they need, and the same bytes for the same inputs."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from costs.prepare import package
from shoestring.base.function_package import LAMBDA_PYTHON, host
from shoestring.base.paths import ROOT

SILENT = lambda line: None  # noqa: E731
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import costs.function.guard, costs.function.weekly_report, costs.report.html, jinja2, markupsafe
from costs.book.prices import PriceBook
assert callable(costs.function.guard.handler) and callable(costs.function.weekly_report.handler)
assert jinja2.__file__.startswith(sys.argv[1]) and len(PriceBook.load()) > 100
from costs.report import html
print(sorted(name for name in ("pulumi", "pydantic", "platformdirs", "yaml", "boto3") if name in sys.modules))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.build(*host(), tmp_path_factory.mktemp("packages"), SILENT)


def test_both_functions_load_from_the_zip_alone(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert built.stat().st_size < 1_000_000


def test_the_same_inputs_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = package.build(*host(), tmp_path, SILENT)
    assert (again.name, again.read_bytes()) == (built.name, built.read_bytes())
    names = zipfile.ZipFile(built).namelist()
    assert not [name for name in names if "__pycache__" in name or name.endswith(".lock")]
    assert {"costs/report/report.html.j2", "costs/book/prices.csv", "costs/gate.py"} <= set(names)


def test_the_functions_processor_decides_about_the_wheels(tmp_path: Path) -> None:
    names = zipfile.ZipFile(package.build("arm64", LAMBDA_PYTHON, tmp_path, SILENT)).namelist()
    assert [name for name in names if name.endswith(".so")] == [
        f"markupsafe/_speedups.cpython-{LAMBDA_PYTHON.replace('.', '')}-aarch64-linux-gnu.so"
    ]


def test_versions_and_hashes_are_those_of_the_lock_file() -> None:
    def pins(path: Path) -> dict[str, str]:
        text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text())
        return dict(re.findall(r"(?m)^([\w.-]+==[^\\]*?) \\\n((?:\s+--hash=\S+(?: \\)?\n?)+)", text))

    own, locked = pins(package.COSTS.requirements), pins(ROOT / "requirements.lock")
    assert [pin.split("==")[0] for pin in own] == ["jinja2", "markupsafe"]
    assert {pin: hashes.split() for pin, hashes in own.items()} == {pin: locked[pin].split() for pin in own}
