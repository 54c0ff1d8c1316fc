"""A user's bed: a copy of the program with a home of its own, so that trials leave the checkout alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from localcloud.processes import wait_until
from shoestring.base.paths import ROOT
from tests.conftest import hears_ctrl_c

PROGRAM = ("stacks", "components", "training", "serving", "costs", "policies", "shoestring", "localcloud", "monitoring")


class Bed:
    """A copy of the program in a temporary folder with a home of its own, in whose shell a user works."""

    def __init__(self, folder: Path) -> None:
        self.tree, self.home = folder / "tree", folder / "home"
        for name in filter(lambda name: (ROOT / name).is_dir(), PROGRAM):
            shutil.copytree(ROOT / name, self.tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "requirements.lock"):
            shutil.copy(ROOT / name, self.tree)
        (self.tree / ".venv").symlink_to(sys.prefix)
        self.reset()
        self.variables = {**os.environ, "SHOESTRING_HOME": str(self.home), "PYTHONPATH": str(self.tree)}
        self.command = [sys.executable, "-m", "shoestring.cli"]
        self.shoestring("setup")
        self.enter()

    def enter(self) -> None:
        """What `eval "$(shoestring env local)"` does to a shell."""
        lines = 'eval "$("$@" env local)" && env -0'
        completed = subprocess.run(
            ["bash", "-c", lines, "bash", *self.command], cwd=self.tree, env=self.variables, capture_output=True
        )
        assert completed.returncode == 0, completed.stderr.decode()
        self.variables = dict(entry.split("=", 1) for entry in completed.stdout.decode().split("\0") if "=" in entry)

    def reset(self) -> None:
        """The stack files as they are shipped."""
        for path in ROOT.glob("Pulumi*.yaml"):
            shutil.copy(path, self.tree)

    def run(self, *words: str, code: int = 0) -> str:
        """Both outputs of a command, which must end with `code` and without a traceback of ours."""
        completed = subprocess.run(
            words, cwd=self.tree, env=self.variables, text=True, timeout=240, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert completed.returncode == code, f"{words} exited with {completed.returncode}:\n{completed.stdout}"
        return completed.stdout

    def shoestring(self, *words: str, code: int = 0) -> str:
        return self.run(*self.command, *words, code=code)

    def pulumi(self, operation: str, *words: str, code: int = 0) -> str:
        changing = ["--yes", "--skip-preview"] if operation in ("up", "destroy", "refresh") else []
        shown = self.run("pulumi", operation, *words, *changing, "--non-interactive", "--color", "never", code=code)
        assert "Traceback" not in shown, shown
        return shown

    def job(self, name: str, script: str, **changes: object) -> None:
        """Writes a job, and makes it the window's only one."""
        folder = self.tree / "training" / "jobs"
        described = {"name": name, "entry_point": f"{name}.py", "data": {"builtin": "breast_cancer"}, **changes}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(described))
        (folder / f"{name}.py").write_text(script)
        self.pulumi("config", "set", "--path", "shoestring:jobs[0]", name, "--stack", "local-window")

    def started(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            words, cwd=self.tree, env=self.variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=hears_ctrl_c,
        )  # fmt: skip

    def locks(self, stack: str) -> Path:
        return self.home / "state" / ".pulumi" / "locks" / "organization" / "shoestring" / stack

    def update(self) -> subprocess.Popen[str]:
        """A plain update of the window that has taken its lock."""
        update = self.started("pulumi", "up", "-s", "local-window", "--yes", "--skip-preview", "--non-interactive")
        assert wait_until(lambda: any(self.locks("local-window").glob("*.json")) or update.poll() is not None, 60, 0.02)
        assert update.poll() is None, update.communicate()[0]
        return update

    def resources(self, stack: str) -> list[str]:
        deployment = json.loads(self.run("pulumi", "stack", "export", "--stack", stack))["deployment"]
        return sorted(resource["urn"] for resource in deployment.get("resources", []))


@pytest.fixture(scope="module")
def shared_bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    bed = Bed(tmp_path_factory.mktemp("bad"))
    try:
        bed.pulumi("up", "-s", "local")
        yield bed
    finally:
        bed.shoestring("cloud", "down")


@pytest.fixture
def bed(shared_bed: Bed) -> Iterator[Bed]:
    """The shared bed, with its platform up, its window down, and its configuration as it is shipped."""
    yield shared_bed
    shared_bed.reset()
