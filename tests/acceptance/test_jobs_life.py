"""The life of training jobs as a user sees it: replaced, limited, side by side, ended by signals, and afterwards."""

from __future__ import annotations

import json
import re
import signal
from typing import Any

import boto3
import pytest

from localcloud.processes import wait_until
from tests.acceptance.test_ctrl_c import shown_until

# Goes on from its checkpoint, and is done soon after it.
STEPS = """
import os, pathlib, time
state = pathlib.Path(os.environ["SM_CHECKPOINT_DIR"], "step")
state.parent.mkdir(parents=True, exist_ok=True)
start = int(state.read_text()) if state.exists() else 0
print(f"steps=%d\\nresumed_from_step={start}", flush=True)
for step in range(start + 1, (start + 3 if start else %d) + 1):
    time.sleep(0.2)
    print(f"step={step} rmse={1 / step:.3f}", flush=True)
    state.with_suffix(".part").write_text(str(step))
    os.replace(state.with_suffix(".part"), state)
"""
FAILS = "raise ValueError('no such column')"
TRAINS = """
from dataclasses import dataclass
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from training.job.session import Session, arguments

@dataclass
class Parameters:
    epochs: int = 2

parameters = arguments(Parameters)
with Session(parameters) as session:
    table = session.table()
    for step in session.steps(parameters.epochs, save=lambda: b"", load=lambda state: None):
        session.log(train_loss=1.0 / step)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table.values, table.labels)
    session.finish(model, table, evaluation={"test_auc": 0.875})
"""


def steps(count: int) -> str:
    return STEPS % (count, count)


def running(bed: Any) -> str:
    """The name of the window's first job."""
    outputs = json.loads(bed.run("pulumi", "stack", "output", "--json", "--stack", "local-window"))
    return str(outputs["jobs"][0]["name"])


