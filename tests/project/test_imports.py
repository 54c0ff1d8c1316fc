"""The allowed imports stand in pyproject.toml, hold, and would not hold if one were broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shoestring.base.paths import ROOT

PACKAGES = ("shoestring", "stacks", "components", "training", "serving", "policies", "costs", "localcloud")
COMMAND = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(COMMAND, cwd=folder, text=True, capture_output=True, timeout=120)


def test_the_contracts_hold() -> None:
    answer = check(ROOT)
    assert answer.returncode == 0, answer.stdout
    assert " 0 broken" in answer.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.csv"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("costs/plan/plan.py", "pulumi"),
        ("costs/amounts.py", "shoestring.screen"),
        ("training/job/checkpoint.py", "pulumi"),
        ("training/job/tracking.py", "training.job.sender"),
        ("serving/predictor.py", "training.job.checkpoint"),
        ("components/network.py", "stacks.settings"),
        ("stacks/window.py", "localcloud.supervisor"),
        ("policies/values.py", "components.network"),
        ("policies/safety/ports.py", "policies.waste.logs"),
        ("shoestring/base/errors.py", "shoestring.cli"),
        ("localcloud/processes.py", "stacks.settings"),
    ],
)
def test_a_forbidden_import_is_found_also_inside_a_function(copy: Path, module: str, forbidden: str) -> None:
    path = copy / module
    text = path.read_text()
    path.write_text(f"{text}\n\ndef hidden() -> None:\n    import {forbidden}\n")
    try:
        answer = check(copy)
    finally:
        path.write_text(text)
    assert answer.returncode == 1
    assert "BROKEN" in answer.stdout
