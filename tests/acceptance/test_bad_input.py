"""Bad input as users meet it: each case ends in one message, no traceback, and loses nothing.

| case                                                       | tested in (below tests/)                             |
|------------------------------------------------------------|------------------------------------------------------|
| unknown key, through the engine                            | here                                                 |
| wrong type, missing owner, all problems at once            | stacks/test_settings.py; here once                   |
| job file: misspelt key, negative time, unknown instance,   | training/prepare/test_jobfile.py, each with its line; |
| max_wait below max_run, absent entry point                 | here all at once, through `shoestring train`         |
| CSV without the target, not numeric, empty                 | training/prepare/test_data.py; here its mending      |
| training script that raises                                | here                                                 |
| full disk below `.shoestring`: a real one (a small tmpfs,  | here; for the checkpoints and for the local cloud a  |
| where the kernel lets users mount it; else skipped)        | simulated ENOSPC in their own tests                  |
| port taken                                                 | localcloud/test_supervisor.py                        |
| stale lock, torn lock, second update at the same time      | here                                                 |
| corrupt checkpoint                                         | training/job/test_checkpoint.py, test_session.py     |
| corrupt state of Pulumi, with a copy of it and without     | here                                                 |
| corrupt cloud.json                                         | localcloud/test_supervisor.py                        |
| corrupt account, record of a job, ports.json               | here                                                 |
| corrupt setup.json, spot.json                              | here                                                 |
| MLflow down at the end of training, model registered later | here                                                 |
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from localcloud.processes import wait_until
from localcloud.sagemaker.spot import Spot
from shoestring import updates
from shoestring.base import errors
from shoestring.base.errors import UserError
from tests.conftest import client
from training.prepare import data, jobfile

RAISES = """
from dataclasses import dataclass
from training.job.session import Session, arguments

@dataclass
class Parameters:
    epochs: int = 2

parameters = arguments(Parameters)
with Session(parameters) as session:
    session.table()
    for step in session.steps(parameters.epochs, save=lambda: b"", load=lambda state: None):
        session.log(train_loss=1.0)
    raise ValueError("the learning rate has to be above zero")
"""
LATE = """
import os, time, urllib.request
from dataclasses import dataclass
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from training.job.session import Session, arguments

@dataclass
class Parameters:
    epochs: int = 2

def answers():
    try:
        headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}
        request = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + "/health", headers=headers)
        return urllib.request.urlopen(request, timeout=5).status == 200
    except OSError:
        return False

parameters = arguments(Parameters)
with Session(parameters) as session:
    table = session.table()
    for step in session.steps(parameters.epochs, save=lambda: b"", load=lambda state: None):
        session.log(train_loss=1.0 / step)
    ends = time.monotonic() + 90
    while answers() and time.monotonic() < ends:
        time.sleep(0.2)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table.values, table.labels)
    session.finish(model, table, evaluation={"test_auc": 1.0})
