"""Without an account the program itself says what a new stack would have, and nothing of the user's is touched."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from costs.amounts import cents
from costs.book.prices import PriceBook
from costs.plan.plan import Plan, price_plan
from shoestring import offline, updates
from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT
from tests.stacks.conftest import no_building  # noqa: F401  # packages take the network

STACKS = [f"{environment}{window}" for environment in ("dev", "staging", "prod") for window in ("", "-window")]


@pytest.fixture(autouse=True)
def own_loop() -> Iterator[None]:
    yield
    asyncio.set_event_loop(asyncio.new_event_loop())


def planned(stack: str) -> Plan:
    return price_plan(offline.preview(stack, "no login"), PriceBook.load())


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_is_priced_as_a_new_one(stack: str) -> None:
    plan = planned(stack)
    assert (plan.stack, plan.region, plan.before.monthly.high) == (stack, "us-east-1", 0)
    assert any("no account was asked (no login)" in warning for warning in plan.warnings)
    assert plan.complete, [cost.reason for cost in (*plan.unpriced, *plan.partial)]
    if stack.endswith("-window"):
        # the spot price as it is expected, and its bounds; 1,200 s at 0.115 an hour and a disk at the worst
        run = plan.after.run
        assert run.expected and run.low < run.expected < run.high and cents(run.high) == Decimal("0.04")
    else:
        assert cents(plan.after.idle.high) == Decimal("8.17")  # as the README has it for dev


def test_a_stack_is_as_it_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack's own values lie over the project's defaults; what is encrypted is left out."""
    usual = offline.program_configuration("dev")
    assert usual["shoestring:owner"] == "nobody@example.com" and usual["aws:region"] == "us-east-1"
    more = {**usual, "shoestring:mlflow": '{"instanceType": "t4g.micro"}'}
    before = planned("dev").after.idle.high
    monkeypatch.setattr(offline, "program_configuration", lambda stack: more)
    assert cents(planned("dev").after.idle.high - before) == Decimal("3.07")


def test_what_the_program_refuses_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {**offline.program_configuration("dev"), "shoestring:mlflow": '{"volumeGb": 1}'}
    monkeypatch.setattr(offline, "program_configuration", lambda stack: wrong)
    with pytest.raises(UserError, match=r"shoestring:mlflow\.volumeGb is 1"):
        offline.preview("dev", "no login")


def test_a_program_that_needs_an_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(offline.ANSWERS, "aws:index/getCallerIdentity:getCallerIdentity")
    with pytest.raises(
        UserError, match=r"without an account \(no login\) the program of dev fails: .*getCallerIdentity"
    ):
        offline.preview("dev", "no login")


def test_why_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: str) -> str:
        raise UserError("PULUMI_ACCESS_TOKEN must be set\nmore")

    monkeypatch.setattr(updates, "pulumi", refuse)
    assert offline.why("dev") == "PULUMI_ACCESS_TOKEN must be set"
    monkeypatch.setattr(updates, "pulumi", lambda *words: "{}")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert offline.why("dev") == "no AWS credentials"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    assert offline.why("dev") == ""


def test_the_command_leaves_nothing_with_the_user(tmp_path: Path) -> None:
    """In a shell without login and credentials, and as that of a new user."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_", "SHOESTRING_"))}
    command = [sys.executable, "-m", "shoestring.cli", "cost", "plan", "dev-window", "--json"]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=290,
                          env={**own, "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no account was asked (PULUMI_ACCESS_TOKEN must be set" in done.stdout
    assert not list(tmp_path.rglob("stacks")) and not list(tmp_path.rglob("credentials.json"))
    assert subprocess.run(["git", "diff", "--stat", "--", "Pulumi*.yaml"], cwd=ROOT, text=True, capture_output=True,
                          check=True).stdout == ""  # fmt: skip
