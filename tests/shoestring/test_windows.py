"""`shoestring train` where no window comes up: nothing goes down, and nothing is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from costs.plan.preview import PlannedResource, Preview
from shoestring import models, plans, updates, windows
from shoestring.base.errors import UserError
from shoestring.commands.common import emit
from shoestring.screen import Screen

INPUTS = {"trainingJobName": "churn-1", "environment": {"SHOESTRING_MODEL": "churn"}}
PLANNED = PlannedResource(f"urn::{windows.JOB}::churn-1", windows.JOB, "churn-1", INPUTS, op="same")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> list[str]:
    """The operations that the engine was asked for."""
    asked: list[str] = []

    def run(operation: str, *words: str, **more: Any) -> updates.Outcome:
        asked.append(operation)
        return updates.Outcome()

    monkeypatch.setenv("SHOESTRING_HOME", str(tmp_path))
    monkeypatch.setattr(updates, "run", run)
    monkeypatch.setattr(plans, "preview", lambda *words, **more: Preview("preview", "s", "p", {}, (PLANNED,)))
    monkeypatch.setattr(models, "versions", lambda bucket, model: [{"job": "churn-1", "version": 3}])
    return asked


def train() -> list[dict[str, Any]]:
    return windows.train("local", "bucket", Screen(error=True), 0.2, "http://127.0.0.1:9")


def state(monkeypatch: pytest.MonkeyPatch, **deployment: Any) -> None:
    monkeypatch.setattr(updates, "deployment", lambda stack: deployment)


def test_a_plan_that_is_refused_has_no_teardown(engine, monkeypatch, capsys) -> None:
    def refuse(*words: str, **more: Any) -> Preview:
        raise UserError("the quota is 0")

    monkeypatch.setattr(plans, "preview", refuse)
    state(monkeypatch, resources=None)
    with pytest.raises(UserError, match="the quota is 0"):
        train()
    assert engine == [] and "goes down" not in capsys.readouterr().err


@pytest.mark.parametrize("deployment", [{"resources": [{}]}, {"pending_operations": [{}]}])
def test_a_refused_plan_takes_a_window_down_that_stands(engine, monkeypatch, capsys, deployment) -> None:
    def refuse(*words: str, **more: Any) -> Preview:
        raise UserError("the quota is 0")

    monkeypatch.setattr(plans, "preview", refuse)
    state(monkeypatch, **deployment)
    with pytest.raises(UserError, match="the quota is 0"):
        train()
    assert engine == ["destroy"] and "local-window goes down" in capsys.readouterr().err


@pytest.mark.parametrize(("resources", "operations"), [([], []), ([{}], ["destroy"])])
def test_where_nothing_is_due_a_window_goes_down_only_if_it_stands(
    engine, monkeypatch, capsys, resources, operations
) -> None:
    state(monkeypatch, resources=resources)
    assert train() == []
    assert engine == operations
    assert "version 3 has exactly these inputs" in capsys.readouterr().err


def test_nothing_to_say_is_no_empty_line(capsys: pytest.CaptureFixture[str]) -> None:
    emit([], False, "")
    assert capsys.readouterr().out == ""
    emit([], True, "")
    assert capsys.readouterr().out == "[]\n"
