"""`shoestring jobs` and `models`: what they print, for people and machines; where the platform's bucket is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from shoestring import jobs, layout
from shoestring.base.errors import UserError
from shoestring.commands import jobs as command
from shoestring.commands import models

MISSING = "the stack dev is not up: what its bucket kept of earlier jobs is not shown"


@pytest.fixture(autouse=True)
def _down(monkeypatch: pytest.MonkeyPatch) -> None:
    def outputs(stack: str) -> dict[str, Any]:
        raise UserError(f"the stack {stack} is not up")

    monkeypatch.setattr(command, "outputs", outputs)
    monkeypatch.setattr(command, "enter", lambda *_: None)


def test_what_is_not_shown_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(jobs, "recent", lambda bucket, limit: [])
    command.list_("dev")
    shown = capsys.readouterr()
    assert shown.err.strip() == MISSING and shown.out.strip() == "no training jobs"


def test_a_job_that_is_not_found_says_where_nobody_looked() -> None:
    with pytest.raises(UserError) as error:
        command.show("churn-1", "dev")
    assert error.value.found == f"{MISSING}\nnothing is known of a training job churn-1"


def test_awss_own_reason_comes_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(bucket: str, limit: int) -> list[Any]:
        raise NoCredentialsError

    monkeypatch.setattr(jobs, "recent", refuse)
    with pytest.raises(NoCredentialsError):
        command.list_("dev")
    assert MISSING not in capsys.readouterr().err


class Running:
    """A job with three lines, of which each look finds one; it ends with the second look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *states: str) -> None:
        self.states, self.lines = list(states), [(1893456000.25 + n, f"step={n}") for n in range(3)]
        monkeypatch.setattr(jobs, "find", lambda name: self._described())
        monkeypatch.setattr(jobs, "Log", lambda name, since: self)
        monkeypatch.setattr(command, "POLL", 0)

    def _described(self) -> dict[str, Any] | None:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"CreationTime": None, "TrainingJobStatus": state} if state else None

    def events(self) -> list[tuple[float, str]]:
        return [self.lines.pop(0)] if self.lines else []


def test_a_log_that_is_followed_is_an_object_in_each_line(monkeypatch, capsys) -> None:
    Running(monkeypatch, "InProgress", "InProgress", "Completed")
    command.logs("churn-1", "dev", follow=True, as_json=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"at": "2030-01-01T00:00:00.250+00:00", "line": "step=0"},
        {"at": "2030-01-01T00:00:01.250+00:00", "line": "step=1"},
        {"at": "2030-01-01T00:00:02.250+00:00", "line": "step=2"},
    ]


@pytest.mark.parametrize(("follow", "shown"), [(True, ["b", "c"]), (False, ["b", "c"])])
def test_a_log_that_was_kept_has_no_moments(monkeypatch, capsys, follow, shown) -> None:
    Running(monkeypatch, "")
    monkeypatch.setattr(jobs, "log", lambda name, bucket: [(None, line) for line in "abc"])
    command.logs("churn-1", "dev", follow=follow, tail=2, as_json=True)
    out = capsys.readouterr().out
    facts = [json.loads(line) for line in out.splitlines()] if follow else json.loads(out)
    assert facts == [{"at": None, "line": line} for line in shown]
    command.logs("churn-1", "dev", follow=follow, tail=0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("columns", [60, 200])
def test_the_list_is_readable_on_any_terminal(monkeypatch, capsys, columns) -> None:
    listed = [
        {"name": f"{model}-0f3a91c2b7de", "status": status, "created": "2030-01-31T12:00:00+00:00", "cost_usd": cost,
         "metrics": {"test_auc": 0.9967, "test_accuracy": 0.9825, "train_loss": 0.0312}}
        for model, status, cost in [("churn", "Completed", 0.00038), ("breast-cancer", "InProgress", None)]
    ]  # fmt: skip
    monkeypatch.setattr(jobs, "recent", lambda bucket, limit: listed)
    monkeypatch.setattr(layout, "width", lambda: columns)
    command.list_("dev")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert lines == (
        [
            "2030-01-31T12:00:00  Completed  churn-0f3a91c2b7de  $0.00038",
            "    test_auc 0.9967  test_accuracy 0.9825  train_loss 0.0312",
            "2030-01-31T12:00:00  InProgress  breast-cancer-0f3a91c2b7de",
            "    -  test_auc 0.9967  test_accuracy 0.9825",
            "    train_loss 0.0312",
        ]
        if columns == 60
        else [
            "2030-01-31T12:00:00  Completed   churn-0f3a91c2b7de          $0.00038  "
            "test_auc 0.9967  test_accuracy 0.9825  train_loss 0.0312",
            "2030-01-31T12:00:00  InProgress  breast-cancer-0f3a91c2b7de  -         "
            "test_auc 0.9967  test_accuracy 0.9825  train_loss 0.0312",
        ]
    )


def test_models_are_readable_on_a_narrow_terminal() -> None:
    metrics = {"test_auc": 0.9967, "test_accuracy": 0.9825, "train_loss": 0.0312}
    versions = [
        {"name": "churn", "version": number, "job": f"churn-0f3a91c2b7d{number}", "metrics": metrics,
         "champion": number == "2", "served": number == "2"}
        for number in ("2", "10")
    ]  # fmt: skip
    assert list(models._lines(versions, 60)) == [
        "churn",
        "  2  champion, served  churn-0f3a91c2b7d2  test_auc 0.9967\n"
        "      test_accuracy 0.9825  train_loss 0.0312\n"
        "  10  churn-0f3a91c2b7d10  test_auc 0.9967\n"
        "      test_accuracy 0.9825  train_loss 0.0312",
    ]
    wide = "\n".join(models._lines(versions, layout.ENDLESS)).splitlines()
    assert (
        wide[1]
        == "  2   champion, served  churn-0f3a91c2b7d2   test_auc 0.9967  test_accuracy 0.9825  train_loss 0.0312"
    )
    assert wide[2].startswith("  10                    churn-0f3a91c2b7d10  test_auc")
