"""`shoestring demo` as a user runs it: to its end, killed, and stopped by Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from localcloud.processes import wait_until
from shoestring.base.paths import ROOT
from tests.conftest import hears_ctrl_c

COMMAND = [sys.executable, "-m", "shoestring.cli"]


def shoestring(home: Path, *words: str, code: int = 0) -> str:
    completed = subprocess.run(
        [*COMMAND, *words], cwd=ROOT, env={**os.environ, "SHOESTRING_HOME": str(home)}, text=True, timeout=280,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert completed.returncode == code, completed.stdout
    return completed.stdout


@pytest.fixture
def home(tmp_path: Path):
    """A home of the test's own, set up."""
    folder = tmp_path / "home"
    shoestring(folder, "setup")
    yield folder
    shoestring(folder, "cloud", "down")
    assert running(folder) == []


def running(home: Path) -> list[str]:
    """The processes that work for this home: its servers and jobs by their folder, engines by their state."""
    commands = []
    for process in psutil.process_iter():
        try:
            below = Path(process.cwd()).is_relative_to(home)
            engine = process.name() == "pulumi" and process.environ().get("SHOESTRING_HOME") == str(home)
            if (below or engine) and process.status() != psutil.STATUS_ZOMBIE:
                commands.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue  # ended meanwhile, or another user's
    return commands


def started(home: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [*COMMAND, "demo"], cwd=ROOT, env={**os.environ, "SHOESTRING_HOME": str(home)}, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=hears_ctrl_c,
        )  # fmt: skip


def has_shown(log: Path, text: str) -> bool:
    return text in log.read_text(errors="replace")


def test_it_trains_serves_refuses_and_leaves_nothing(home):
    shown = shoestring(home, "demo")
    facts = json.loads((home / "demo.json").read_text())
    assert set(facts["engine"]) == {"version", "source", "aws_provider"}
    assert [stack["name"] for stack in facts["stacks"]] == ["local", "local-window"]
    assert all(stack["unchanged_on_second_up"] and stack["created"] > 0 for stack in facts["stacks"])
    (job,) = facts["jobs"]
    assert job["status"] == "Completed"
    assert job["interruptions"] >= 1
    assert 0 < job["resumed_from_step"] < job["steps"] == 1000
    assert 0 < job["billable_seconds"] < job["training_seconds"]
    assert 0 < job["cost_usd"] < job["on_demand_cost_usd"]
    assert facts["model"]["metrics"]["test_auc"] > 0.95
    assert facts["inference"]["errors"] == 0
    assert facts["inference"]["requests"] == 200
    assert facts["inference"]["model_version"] == facts["model"]["version"]
    assert facts["policy"]["untagged_denied"] is True
    assert "nobodys-bucket" in facts["policy"]["message"]
    cost = facts["cost"]
    assert cost["metered_usd"] > 0
    assert cost["difference_pct"] <= 5
    assert abs(cost["planned_usd"] - cost["metered_usd"]) <= 0.05 * cost["metered_usd"]
    assert 0 < cost["idle_platform_monthly_usd"] < 10
    assert 50 < cost["spot_saving_pct"] < 80  # the market asks 39 % of the price on demand, and all of it for the disk
    assert facts["teardown"]["left"] == []
    assert running(home) == []
    for line in ("58 resources created", "its spot instance is taken away", "refused:", "The bill", "it is empty"):
        assert line in shown, shown
    assert "\x1b[" not in shown  # plain lines without a terminal


def test_killed_in_the_middle_of_training_cloud_down_recovers(home, tmp_path):
    log = tmp_path / "demo.log"
    demo = started(home, log)
    assert wait_until(lambda: has_shown(log, "spot training job") or demo.poll() is not None, 150), log.read_text()
    assert demo.poll() is None, log.read_text()
    demo.kill()
    demo.wait()
    assert running(home)
    assert "killed" in shoestring(home, "cloud", "down")
    assert running(home) == []
    assert "empty" in shoestring(home, "cloud", "account")
    assert not list((home / "state").rglob("local*.json"))


def test_ctrl_c_while_the_platform_comes_up_leaves_nothing(home, tmp_path):
    log = tmp_path / "demo.log"
    demo = started(home, log)
    assert wait_until(lambda: has_shown(log, "create aws:") or has_shown(log, "… pulumi up"), 60), log.read_text()
    assert wait_until(lambda: has_shown(log, "create"), 60), log.read_text()
    os.killpg(demo.pid, signal.SIGINT)
    assert demo.wait(timeout=120) == 130, log.read_text()
    assert running(home) == []
    assert "Traceback" not in log.read_text()
    assert "empty" in shoestring(home, "cloud", "account")


def test_it_keeps_its_hands_off_a_local_cloud_in_use(home):
    shoestring(home, "cloud", "up")
    variables = {**os.environ, "SHOESTRING_HOME": str(home)}
    script = (
        "import os, boto3; from shoestring.environment import enter; enter('local', print); "
        "boto3.client('s3').create_bucket(Bucket='mine')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=variables, check=True)
    shown = shoestring(home, "demo", code=1)
    assert "the local cloud is in use: 1 resources, such as s3 bucket mine" in shown
    assert "mine" in shoestring(home, "cloud", "account", code=1)
