"""Shared by the tests of components."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]

# parliament asks setuptools' pkg_resources, which is gone since setuptools 82, where its own files are.
if "pkg_resources" not in sys.modules:
    resources = ModuleType("pkg_resources")
    resources.resource_filename = lambda package, name: str(files(package) / name)  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = resources


@pytest.fixture
def run_python() -> Callable[[str], str]:
    """Runs a program text in a Python of its own; returns what it prints."""

    def run(text: str) -> str:
        done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