"""
# The command with a folder, and what lies in it, on a full disk of its own.
ON_A_FULL_DISK = """
cp -a "$1" "$2" && mount -t tmpfs -o size=2m tmpfs "$1" && cp -a "$2/." "$1" || exit 99
cat /dev/zero > "$1/filler" 2>/dev/null
shift 2
"$@"
"""


def test_an_unknown_key_touches_nothing(bed: Any) -> None:
    before = bed.resources("local"), bed.shoestring("cloud", "account", code=1)
    bed.pulumi("config", "set", "shoestring:tean", "x", "--stack", "local")
    bed.pulumi("config", "set", "--path", "shoestring:mlflow.volumeGb", "big", "--stack", "local")
    bed.pulumi("config", "rm", "shoestring:owner", "--stack", "local")
    shown = bed.pulumi("up", "-s", "local", code=1)
    assert "shoestring:tean is unknown; did you mean team?" in shown
    assert "pulumi config rm shoestring:tean --stack local" in shown
    assert "shoestring:mlflow.volumeGb is 'big': should be an integer" in shown
    assert "pulumi config set shoestring:owner you@example.com --stack local" in shown
    assert (bed.resources("local"), bed.shoestring("cloud", "account", code=1)) == before


def test_a_wrong_type_at_the_top_is_named(bed: Any) -> None:
    bed.pulumi("config", "set", "shoestring:leaseHours", "soon", "--stack", "local-window")
    shown = bed.pulumi("up", "-s", "local-window", code=1)
    assert "leaseHours" in shown and "integer" in shown


def test_a_job_file_is_refused_whole(bed: Any) -> None:
    wrong = {
        "max_rum": "5m",
        "instance_type": "ml.m5.lrge",
        "max_run": "1h",
        "max_wait": -5,
        "entry_point": "absent.py",
    }
    bed.job("bad", "", **wrong)
    shown = bed.shoestring("train", code=1)
    for problem in (
        "max_rum: unknown key; did you mean max_run?",
        "ml.m5.lrge is no instance type that SageMaker trains on; known: ",
        "max_wait: input should be greater than 0, found -5",
        "entry_point: there is no absent.py in",
        f"mend it:  edit {bed.tree}/training/jobs/bad.yaml",
    ):
        assert problem in shown
    assert "Traceback" not in shown and shown.count("mend it:") == 1
    assert bed.resources("local-window") == []


def test_a_csv_file_is_named_with_what_mends_it(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    (tmp_path / "my.csv").write_text("a,b\n1,x\n")
    (tmp_path / "job.yaml").write_text("name: own\nentry_point: train.py\ndata: {csv: my.csv, target: c}\n")
    with pytest.raises(UserError) as raised:
        data.prepare(jobfile.load(tmp_path / "job.yaml"), tmp_path / "out")
    assert "no target column 'c'; the columns are a, b" in raised.value.found
    assert raised.value.mend == f"edit {tmp_path}/my.csv, or data in {tmp_path}/job.yaml"


def test_what_is_not_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("name: own\ndata: {csv\nentry_point: a.py\n")
    with pytest.raises(UserError) as raised:
        jobfile.load(tmp_path / "job.yaml")
    assert re.search(r"job\.yaml is not YAML: line \d", raised.value.found)
    assert raised.value.mend == f"edit {tmp_path}/job.yaml"


def test_an_update_that_runs_is_told_from_one_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "pulumi").symlink_to(str(shutil.which("sleep")))
    engine = subprocess.Popen([tmp_path / "pulumi", "60"])
    error = (
        "error: the stack is currently locked by 1 lock(s).\n  file:///state/.pulumi/locks/organization/shoestring/dev/"
    )
    error += (
        f"0.json?no_tmp_dir=true: created by me@{socket.gethostname()} (pid {engine.pid}) at 2030-01-31T12:00:00Z\n"
    )
    outcome = updates.Outcome(code=1, output=error)
    with pytest.raises(updates.Locked, match=f"another update of the stack dev runs: process {engine.pid} on"):
        outcome.require("up", "")
    engine.kill()
    engine.wait()
    with pytest.raises(updates.Locked, match="locked by an update that was killed") as raised:
        outcome.require("up", "")
    assert raised.value.mend == "pulumi cancel --stack dev --yes; shoestring repair dev"


def test_a_killed_update_leaves_a_lock(bed: Any) -> None:
    update = bed.update()
    family = [psutil.Process(update.pid), *psutil.Process(update.pid).children(recursive=True)]
    for process in family:
        process.kill()
    update.communicate(timeout=30)
    shown = bed.shoestring("train", code=1)
    assert f"locked by an update that was killed: process {update.pid} on" in shown
    assert re.findall(r"mend it:  (.*)", shown) == ["shoestring repair local"]
    asked = bed.shoestring("repair", "local", code=1)  # nobody is there to say yes
    assert "to be unlocked" in asked and re.findall(r"mend it:  (.*)", asked) == ["shoestring repair local --yes"]
    bed.shoestring("repair", "local", "--yes")
    assert list(bed.locks("local-window").glob("*.json")) == []


def test_a_torn_lock_is_named(bed: Any) -> None:
    bed.locks("local-window").mkdir(parents=True, exist_ok=True)
    lock = bed.locks("local-window") / "0.json"
    lock.write_text("")
    os.utime(lock, (time.time() - 60, time.time() - 60))
    shown = bed.shoestring("train", code=1)
    assert f"the lock of the stack local-window is corrupt: {lock}" in shown
    assert "pulumi cancel --stack local-window --yes" in shown
    bed.run("pulumi", "cancel", "--stack", "local-window", "--yes", "--non-interactive")
    assert not lock.exists()


def test_a_script_that_raises_and_others_that_come_in_between(bed: Any) -> None:
    bed.job("raises", RAISES)
    first = bed.started(*bed.command, "train")
    assert wait_until(lambda: any(bed.locks("local-window").glob("*.json")) or first.poll() is not None, 120, 0.02)
    try:
        update = bed.pulumi("up", "-s", "local-window", code=1)
        second = bed.shoestring("train", code=1)
    finally:
        shown = first.communicate(timeout=180)[0]
    assert "currently locked by 1 lock(s)" in update and "pulumi cancel" in update
    assert "another shoestring train is at work on local-window" in second
    assert "goes down" not in second  # the other's window is left to it

    assert first.returncode == 1
    assert re.search(r"^✗ job raises-\w+", shown, re.M) and not re.search(r"^✓ job", shown, re.M)
    assert shown.count("Traceback") == 1
    assert "  ValueError: the learning rate has to be above zero" in shown
    assert re.search(r"^error: raises-\w+ failed after \d+ s: .*above zero \(raises\.py:\d+\)$", shown, re.M)
    assert "mend it:  edit the job's script" in shown
    assert "✓ local-window goes down" in shown
    assert bed.resources("local-window") == []
    assert "training-job" not in bed.shoestring("cloud", "account", code=1)


def test_mlflow_down_at_the_end(bed: Any) -> None:
    bed.job("late", LATE)
    ec2 = client(vars(bed), "ec2")
    instance = bed.run("pulumi", "stack", "output", "mlflow_instance_id", "--stack", "local").strip()
    training = bed.started(*bed.command, "train", "--json")
    logs = bed.home / "cloud" / "jobs"

    def near_its_end() -> bool:
        return any("step=2" in log.read_text() for log in logs.glob("late-*/log")) or training.poll() is not None

    assert wait_until(near_its_end, 120)
    ec2.stop_instances(InstanceIds=[instance])
    output = training.communicate(timeout=180)[0]
    ec2.start_instances(InstanceIds=[instance])
    assert training.returncode == 0, output
    assert "Traceback" not in output
    (job,) = re.findall(r"register it later: shoestring models register (late-\w+)", output)
    assert bed.resources("local-window") == []  # the window, and with it the job, is gone: the model is in S3
    assert "late version 1 is registered" in bed.shoestring("models", "register", job)
    words = "models", "register", "late-000000000000", "--tracking-uri", "http://127.0.0.1:9"
    absent = bed.shoestring(*words, code=1)
    assert "late-000000000000 left no model: s3://shoestring-local-000000000000/jobs/late-" in absent


def on_a_full_disk(bed: Any, folder: Path, *words: str) -> str:
    """What a command says while `folder` is on a full disk; everything else, and the folder afterwards, is as ever."""
    possible = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True)
    if possible.returncode:
        pytest.skip("this kernel lets no user mount a tmpfs of a limited size")
    copy = bed.home.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    return bed.run("unshare", "-Urm", "sh", "-c", ON_A_FULL_DISK, "sh", str(folder), str(copy), *words, code=1)


def test_a_full_disk_below_the_state(bed: Any) -> None:
    before = bed.resources("local")
    for name in ("history", "backups"):  # what they hold is more than the small disk takes
        shutil.rmtree(bed.home / "state" / ".pulumi" / name)
    shown = on_a_full_disk(bed, bed.home / "state", *bed.command, "train")
    assert "no space left on device" in shown
    assert f"mend it:  df -h {bed.home}" in shown
    assert "Traceback" not in shown
    assert bed.resources("local") == before


def test_a_full_disk_below_the_packages(bed: Any) -> None:
    packages = bed.home / "packages"
    packages.rename(bed.home / "kept")
    packages.mkdir()
    try:
        shown = on_a_full_disk(bed, packages, *bed.command, "train")
    finally:
        packages.rmdir()
        (bed.home / "kept").rename(packages)
    assert "No space left on device" in shown
    assert f"mend it:  df -h {bed.home}" in shown
    assert "Traceback" not in shown
    assert bed.resources("local-window") == []


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "df -h /place"), (errno.EDQUOT, "df -h /place"), (errno.EACCES, "ls -ld /place/file")],
)
def test_a_disk_that_refuses_is_one_message(number: int, says: str) -> None:
    refusal = errors.of_the_disk(OSError(number, os.strerror(number), "/place/file"), Path("/place"))
    assert refusal is not None and says in refusal.mend
    assert f"{os.strerror(number)}: /place/file" in refusal.found


def test_an_error_of_another_kind_is_none_of_the_disks() -> None:
    assert errors.of_the_disk(OSError(errno.ECONNREFUSED, "refused"), Path("/place")) is None


def test_corrupt_state_of_the_engine(bed: Any) -> None:
    bed.pulumi("refresh", "-s", "local")  # leaves a copy of what it found
    before, path = bed.resources("local"), bed.home / "state" / ".pulumi" / "stacks" / "shoestring" / "local.json"
    torn = path.read_text()[:3000]
    path.write_text(torn)
    bed.pulumi("up", "-s", "local", code=1)
    for words in (("models", "list", "breast-cancer"), ("env", "local"), ("train",)):
        shown = bed.shoestring(*words, code=1)
        assert f"the state of the stack local is corrupt: {path}" in shown
        assert "Traceback" not in shown
    assert "the state of the stack local is corrupt" in bed.shoestring("doctor", code=1)
    assert path.read_text() == torn
    (command,) = re.findall(r"mend it:  (cp [^;]*);", shown)
    bed.run("sh", "-c", command)
    assert bed.resources("local") == before
    assert "no versions yet" in bed.shoestring("models", "list", "breast-cancer")


def test_corrupt_state_without_a_copy_says_what_is_left_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOESTRING_HOME", str(tmp_path))
    path = tmp_path / "state" / ".pulumi" / "stacks" / "shoestring" / "local.json"
    path.parent.mkdir(parents=True)
    path.write_text("")
    with pytest.raises(UserError, match="corrupt") as raised:
        updates.check_state("local")
    assert raised.value.mend == f"rm {path}; shoestring cloud up --fresh"
    assert path.exists()


def test_corrupt_state_of_the_account(bed: Any) -> None:
    bed.shoestring("cloud", "down")
    cloud = bed.home / "cloud"
    parameters, job = cloud / "data" / "state" / "ssm.json", cloud / "jobs" / "gone-000000000000" / "job.json"
    torn = parameters.read_text()[:100]
    parameters.write_text(torn)
    job.parent.mkdir(parents=True)
    job.write_text('{"described": ')
    (cloud / "ports.json").write_text("5")
    shown = bed.shoestring("cloud", "up")
    assert f"{parameters} is corrupt" in shown and "what the account held of ssm is gone" in shown
    assert f"{job} is corrupt" in shown and "the job gone-000000000000 is gone" in shown
    assert "ports.json is corrupt (expected an object, found int)" in shown
    assert parameters.with_suffix(".corrupt").read_text() == torn
    assert "mend it:  pulumi up --refresh --stack local" in shown
    bed.enter()  # the ports are new
    bed.pulumi("up", "--refresh", "-s", "local")
    assert "no versions yet" in bed.shoestring("models", "list", "breast-cancer")


@pytest.mark.parametrize("text", ["{half", '{"version": "1"}'])
def test_corrupt_record_of_the_set_up(bed: Any, text: str) -> None:
    record = bed.home / "setup.json"
    whole = record.read_text()
    record.write_text(text)
    shown = bed.shoestring("train", code=1)
    assert f"the set-up's record {record} is corrupt" in shown and "mend it:  make setup" in shown
    assert "Traceback" not in shown
    bed.shoestring("setup")
    assert record.read_text() == whole


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{half", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ('{"interupt": [1]}', "unknown key interupt"),
        ('{"price_ratio": "cheap"}', "price_ratio: Input should be a valid number"),
        ('{"interrupt_after_seconds": 5}', "interrupt_after_seconds: Input should be a valid array"),
    ],
)
def test_corrupt_spot_market_is_refused_before_a_job_runs(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "spot.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="edit or remove the file") as raised:
        Spot.read(path)
    assert says in str(raised.value) and str(path) in str(raised.value)
    assert path.read_text() == text
