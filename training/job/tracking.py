"""MLflow through a journal: training writes a file beside its checkpoints, and a process of its own sends it.

So MLflow costs the training nothing, whether it is up, slow or down. The journal travels with the checkpoints, and at
the end with the model; whatever MLflow has missed can be sent from it at any later time. Sending is repeatable: of each
metric and step the first value stays.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import variables

if TYPE_CHECKING:
    from mlflow import MlflowClient

JOURNAL = "tracking.jsonl"
JOB_TAG = "shoestring.job"
BATCH = 1000  # metrics in one request: MLflow's own limit
# Short, because a later attempt follows; and a job reports to its own MLflow only.
CLIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


class Tracker:
    """Writes the journal, and runs the process that sends it.

    Args:
        folder: where the journal lies; an earlier attempt's is continued.
        uri: the MLflow server; empty when there is none.
        job: the training job's name: one run in MLflow, however many attempts it takes.
        experiment: MLflow's experiment, the model's name.
        parameters: hyperparameters.
        tags: on the run, beside `shoestring.job`.
    """

    def __init__(
        self,
        folder: Path,
        uri: str,
        *,
        job: str,
        experiment: str,
        parameters: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / JOURNAL
        torn = self.path.is_file() and not self.path.read_bytes().endswith(b"\n")
        self._file = self.path.open("a", encoding="utf-8")
        if torn:
            self._file.write("\n")
        run = {"experiment": experiment, "parameters": dict(parameters), "tags": {**tags, JOB_TAG: job}}
        self._write(run=run)
        self._sender = self._start(uri) if uri else None

    def _start(self, uri: str) -> subprocess.Popen[bytes]:
        paths = [str(Path(__file__).parent.parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.Popen(
            [sys.executable, "-m", "training.job.sender", str(self.path)],
            stdin=subprocess.PIPE,
            env={**os.environ, variables.MLFLOW: uri, "PYTHONPATH": os.pathsep.join(paths)},
        )

    def _write(self, **entry: Any) -> None:
        self._file.write(json.dumps({"at": int(time.time() * 1000), **entry}) + "\n")
        self._file.flush()

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Values of one step."""
        self._write(step=step, metrics=dict(metrics))

    def status(self, status: str) -> None:
        """How the attempt ended: FINISHED, FAILED or KILLED."""
        self._write(status=status)

    def close(self, seconds: float, model: Path | None = None) -> bool:
        """Has the rest sent and `model`, a folder, registered; False when that did not succeed within `seconds`."""
        self._file.close()
        if self._sender is None:
            return False
        try:
            self._sender.communicate(os.fsencode(model) if model else b"", timeout=seconds)
        except subprocess.TimeoutExpired:
            self._sender.kill()
            self._sender.wait()
        return self._sender.returncode == 0


class Sender:
    """Brings the run of one journal up to date in MLflow. Every method may raise what `errors()` lists."""

    def __init__(self, journal: Path, uri: str) -> None:
        for name, value in CLIENT.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient  # here, as all of MLflow, for it is heavy: the training does without

        self.client: MlflowClient = MlflowClient(uri)
        self.journal, self.run_id = journal, ""
        self._read = 0
        self._sent: dict[str, set[int]] = {}

    def send(self) -> None:
        """Sends what is new in the journal; what a failure kept back is sent the next time."""
        with self.journal.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        entries = [entry for line in whole.splitlines() if (entry := _parsed(line))]
        for entry in entries:
            if "run" in entry:
                self._run(entry["at"], **entry["run"])
        self._metrics([entry for entry in entries if "metrics" in entry])
        ends = [entry for entry in entries if "status" in entry or "run" in entry]
        if ends and "status" in ends[-1]:
            self.client.set_terminated(self.run_id, ends[-1]["status"], ends[-1]["at"])
        elif ends:
            self.client.update_run(self.run_id, "RUNNING")
        self._read += len(whole)

    def _run(self, at: int, experiment: str, parameters: dict[str, Any], tags: dict[str, str]) -> None:
        from mlflow.entities import Param, RunTag

        self.run_id = self.run_id or self._find_or_create(at, experiment, tags)
        self.client.log_batch(
            self.run_id,
            params=[Param(key, str(value)) for key, value in parameters.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )

    def _find_or_create(self, at: int, experiment: str, tags: dict[str, str]) -> str:
        known = self.client.get_experiment_by_name(experiment)
        identity = known.experiment_id if known else self.client.create_experiment(experiment)
        query = f"tags.`{JOB_TAG}` = '{tags[JOB_TAG]}'"
        runs = self.client.search_runs([identity], query, max_results=1, order_by=["start_time ASC"])
        run = runs[0] if runs else self.client.create_run(identity, at, tags, run_name=tags[JOB_TAG])
        return str(run.info.run_id)

    def _metrics(self, entries: list[dict[str, Any]]) -> None:
        from mlflow.entities import Metric

        new: dict[tuple[str, int], Metric] = {}
        for entry in entries:
            for key, value in entry["metrics"].items():
                if key not in self._sent:
                    self._sent[key] = {known.step for known in self.client.get_metric_history(self.run_id, key)}
                if entry["step"] not in self._sent[key]:
                    new.setdefault((key, entry["step"]), Metric(key, value, entry["at"], entry["step"]))
        metrics = list(new.values())
        for start in range(0, len(metrics), BATCH):
            batch = metrics[start : start + BATCH]
            self.client.log_batch(self.run_id, metrics=batch)
            for metric in batch:
                self._sent[metric.key].add(metric.step)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}  # torn by an interruption


def errors() -> tuple[type[Exception], ...]:
    """What is raised when MLflow does not answer, or refuses."""
    from mlflow.exceptions import MlflowException

    return (MlflowException, OSError)  # requests' own errors are OSErrors


def first_line(error: Exception) -> str:
    """An error's first line, short enough for a log."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
