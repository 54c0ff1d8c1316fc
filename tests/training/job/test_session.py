"""A session resumes, leaves at SIGTERM, refuses misuse, and lives without MLflow."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from training.job import checkpoint
from training.job.session import Interrupted, Session, SessionError, arguments


@dataclass(frozen=True)
class Parameters:
    epochs: int = 3
    rate: float = 0.5
    kind: str = "plain"
    fast: bool = False


class Counter:
    """State that shows which steps led to it."""

    def __init__(self):
        self.seen = []

    def save(self):
        return json.dumps(self.seen).encode()

    def load(self, state):
        self.seen = json.loads(state)

    def run(self, session, total, until=None):
        for step in session.steps(total, save=self.save, load=self.load):
            self.seen.append(step)
            session.log(loss=1 / step)
            if step == until:
                os.kill(os.getpid(), signal.SIGTERM)


def finish(session):
    table = session.table()
    session.finish(LogisticRegression().fit(table.values, table.labels), table, evaluation={"test_auc": 0.5})


def interrupted(counter, total, until):
    with pytest.raises(Interrupted) as raised, Session(Parameters()) as session:
        counter.run(session, total, until)
    return raised.value.code


def test_hyperparameters_come_from_the_command_line_with_their_types():
    assert arguments(Parameters, []) == Parameters()
    words = ["--epochs", "7", "--rate", "0.1", "--kind", "x", "--fast", "true"]
    assert arguments(Parameters, words) == Parameters(7, 0.1, "x", True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--epoch", "7"], "unrecognized arguments: --epoch 7"),
        (["--epochs", "many"], "invalid int value: 'many'"),
        (["--fast", "perhaps"], "expected true or false, found 'perhaps'"),
    ],
)
def test_wrong_hyperparameter_is_named(words, says, capsys):
    with pytest.raises(SystemExit) as raised:
        arguments(Parameters, words)
    assert raised.value.code == 2 and says in capsys.readouterr().err


def test_whole_job_prints_its_steps_and_leaves_its_model(job, capsys):
    with Session(Parameters()) as session:
        Counter().run(session, 3)
        finish(session)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == ["steps=3", "step=1 loss=1", "step=2 loss=0.5", "step=3 loss=0.333333"]
    assert lines[4] == "evaluation test_auc=0.5"
    assert lines[-1].endswith("register it later: shoestring models register tiny-1")
    left = {path.name for path in (job / "model").iterdir()}
    assert left == {"model.onnx", "signature.json", "model.json", "tracking.jsonl"}
    described = json.loads((job / "model" / "model.json").read_text())
    assert (described["name"], described["job"], described["code_sha256"]) == ("tiny", "tiny-1", "c0de")
    assert described["metrics"] == {"test_auc": 0.5} and described["hyperparameters"]["rate"] == 0.5
    assert described["packages"]["scikit-learn"] and described["parity"]["max_difference"] < 1e-4


def test_sigterm_saves_at_the_end_of_the_step_and_the_next_attempt_goes_on(job, capsys):
    assert interrupted(Counter(), 6, until=4) == 143
    assert capsys.readouterr().out.splitlines()[-1] == "interrupted_at_step=4"
    counter = Counter()
    with Session(Parameters()) as session:
        counter.run(session, 6)
        finish(session)
    assert counter.seen == [1, 2, 3, 4, 5, 6]
    assert capsys.readouterr().out.splitlines()[:3] == ["steps=6", "resumed_from_step=4", "step=5 loss=0.2"]


def test_checkpoints_are_written_at_intervals_and_after_the_last_step(job, monkeypatch):
    with Session(Parameters()) as session:
        Counter().run(session, 5)
        assert checkpoint.steps(job / "checkpoints") == [5]
        finish(session)
    monkeypatch.setenv("SHOESTRING_CHECKPOINT_SECONDS", "0")
    with Session(Parameters()) as session:
        Counter().run(session, 8)
        assert checkpoint.steps(job / "checkpoints") == [8, 7, 6]
        finish(session)


def test_damaged_checkpoints_are_passed_over_and_do_not_push_out_whole_ones(job, monkeypatch, capsys):
    monkeypatch.setenv("SHOESTRING_CHECKPOINT_SECONDS", "0")
    interrupted(Counter(), 9, until=8)
    for step in (8, 7, 6):
        path = job / "checkpoints" / f"step-{step:012d}.ckpt"
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="checkpoint skipped"):
        interrupted(Counter(), 9, until=1)
    assert checkpoint.steps(job / "checkpoints") == [1]
    interrupted(Counter(), 9, until=2)
    assert "resumed_from_step=1" in capsys.readouterr().out


def test_checkpoint_of_another_job_is_never_loaded(job, monkeypatch):
    interrupted(Counter(), 5, until=2)
    monkeypatch.setenv("TRAINING_JOB_NAME", "tiny-2")
    with pytest.raises(SessionError, match="are not of tiny-2"), Session(Parameters()) as session:
        Counter().run(session, 5)
    assert checkpoint.steps(job / "checkpoints") == [2]


def test_script_that_raises_leaves_its_reason(job):
    with pytest.raises(ZeroDivisionError), Session(Parameters()) as session:
        for step in session.steps(3, save=bytes, load=print):
            session.log(loss=1 / (step - 1))
    reason = (job / "output" / "failure").read_text()
    assert reason.startswith("ZeroDivisionError: division by zero (test_session.py:")
    assert json.loads((job / "checkpoints" / "tracking.jsonl").read_text().splitlines()[-1])["status"] == "FAILED"


def test_script_without_a_model_does_not_succeed(job):
    with pytest.raises(SessionError, match=r"ended without session\.finish"), Session(Parameters()):
        print("forgot it")
    assert "ended without session.finish" in (job / "output" / "failure").read_text()


def test_misuse_is_refused(job):
    with pytest.raises(SessionError, match="belongs into the loop"), Session(Parameters()) as session:
        session.log(loss=1)
    with pytest.raises(SessionError, match="used once"), Session(Parameters()) as session:
        Counter().run(session, 1)
        Counter().run(session, 1)
    with pytest.raises(SessionError, match="called once"), Session(Parameters()) as session:
        finish(session)
        finish(session)


def test_outside_a_job_it_says_what_is_missing(monkeypatch):
    for name in ("TRAINING_JOB_NAME", "SM_MODEL_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SessionError, match="TRAINING_JOB_NAME"):
        Session(Parameters())


def test_table_has_classes_in_order_and_is_what_the_job_was_named_after(job, monkeypatch):
    with pytest.raises(SessionError, match="ended without"), Session(Parameters()) as session:
        table = session.table()
    assert (table.features, table.classes, table.values.shape) == (["a", "b"], ["no", "yes"], (40, 2))
    path = job / "data" / "train.csv"
    written = [line.split(",")[-1] for line in path.read_text().splitlines()[1:]]
    assert [table.classes[label] for label in table.labels] == written
    monkeypatch.setenv("SHOESTRING_DATA_SHA256", hashlib.sha256(b"other").hexdigest())
    with pytest.raises(SessionError, match="has the checksum"), Session(Parameters()) as session:
        session.table()


def test_numeric_classes_are_ordered_as_numbers(job):
    rows = "".join(f"{value},{value % 11}\n" for value in range(110))
    (job / "data" / "train.csv").write_text("a,bought\n" + rows)
    with pytest.raises(SessionError, match="ended without"), Session(Parameters()) as session:
        table = session.table()
    assert table.classes == [str(number) for number in range(11)]
    assert np.array_equal(table.labels, np.arange(110) % 11)
