"""A job's surroundings, an MLflow server that can go away, and the local cloud's S3."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3
import pytest

from localcloud import supervisor
from localcloud.processes import free_port

MODEL = "tiny"


class Server:
    """`mlflow server` on loopback; its runs outlive a stop."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.process = folder, free_port(), None
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db",
            "--serve-artifacts", "--artifacts-destination", str(self.folder / "artifacts"),
        ]  # fmt: skip
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        ends = time.monotonic() + 120
        while time.monotonic() < ends and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A running MLflow server."""
    mlflow = Server(tmp_path_factory.mktemp("mlflow"))
    mlflow.start()
    yield mlflow
    mlflow.stop()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """The local cloud's description."""
    home = tmp_path_factory.mktemp("home")
    yield supervisor.up(home)
    supervisor.down(home)


@pytest.fixture
def bucket(cloud, monkeypatch):
    """The name of a bucket in the local cloud, with the variables that lead boto3 there."""
    for name, value in cloud["variables"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the keys that it was made with
    boto3.client("s3").create_bucket(Bucket="models-here")
    return "models-here"


@pytest.fixture
def job(tmp_path, monkeypatch):
    """The variables and folders of a job `tiny-1` on a table with two features; returns the root."""
    for name in ("data", "output", "model"):
        (tmp_path / name).mkdir()
    rows = [f"{index / 10},{index % 7},{'yes' if index * 7919 % 40 > 19 else 'no'}" for index in range(40)]
    (tmp_path / "data" / "train.csv").write_text("\n".join(["a,b,bought", *rows]) + "\n")
    variables = {
        "TRAINING_JOB_NAME": f"{MODEL}-1",
        "SHOESTRING_MODEL": MODEL,
        "SHOESTRING_TARGET": "bought",
        "SHOESTRING_ENVIRONMENT": "local",
        "SHOESTRING_CODE_SHA256": "c0de",
        "SHOESTRING_CHECKPOINT_SECONDS": "3600",
        "SM_CHANNEL_TRAINING": str(tmp_path / "data"),
        "SM_MODEL_DIR": str(tmp_path / "model"),
        "SM_CHECKPOINT_DIR": str(tmp_path / "checkpoints"),
        "SM_OUTPUT_DIR": str(tmp_path / "output"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name in ("MLFLOW_TRACKING_URI", "SHOESTRING_BUCKET", "SHOESTRING_DATA_SHA256"):
        monkeypatch.delenv(name, raising=False)
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)