def interfaces(bed: Any) -> list[str]:
    ec2 = boto3.client(
        "ec2", endpoint_url=bed.variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=bed.variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=bed.variables["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    return [item["Description"] for item in ec2.describe_network_interfaces()["NetworkInterfaces"]]


def test_a_changed_limit_replaces_a_running_job_which_goes_on(bed: Any) -> None:
    (bed.home / "cloud" / "spot.json").write_text('{"interface_seconds": 30, "grace_seconds": 1}')
    bed.job("limits", steps(3000), max_run="10m")
    bed.pulumi("up", "-s", "local-window")
    name = running(bed)
    assert interfaces(bed) == [f"SageMaker training job {name}"]
    assert wait_until(lambda: "step=3 " in bed.shoestring("jobs", "logs", name), 60)
    bed.job("limits", steps(3000), max_run="20m", volume_gb=12, spot=False)
    shown = bed.pulumi("up", "-s", "local-window")
    assert re.search(r"1 replaced", shown), shown
    assert running(bed) == name
    shown = bed.shoestring("jobs", "wait")
    # SageMaker still has the interface.
    assert interfaces(bed)
    assert f"✓ job {name}" in shown and f"{name} completed after" in shown
    log = bed.shoestring("jobs", "logs", name)
    (start,) = re.findall(r"resumed_from_step=(\d+)", log)
    assert int(start) >= 3 and f"step={int(start) + 3} " in log
    # The destroy waits until the interfaces of both are gone.
    bed.pulumi("destroy", "-s", "local-window")
    assert interfaces(bed) == []
    (bed.home / "cloud" / "spot.json").unlink()


def test_a_job_that_ran_too_long_says_so_and_stays_readable(bed: Any) -> None:
    bed.job("long", steps(600), max_run="3s", metrics={"error": r"rmse=([0-9.]+)"})
    shown = bed.shoestring("train", code=1)
    (name,) = set(re.findall(r"long-[0-9a-f]{12}", shown))
    assert re.search(rf"^error: {name} stopped after \d s: max_run$", shown, re.M)
    assert "mend it:  raise max_run in its job file, then: shoestring train" in shown
    assert "Traceback" not in shown and "edit the job's script" not in shown
    assert bed.resources("local-window") == []
    (job,) = (job for job in json.loads(bed.shoestring("jobs", "list", "--json")) if job["name"] == name)
    assert (job["status"], job["window"]) == ("Stopped", "gone") and job["cost_usd"] > 0 and job["metrics"]["error"] > 0
    lines = bed.shoestring("jobs", "logs", name).splitlines()
    assert lines[0] == "steps=600"
    assert bed.shoestring("jobs", "logs", name, "--tail", "2").splitlines() == lines[-2:]
    assert bed.shoestring("jobs", "logs", name, "--follow").splitlines() == lines
    assert [line["line"] for line in json.loads(bed.shoestring("jobs", "logs", name, "--json"))] == lines
    assert f"{name} stopped after" in bed.shoestring("jobs", "show", name)
    assert "nothing is known of a training job absent" in bed.shoestring("jobs", "logs", "absent", code=1)


def test_two_jobs_are_followed_side_by_side(bed: Any) -> None:
    bed.job("fails", FAILS)
    bed.job("works", steps(150))
    bed.pulumi("config", "set", "--path", "shoestring:jobs[1]", "fails", "--stack", "local-window")
    shown = bed.shoestring("train", code=1)
    works, fails = (re.findall(rf"{name}-[0-9a-f]{{12}}", shown)[0] for name in ("works", "fails"))
    assert "… 2 jobs" in shown and "✗ 2 jobs" in shown
    assert re.search(rf"^  {works}  training  step \d+ of 150 \(\d+%\)", shown, re.M), shown
    assert re.search(rf"^  {fails} failed after \d+ s: .*no such column$", shown, re.M)
    assert re.search(rf"^  {works} completed after \d+ s$", shown, re.M)
    assert shown.count("Traceback") == 1
    assert f"error: {fails} failed" in shown and f"error: {works}" not in shown
    assert "step=150 " in bed.shoestring("jobs", "logs", works)
    assert "ValueError: no such column" in bed.shoestring("jobs", "logs", fails)


def test_what_is_trained_already_is_trained_again_only_when_asked(bed: Any) -> None:
    bed.job("twice", TRAINS)
    shown = bed.shoestring("train")
    (name,) = set(re.findall(r"twice-[0-9a-f]{12}", shown))
    assert "registered: twice version 1" in shown and "test_auc 0.875" in shown
    assert "next: shoestring models promote twice 1" in shown
    shown = bed.shoestring("train")
    assert "twice is already trained: version 1 has exactly these inputs" in shown
    assert "comes up" not in shown and "shoestring train --again" in shown
    shown = bed.shoestring("train", "--again", "--json")
    again = json.loads(shown[shown.index("[\n") : shown.rindex("]") + 1])
    assert [(job["name"], job["version"], job["steps"]) for job in again] == [(f"{name}-2", "2", 2)]
    assert "version 1 has exactly these inputs" in bed.shoestring("train")


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_takes_the_window_down(bed: Any, ending: signal.Signals, code: int) -> None:
    bed.job(f"ends{code}", steps(3000))  # a job of the same name would go on from the checkpoints of the one before
    train = bed.started(*bed.command, "train")
    shown = shown_until(train, "step 1")
    (name,) = set(re.findall(rf"ends{code}-[0-9a-f]{{12}}", shown))
    train.send_signal(ending)
    shown += train.communicate(timeout=120)[0]
    assert train.returncode == code, shown
    assert "Traceback" not in shown
    assert bed.resources("local-window") == [], shown
    assert "training-job" not in bed.shoestring("cloud", "account", code=1)
    assert "step=1 " in bed.shoestring("jobs", "logs", name)
    assert "Stopped" in bed.shoestring("jobs", "list")


def test_a_signal_while_the_engine_works(bed: Any) -> None:
    bed.job("early", steps(5))
    train = bed.started(*bed.command, "train")
    shown = shown_until(train, "comes up")
    train.send_signal(signal.SIGTERM)
    shown += train.communicate(timeout=180)[0]
    assert train.returncode == 143, shown
    assert "Traceback" not in shown
    assert bed.resources("local-window") == [], shown
    assert "training-job" not in bed.shoestring("cloud", "account", code=1)


def test_the_platform_goes_after_its_jobs(bed: Any) -> None:
    bed.pulumi("destroy", "-s", "local")
    assert interfaces(bed) == []
    assert bed.shoestring("cloud", "account").strip() in ("", "nothing", "the account is empty")
