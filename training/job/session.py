"""What a training script needs inside a job: parameters, data, steps that survive interruptions, tracking, the model.

    parameters = arguments(Parameters)  # a dataclass with defaults
    with Session(parameters) as session:
        table = session.table()
        for step in session.steps(parameters.epochs, save=..., load=...):
            ...
            session.log(train_loss=..., valid_auc=...)
        session.finish(model, table, evaluation={"test_auc": ...})

SIGTERM leads to a checkpoint at the end of the running step and to exit code 143. AWS's framework containers do not
hand it to the script (aws/sagemaker-training-toolkit issue 125): what holds there are the checkpoints in between.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import platform
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeVar

import numpy as np

from training import variables
from training.job import checkpoint
from training.job.export import Classifier, Table, export
from training.job.tracking import JOURNAL, Tracker

INTERRUPTED = 143  # 128 + SIGTERM, as a shell would say
PACKAGES = ("numpy", "onnx", "onnxruntime", "scikit-learn", "skl2onnx")
REGISTER_SECONDS = 90.0  # for the model and what of the journal is left
FAILED_SECONDS = 30.0  # for the journal of a script that raised
FLUSH_SECONDS = 5.0  # after an interruption: the next attempt sends what is left
Parameters = TypeVar("Parameters")


class SessionError(Exception):
    """The job's surroundings or its script do not fit; the message says what is expected."""


class Interrupted(SystemExit):
    """Ends the script after SIGTERM, when its state is safe."""


def arguments(kind: type[Parameters], argv: list[str] | None = None) -> Parameters:
    """The hyperparameters from the command line, as a dataclass whose fields are int, float, str or bool with defaults.

    A word that is no field ends the script with a message that names it.
    """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for field in fields(kind):  # type: ignore[arg-type]
        convert = _boolean if isinstance(field.default, bool) else type(field.default)
        parser.add_argument(f"--{field.name}", type=convert, default=field.default)
    return kind(**vars(parser.parse_args(argv)))


def _boolean(word: str) -> bool:
    if word.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"expected true or false, found {word!r}")
    return word.lower() == "true"


