"""What is checked before a commit, and by continuous integration, is what `make lint` checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from shoestring.base.paths import ROOT

HOOKS = ROOT / ".pre-commit-config.yaml"


def test_the_hooks_are_the_checks_of_make_lint_and_fetch_nothing() -> None:
    command = ["make", "--no-print-directory", "-n", "-o", "setup", "lint"]  # also below `make test`
    recipe = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    checks = recipe.stdout.strip().split(" && ")
    (repo,) = yaml.safe_load(HOOKS.read_text())["repos"]
    assert repo["repo"] == "local" and {hook["language"] for hook in repo["hooks"]} == {"system"}
    assert [hook["entry"] for hook in repo["hooks"]] == checks
    pre_commit = Path(sys.executable).with_name("pre-commit")
    subprocess.run([pre_commit, "validate-config", HOOKS], cwd=ROOT, check=True, timeout=60)


def test_continuous_integration_lints_before_it_tests() -> None:
    (job,) = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands.index("make lint") < commands.index("make test")
    script = (ROOT / ".ci" / "run").read_text().splitlines()
    assert script.index("make lint") < script.index("make test")
