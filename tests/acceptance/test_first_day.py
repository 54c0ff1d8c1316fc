"""A user's first day, as docs/first-day.md tells it: every command is run, and every screen compared.

In a screen, `…` stands for any text, and a line of its own for any lines.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from shoestring.base.paths import ROOT
from tests.acceptance.conftest import Bed

PAGE = ROOT / "docs" / "first-day.md"
MARK = "@@first-day@@"


@dataclass(frozen=True)
class Step:
    """A command, which may go on in lines that begin with `>`, and what the page shows of its output."""

    command: str
    screen: str


def steps(page: str) -> list[Step]:
    blocks = re.findall(r"^```console\n(.*?)^```", page, re.M | re.S)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.M)[1:]]
    split = [re.fullmatch(r"([^\n]*\n(?:>[^\n]*\n)*)(.*)", part, re.S) for part in parts]
    return [Step(re.sub(r"(?m)^> ?", "", match[1]), match[2]) for match in split if match]


def shown(steps: list[Step], bed: Bed) -> list[str]:
    """What each command prints, of all of them in one shell."""
    (bed.tree / ".shoestring").unlink(missing_ok=True)
    (bed.tree / ".shoestring").symlink_to(bed.home)
    script = "".join(f"{step.command}\necho '{MARK}'\n" for step in steps)
    variables = {**bed.variables, "PULUMI_OPTION_COLOR": "never", "PULUMI_OPTION_NON_INTERACTIVE": "true"}
    completed = subprocess.run(
        ["bash", "-c", script], cwd=bed.tree, env=variables, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1700,
    )  # fmt: skip
    return completed.stdout.split(f"{MARK}\n")[:-1]


def fits(screen: str, output: str) -> bool:
    """Whether an output is what a screen shows."""
    parts = [re.escape(part) for part in re.split(r"(?m)^…\n", screen)]
    pattern = r"(?:.*\n)*?".join(part.replace("…", "[^\n]*") for part in parts)
    return re.fullmatch(pattern, output) is not None


def test_screens_are_compared() -> None:
    assert fits("a … b\n…\nend\n", "a 1 b\nx\ny\nend\n") and fits("…\n", "") and fits("", "")
    assert not fits("a\n", "b\n") and not fits("a\n", "a\nb\n") and not fits("a … b\n", "a\nb\n")


@pytest.mark.timeout(1800)
def test_the_first_day(tmp_path: Path) -> None:
    day, bed = steps(PAGE.read_text()), Bed(tmp_path)
    try:
        outputs = shown(day, bed)
    finally:
        bed.shoestring("cloud", "down")
    assert len(outputs) == len(day)
    wrong = [(step.command, step.screen, output) for step, output in zip(day, outputs, strict=True)
             if not fits(step.screen, output)]  # fmt: skip
    assert not wrong, "\n".join(f"$ {command}expected:\n{screen}shown:\n{output}" for command, screen, output in wrong)