class Session:
    """One attempt of a training job; use it as a context. `parameters` is a dataclass."""

    def __init__(self, parameters: Any) -> None:
        needed = ("TRAINING_JOB_NAME", variables.MODEL, variables.TARGET, "SM_CHANNEL_TRAINING", "SM_MODEL_DIR")
        missing = [name for name in needed if not os.environ.get(name)]
        if missing:
            raise SessionError(f"this is no training job, which would set {', '.join(missing)}")
        self.parameters: dict[str, Any] = asdict(parameters)
        self.job, self.model = os.environ["TRAINING_JOB_NAME"], os.environ[variables.MODEL]
        self.target = os.environ[variables.TARGET]
        self.folder = Path(os.environ["SM_MODEL_DIR"])
        self.checkpoints = Path(os.environ.get("SM_CHECKPOINT_DIR", "/opt/ml/checkpoints"))
        self.every = float(os.environ.get(variables.CHECKPOINT_SECONDS, "60"))
        self._step, self._running, self._finished, self._stopping = 0, False, False, False

    def __enter__(self) -> Session:
        signal.signal(signal.SIGTERM, self._stop)
        self._origin = {
            "job": self.job,
            "environment": os.environ.get(variables.ENVIRONMENT, ""),
            "data_sha256": os.environ.get(variables.DATA_SHA256, ""),
            "code_sha256": os.environ.get(variables.CODE_SHA256, ""),
        }
        self._packages = {name: version(name) for name in PACKAGES}
        tags = {f"shoestring.{key}": value for key, value in self._origin.items()}
        packages = " ".join(f"{name}=={release}" for name, release in self._packages.items())
        self._tracker = Tracker(
            self.checkpoints,
            os.environ.get(variables.MLFLOW, ""),
            job=self.job,
            experiment=self.model,
            parameters=self.parameters,
            tags={**tags, "shoestring.python": platform.python_version(), "shoestring.packages": packages},
        )
        return self

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def table(self) -> Table:
        """The job's data. Raises SessionError when it is not what the job was named after."""
        path = Path(os.environ["SM_CHANNEL_TRAINING"]) / "train.csv"
        body = path.read_bytes()
        expected, actual = self._origin["data_sha256"], hashlib.sha256(body).hexdigest()
        if expected not in ("", actual):
            raise SessionError(f"{path.name} has the checksum {actual}, the job is for {expected}")
        header, *rows = csv.reader(body.decode().splitlines())
        at = header.index(self.target)
        names = [row[at] for row in rows]
        numeric = all(name.lstrip("-").isdecimal() for name in names)
        classes = sorted(set(names), key=(lambda name: (int(name), name)) if numeric else None)  # type: ignore[arg-type]
        index = {name: position for position, name in enumerate(classes)}
        return Table(
            features=header[:at] + header[at + 1 :],
            values=np.array([row[:at] + row[at + 1 :] for row in rows], dtype=np.float64),
            labels=np.array([index[name] for name in names], dtype=np.int64),
            classes=classes,
            target=self.target,
        )

    def steps(self, total: int, *, save: Callable[[], bytes], load: Callable[[bytes], None]) -> Iterator[int]:
        """The steps still to do, of 1 to `total`: after `load` of the newest whole checkpoint, where there is one.

        `save` is called between two steps, every so many seconds, after the last step, and when SIGTERM came. What it
        returns must hold all that later steps depend on, random states included. It may be a pickle: `load` gets it
        only when its checksum holds and it was written by this very job.
        """
        if self._running:
            raise SessionError("session.steps() is there to be used once")
        self._running = True
        print(f"steps={total}", flush=True)
        self._restore(load)
        saved = time.monotonic()
        for step in range(self._step + 1, total + 1):
            self._step = step
            yield step
            if self._stopping or step == total or time.monotonic() - saved >= self.every:
                checkpoint.save(self.checkpoints, step, f"{self.job}\n".encode() + save())
                saved = time.monotonic()
            if self._stopping:
                print(f"interrupted_at_step={step}", flush=True)
                raise Interrupted(INTERRUPTED)

    def _restore(self, load: Callable[[bytes], None]) -> None:
        latest = checkpoint.latest(self.checkpoints)
        if latest is None:
            return
        job, _, payload = latest.payload.partition(b"\n")
        if job.decode(errors="replace") != self.job:
            raise SessionError(f"the checkpoints in {self.checkpoints} are not of {self.job}; empty the folder")
        load(payload)
        self._step = latest.step
        print(f"resumed_from_step={latest.step}", flush=True)

    def log(self, **metrics: float) -> None:
        """Prints one line for the step, and sends the values to MLflow."""
        if not self._running:
            raise SessionError("session.log() belongs into the loop over session.steps()")
        values = {name: float(value) for name, value in metrics.items()}
        print(f"step={self._step}", _formatted(values), flush=True)
        self._tracker.log(self._step, values)

    def finish(self, model: Classifier, table: Table, *, evaluation: Mapping[str, float]) -> None:
        """Exports the model, holds it against the original, leaves it in the model folder and registers it.

        When MLflow cannot be reached, the job succeeds all the same: the model and its journal are in the job's
        model.tar.gz, and `shoestring models register` does the rest later.

        Args:
            model: a fitted scikit-learn classifier or pipeline, trained on `table`'s labels.
            evaluation: what it reaches on rows that it was not trained on.

        Raises:
            ExportError: the ONNX form of the model gives other probabilities.
        """
        if self._finished:
            raise SessionError("session.finish() is there to be called once")
        metrics = {name: float(value) for name, value in evaluation.items()}
        print("evaluation", _formatted(metrics), flush=True)
        parity = export(model, self.folder, self.model, table)
        print(f"exported max_difference={parity.max_difference:.2g} rows={parity.rows}", flush=True)
        described = {
            "name": self.model,
            "version": None,
            "run_id": None,
            **self._origin,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "target": table.target,
            "features": table.features,
            "classes": table.classes,
            "metrics": metrics,
            "hyperparameters": self.parameters,
            "parity": asdict(parity),
            "python": platform.python_version(),
            "packages": self._packages,
        }
        (self.folder / "model.json").write_text(json.dumps(described, indent=2) + "\n")
        self._tracker.log(self._step, metrics)
        self._tracker.status("FINISHED")
        shutil.copyfile(self._tracker.path, self.folder / JOURNAL)
        self._finished = True
        if not self._tracker.close(REGISTER_SECONDS, self.folder):
            print(
                f"warning: the model is not registered; register it later: shoestring models register {self.job}",
                flush=True,
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._finished:
            return
        if error is None:
            error = SessionError("the script ended without session.finish(): the job would leave no model")
            self._fail(error)
            raise error
        if isinstance(error, (Interrupted, KeyboardInterrupt)):
            self._tracker.status("KILLED")
            self._tracker.close(FLUSH_SECONDS)
        else:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Leaves the reason where SageMaker looks for it, and marks the run."""
        at = traceback.extract_tb(error.__traceback__)
        place = f" ({Path(at[-1].filename).name}:{at[-1].lineno})" if at else ""
        output = Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output"))
        if output.is_dir():
            (output / "failure").write_text(f"{type(error).__name__}: {error}{place}\n")
        self._tracker.status("FAILED")
        self._tracker.close(FAILED_SECONDS)


def _formatted(metrics: Mapping[str, float]) -> str:
    return " ".join(f"{name}={value:.6g}" for name, value in metrics.items())
