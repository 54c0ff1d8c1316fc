"""`shoestring jobs` where the platform's bucket cannot be had."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from shoestring import jobs
from shoestring.base.errors import UserError
from shoestring.commands import jobs as command

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
