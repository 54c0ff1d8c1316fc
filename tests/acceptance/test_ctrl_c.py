"""Ctrl-C while a model trains: the window goes down all the same, also when Ctrl-C comes again."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest

WAITS = """
import time
print("step=1 train_loss=1.0", flush=True)
time.sleep(600)
"""


def shown_until(train: subprocess.Popen[str], text: str) -> str:
    assert train.stdout
    shown = ""
    for line in iter(train.stdout.readline, ""):
        shown += line
        if text in line:
            return shown
    raise AssertionError(f"{text!r} was not shown:\n{shown}")


@pytest.mark.parametrize("times", [1, 2])
def test_the_window_goes_down(bed: Any, times: int) -> None:
    bed.job("waits", WAITS)
    train = bed.started(*bed.command, "train")
    shown = shown_until(train, "step 1")
    os.killpg(train.pid, signal.SIGINT)
    if times == 2:
        shown += shown_until(train, "goes down")
        os.killpg(train.pid, signal.SIGINT)
    shown += train.communicate(timeout=120)[0]
    assert train.returncode == 130, shown
    assert "Traceback" not in shown
    assert bed.resources("local-window") == [], shown
    assert "training-job" not in bed.shoestring("cloud", "account", code=1)
