"""The README's commands, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from localcloud import supervisor
from shoestring.base.paths import ROOT
from stacks.settings import read

README = (ROOT / "README.md").read_text()
SECTIONS = dict(re.findall(r"^##+ (.+?)\n(.*?)(?=^##|\Z)", README, re.S | re.M))
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


def block(section: str, language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", SECTIONS[section], re.S)[1]


def bash(script: str, home: Path, folder: Path = ROOT) -> str:
    environment = {**os.environ, "SHOESTRING_HOME": str(home), "PATH": PATH}
    completed = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, text=True, timeout=280,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout
    return completed.stdout


def test_the_whole_life_of_both_stacks_by_hand(tmp_path):
    home = tmp_path / "home"
    bash("shoestring setup", home)
    try:
        shown = bash(block("By hand", "bash").replace(".venv/bin/", ""), home)
    finally:
        supervisor.down(home)
    assert "58 created" in shown.replace("+ ", "")
    assert shown.rstrip().endswith("the account is empty")


def test_own_data_needs_the_job_file_and_two_settings(tmp_path):
    from training.prepare import jobfile

    job = tmp_path / "churn.yaml"
    job.write_text(block("Your own data", "yaml"))
    (tmp_path / "churn.csv").write_text("age,churned\n1,no\n")
    shutil.copy(ROOT / "training" / "jobs" / "breast_cancer.py", tmp_path)
    assert jobfile.load(job).name == "churn"

    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    for path in (*ROOT.glob("Pulumi*.yaml"),):
        shutil.copy(path, project)
    bash("shoestring setup", home)
    lines = [line[2:] for line in block("Your own data", "console").splitlines() if line.startswith("$ ")]
    try:
        bash('eval "$(shoestring env local)"\n' + "\n".join(lines), home, project)
    finally:
        supervisor.down(home)
    window = yaml.safe_load((project / "Pulumi.local-window.yaml").read_text())["config"]
    platform = yaml.safe_load((project / "Pulumi.local.yaml").read_text())["config"]
    assert read("local-window", window).jobs == ("churn",)
    assert read("local", platform).inference.model == "churn"


def test_the_first_hour_on_a_real_account_until_an_account_is_needed(tmp_path):
    page = (ROOT / "docs" / "real-account.md").read_text()
    lines = re.search(r"## 5\..*?```bash\n(.*?)```", page, re.S)[1].replace(".venv/bin/", "").splitlines()
    assert [line.split()[:2] for line in lines[3:]] == [
        ["shoestring", "doctor"],
        ["shoestring", "cost"],
        ["pulumi", "up"],
    ]
    home, project, backend = tmp_path / "home", tmp_path / "project", tmp_path / "backend"
    for folder in (project, backend):
        folder.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", project)
    bash("shoestring setup", home)
    login = f"export PULUMI_BACKEND_URL=file://{backend} PULUMI_CONFIG_PASSPHRASE=x"
    bash("\n".join([login, *lines[:3]]), home, project)
    written = yaml.safe_load((project / "Pulumi.dev.yaml").read_text())["config"]
    assert read("dev", {"aws:region": "us-east-1", **written}).owner == "you@example.com"


GROUPS = ("budget", "cloud", "cost", "jobs", "models", "policies", "prices")


def test_every_command_that_is_named_exists():
    named = set()
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for quoted in re.findall(r"`(?:\.venv/bin/)?shoestring ([a-z][^`]*)`", path.read_text()):
            words = re.match(r"[a-z]+(?: [a-z-]+)?", quoted)[0].split()
            named.add(tuple(words[:2] if words[0] in GROUPS else words[:1]))
    assert ("train",) in named
    for words in sorted(named):
        completed = subprocess.run(
            [sys.executable, "-m", "shoestring.cli", *words, "--help"], capture_output=True, text=True
        )
        assert completed.returncode == 0, f"shoestring {' '.join(words)}: {completed.stderr}"


def test_links_lead_somewhere():
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
