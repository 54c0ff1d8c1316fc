"""A stack that a user makes changes no file of the repository: what it sets lies in a new file of the user's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import yaml

from shoestring.base.paths import ROOT
from shoestring.environment import local_environment, process_environment
from tests.conftest import NO_CLOUD


def test_stack_init_changes_no_tracked_file(tmp_path: Path) -> None:
    tree, state = tmp_path / "tree", tmp_path / "state"
    tree.mkdir()
    state.mkdir()
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, tree)
    before = {path.name: path.read_text() for path in tree.glob("Pulumi*.yaml")}
    backend = {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": "own"}
    variables = process_environment({**local_environment(NO_CLOUD), **backend})

    def pulumi(*words: str) -> str:
        done = subprocess.run(["pulumi", *words], cwd=tree, env=variables, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    pulumi("stack", "init", "dev")
    pulumi("config", "set", "shoestring:owner", "you@example.com", "--stack", "dev")
    assert "us-east-1" in pulumi("config", "--stack", "dev"), "the project's region"
    pulumi("config", "set", "aws:region", "eu-west-1", "--stack", "dev")
    after = {path.name: path.read_text() for path in tree.glob("Pulumi*.yaml")}
    own = yaml.safe_load(after.pop("Pulumi.dev.yaml"))
    assert after == before
    assert own["config"] == {"aws:region": "eu-west-1", "shoestring:owner": "you@example.com"}
    assert own["encryptionsalt"].startswith("v1:")
