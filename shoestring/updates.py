"""Runs `pulumi` on a stack and tells what happens while it happens: what the command line's own commands build on."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from shoestring.errors import UserError
from shoestring.paths import ROOT, home

Event = dict[str, Any]
PAUSE = 0.1  # seconds between two looks at the engine's events


@dataclass
class Outcome:
    """What an update did: resources by kind of change (`create`, `same`, …), errors, and refusals of policies."""

    code: int = 0
    seconds: float = 0.0
    changes: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    output: str = ""

    @property
    def unchanged(self) -> bool:
        """Whether everything stayed as it was."""
        return self.code == 0 and not set(self.changes) - {"same", "read"}

    def take(self, event: Event) -> None:
        """Notes what an event of the engine says."""
        if summary := event.get("summaryEvent"):
            self.changes = {kind: count for kind, count in summary.get("resourceChanges", {}).items() if count}
        elif (found := event.get("diagnosticEvent")) and found["severity"] == "error":
            self.errors.append(found["message"].strip())
        elif (found := event.get("policyEvent")) and found["enforcementLevel"] == "mandatory":
            self.refusals.append(found["message"].strip())


def _follow(log: Path, position: int, outcome: Outcome, on_event: Callable[[Event], None]) -> int:
    """Takes the events that are new in the engine's log; returns how far it was read."""
    if not log.exists():
        return position
    with log.open("rb") as file:
        file.seek(position)
        new = file.read()
    whole = new[: new.rfind(b"\n") + 1]
    for line in whole.splitlines():
        event = json.loads(line)
        outcome.take(event)
        on_event(event)
    return position + len(whole)


def run(
    operation: str,
    stack: str,
    *words: str,
    on_event: Callable[[Event], None] = lambda event: None,
    folder: Path = ROOT,
    variables: dict[str, str] | None = None,
) -> Outcome:
    """Runs `pulumi OPERATION --stack STACK`.

    Ctrl-C reaches the engine as well, which ends in good order; it is waited for before KeyboardInterrupt goes on.

    Args:
        operation: up, preview, refresh or destroy.
        words: further arguments.
        on_event: receives each of the engine's events.
        folder: the project's.
        variables: for the engine, in place of this process's own.

    Returns:
        What happened, also where it failed: `code` is the command's.
    """
    outcome, began = Outcome(), time.monotonic()
    with tempfile.TemporaryDirectory(dir=home()) as scratch:
        log, text = Path(scratch, "events"), Path(scratch, "output")
        command = ["pulumi", operation, "--stack", stack, "--non-interactive", "--color", "never", *words]
        if operation in ("up", "destroy", "refresh"):
            command += ["--yes", "--skip-preview"]
        # the event log is among the engine's commands for tools, which this variable opens
        environment = {**(variables or os.environ), "PULUMI_DEBUG_COMMANDS": "true"}
        with text.open("wb") as output:
            child = subprocess.Popen(
                [*command, "--event-log", str(log)], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        position = 0
        try:
            while child.poll() is None:
                position = _follow(log, position, outcome, on_event)
                time.sleep(PAUSE)
        except KeyboardInterrupt:
            child.wait()
            raise
        _follow(log, position, outcome, on_event)
        outcome.output = text.read_text(errors="replace")
    outcome.code, outcome.seconds = child.returncode, time.monotonic() - began
    return outcome


def require(outcome: Outcome, what: str, mend: str) -> Outcome:
    """The outcome of an update that went well; raises UserError with the engine's own errors otherwise."""
    if outcome.code == 0:
        return outcome
    said = [error for error in outcome.errors if error != "update failed"] + outcome.refusals
    found = "\n".join(said) or "\n".join(outcome.output.splitlines()[-15:])
    raise UserError(f"{what} failed:\n{found}", mend=mend)


def _pulumi(*words: str, folder: Path = ROOT) -> str:
    done = subprocess.run(["pulumi", *words, "--non-interactive"], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise UserError(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def outputs(stack: str) -> dict[str, Any]:
    """A stack's outputs; raises UserError where it is not up."""
    found = dict(json.loads(_pulumi("stack", "output", "--json", "--stack", stack)))
    if not found:
        raise UserError(f"the stack {stack} is not up", mend=f"pulumi up --stack {stack} --policy-pack policies")
    return found


def make_stack(name: str, folder: Path = ROOT) -> None:
    """Makes a stack in the local state backend, unless it is there."""
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())["name"]
    if not (home() / "state" / ".pulumi" / "stacks" / project / f"{name}.json").exists():
        _pulumi("stack", "init", name, folder=folder)


def remove_stack(name: str, folder: Path = ROOT) -> None:
    """Removes an empty stack."""
    _pulumi("stack", "rm", name, "--yes", "--preserve-config", folder=folder)
