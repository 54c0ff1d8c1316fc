"""The job that comes with Shoestring, as SageMaker starts it: from its bundle, interrupted, resumed, tracked."""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import sys
import tarfile

import boto3
import pytest

from training.prepare import bundle, data, jobfile

EPOCHS = 250  # long enough that the signal comes before the end


class Job:
    """One training job, whose attempts share checkpoints and model folder."""

    def __init__(self, root, name, file):
        job = jobfile.load(file)
        prepared = data.prepare(job, root / "data")
        packed = bundle.build(job, root / "code")
        self.code = root / name / "code"
        with tarfile.open(packed.path) as tar:
            tar.extractall(self.code, filter="data")
        (root / name / "output").mkdir()
        self.root, self.script = root / name, job.entry_path.name
        self.variables = {
            "TRAINING_JOB_NAME": name,
            "SHOESTRING_MODEL": job.name,
            "SHOESTRING_TARGET": job.data.target,
            "SHOESTRING_DATA_SHA256": prepared.sha256,
            "SHOESTRING_CODE_SHA256": packed.sha256,
            "SHOESTRING_CHECKPOINT_SECONDS": "3600",
            "SM_CHANNEL_TRAINING": str(prepared.path.parent),
            "SM_MODEL_DIR": str(self.root / "model"),
            "SM_CHECKPOINT_DIR": str(self.root / "checkpoints"),
            "SM_OUTPUT_DIR": str(self.root / "output"),
            "PYTHONPATH": str(self.code),
        }

    def run(self, *words, interrupt_at="", **variables):
        """One attempt; SIGTERM comes after the log line that begins with `interrupt_at`. Returns code and lines."""
        attempt = subprocess.Popen(
            [sys.executable, self.script, *words], cwd=self.code, env={**os.environ, **self.variables, **variables},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        lines = []
        for line in attempt.stdout:
            lines.append(line.rstrip())
            if interrupt_at and line.startswith(interrupt_at):
                attempt.send_signal(signal.SIGTERM)
                interrupt_at = ""
        return attempt.wait(), lines

    def run_here(self, monkeypatch, **parameters):
        """One attempt without an interruption, in this process: spares the imports."""
        for name, value in self.variables.items():
            monkeypatch.setenv(name, value)
        before = signal.getsignal(signal.SIGTERM)
        try:
            script = runpy.run_path(str(self.code / self.script))
            script["main"](script["Parameters"](**parameters))
        finally:
            signal.signal(signal.SIGTERM, before)


@pytest.fixture
def shipped(tmp_path):
    return lambda name: Job(tmp_path, name, jobfile.find("breast-cancer"))


def test_resumed_job_ends_with_the_same_model_and_one_registered_version(shipped, server, bucket, monkeypatch, capsys):
    from mlflow import MlflowClient

    words = ("--epochs", str(EPOCHS))
    straight = shipped("straight")
    straight.run_here(monkeypatch, epochs=EPOCHS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].endswith("register it later: shoestring models register straight")

    resumed = shipped("resumed")
    places = {"MLFLOW_TRACKING_URI": server.uri, "SHOESTRING_BUCKET": bucket}
    code, lines = resumed.run(*words, interrupt_at="step=5 ", **places)
    stopped = int(re.fullmatch(r"interrupted_at_step=(\d+)", lines[-1])[1])
    assert code == 143 and 5 <= stopped < EPOCHS
    code, lines = resumed.run(*words, **places)
    assert code == 0, lines
    assert lines[0] == f"steps={EPOCHS}"
    steps = [line for line in lines if "step=" in line]
    assert steps[0] == f"resumed_from_step={stopped}" and steps[1].startswith(f"step={stopped + 1} ")
    assert lines[-1].startswith(f"registered model=breast-cancer version=1 s3://{bucket}/models/breast-cancer/1/")

    models = [(job.root / "model" / "model.onnx").read_bytes() for job in (straight, resumed)]
    assert models[0] == models[1]
    served = boto3.client("s3").get_object(Bucket=bucket, Key="models/breast-cancer/1/model.onnx")["Body"].read()
    assert served == models[1]

    client = MlflowClient(server.uri)
    (version,) = client.search_model_versions("name = 'breast-cancer'")
    run = client.get_run(version.run_id)
    assert run.info.status == "FINISHED" and run.data.tags["shoestring.job"] == "resumed"
    assert run.data.params["epochs"] == str(EPOCHS)
    watched = client.get_metric_history(version.run_id, "valid_auc")
    assert sorted(metric.step for metric in watched) == list(range(1, EPOCHS + 1))
    described = json.loads((resumed.root / "model" / "model.json").read_text())
    assert run.data.metrics["test_auc"] == described["metrics"]["test_auc"] > 0.9


def test_same_script_learns_from_an_own_csv_file(tmp_path):
    folder = jobfile.JOBS
    (tmp_path / "breast_cancer.py").write_bytes((folder / "breast_cancer.py").read_bytes())
    example = (folder / "breast_cancer.yaml").read_text().replace("name: breast-cancer", "name: churn")
    described = re.sub(r"data:\n.*\n", "data: {csv: my.csv, target: churned}\n", example)
    (tmp_path / "churn.yaml").write_text(described)
    rows = [f"{number % 3},{number % 17},{number % 5}" for number in range(150)]
    (tmp_path / "my.csv").write_text("\n".join(["churned,visits,spent", *rows]) + "\n")
    job = Job(tmp_path, "churn-1", tmp_path / "churn.yaml")
    code, lines = job.run("--epochs", "3")
    assert code == 0, lines
    signature = json.loads((job.root / "model" / "signature.json").read_text())
    assert (signature["classes"], signature["target"]) == (["0", "1", "2"], "churned")
    assert [feature["name"] for feature in signature["features"]] == ["visits", "spent"]


def test_unknown_hyperparameter_ends_the_job_with_its_name(shipped):
    code, lines = shipped("odd").run("--epoch", "3")
    assert code == 2 and "unrecognized arguments: --epoch 3" in lines[-1]
