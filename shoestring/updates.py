"""Runs `pulumi` on a stack and tells what happens while it happens: what the command line's own commands build on."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO, Any

import yaml
from filelock import FileLock, Timeout

from shoestring.base import aws
from shoestring.base.errors import MEND, UserError
from shoestring.base.names import LOCAL, environment_of
from shoestring.base.paths import ROOT, home
from shoestring.engines import is_engine

Event = dict[str, Any]
PAUSE = 0.1  # seconds between two looks at the engine's events
LOCK = re.compile(
    r"locks/\S+/(?P<stack>[^/\s]+)/[^/\s]+: created by \S+@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<at>\S+)"
)
LOCK_SECONDS = 10.0  # a younger one may be about to be written
UNHANDLED = "Program failed with an unhandled exception:"


class Locked(UserError):
    """The stack belongs to another update, which runs or was killed: nothing was done."""


@contextlib.contextmanager
def alone(kind: str, refusal: str, mend: str = "") -> Iterator[None]:
    """Keeps two of a kind apart; raises Locked with the refusal where another is at work, not where it was killed."""
    try:
        with FileLock(home() / f"{kind}.lock", timeout=0):
            yield
    except Timeout as error:
        raise Locked(refusal, "one at a time", mend) from error


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
        elif (diagnostic := event.get("diagnosticEvent")) and diagnostic["severity"] == "error":
            self.errors.append(diagnostic["message"].strip())
        elif (violation := event.get("policyEvent")) and violation["enforcementLevel"] == "mandatory":
            self.refusals.append(violation["message"].strip())

    def require(self, what: str, mend: str) -> Outcome:
        """The outcome itself, where all went well.

        Raises:
            Locked: another update has the stack.
            UserError: it failed: the engine's own errors; `mend` is shown where they name no command themselves.
        """
        if self.code == 0:
            return self
        _require_lock(self.output)
        errors = [_without_traceback(error) for error in self.errors if error != "update failed"] + self.refusals
        # what the program met because the engine had given up is no reason of its own
        reasons = [error for error in errors if "the client connection is closing" not in error] or errors
        reason = "\n".join(reasons) or "\n".join(self.output.splitlines()[-15:])
        if "no space left on device" in reason.lower():
            mend = f"df -h {home()}    (then the same command again)"
        raise UserError(f"{what} failed:\n{reason}", mend="" if MEND in reason else mend)


def _new_events(log: IO[bytes]) -> Iterator[Event]:
    """The events that the engine has written since the last call."""
    for line in iter(log.readline, b""):
        if not line.endswith(b"\n"):
            log.seek(-len(line), os.SEEK_CUR)  # half of one, which is whole the next time
            return
        yield json.loads(line)


def run(operation: str, stack: str, *words: str, on_event: Callable[[Event], None] = lambda event: None) -> Outcome:
    """Runs `pulumi OPERATION --stack STACK`.

    Ctrl-C, and what acts as it, is handed on to the engine, which ends in good order (at once where it comes again); it
    is waited for before KeyboardInterrupt goes on.

    Args:
        operation: up, preview, refresh or destroy.
        words: further arguments.
        on_event: receives each of the engine's events.

    Returns:
        What happened, also where it failed: `code` is the command's.
    """
    outcome, began = Outcome(), time.monotonic()
    command = ["pulumi", operation, "--stack", stack, "--non-interactive", "--color", "never", *words]
    if operation in ("up", "destroy", "refresh"):
        command += ["--yes", "--skip-preview"]
    # the event log is among the engine's commands for tools, which this variable opens
    environment = {**os.environ, "PULUMI_DEBUG_COMMANDS": "true"}
    with NamedTemporaryFile(dir=home()) as log, TemporaryFile(dir=home()) as output:
        child = subprocess.Popen(
            [*command, "--event-log", log.name], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, process_group=0,
        )  # fmt: skip
        try:
            while True:
                ended = child.poll() is not None
                for event in _new_events(log):
                    outcome.take(event)
                    on_event(event)
                if ended:
                    break
                time.sleep(PAUSE)
        except KeyboardInterrupt:
            _interrupt(child)
            raise
        output.seek(0)
        outcome.output = output.read().decode(errors="replace")
    outcome.code, outcome.seconds = child.returncode, time.monotonic() - began
    return outcome


def _interrupt(child: subprocess.Popen[bytes]) -> None:
    """Ends the engine as Ctrl-C in a terminal does, and waits for it; a further Ctrl-C is handed on too."""
    while True:
        try:
            child.send_signal(signal.SIGINT)
            child.wait()
            return
        except KeyboardInterrupt:
            continue


def _without_traceback(error: str) -> str:
    return error.splitlines()[-1] if error.startswith(UNHANDLED) else error


@dataclass(frozen=True)
class Lock:
    """Who has a stack, since when; `dead` where that process is not there any more."""

    stack: str
    host: str
    pid: int
    since: str

    @property
    def dead(self) -> bool:
        return self.host == socket.gethostname() and not is_engine(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


def lock(stack: str) -> Lock | None:
    """The lock of a stack in the local state backend; None without one, and for stacks elsewhere."""
    for path in _locks(stack):
        with contextlib.suppress(FileNotFoundError, ValueError):
            facts = json.loads(path.read_text())
            return Lock(stack, facts["hostname"], facts["pid"], facts["timestamp"])
    return None


def unlock(stack: str) -> None:
    """Takes a lock away, and what a killed update did not finish to write."""
    for path in _state(stack).parent.glob(f"{stack}.json.*"):
        if path.suffix == ".tmp" or (path.suffix == ".attrs" and not _is_json(path)):
            path.unlink()
    pulumi("cancel", "--stack", stack, "--yes")


def locked(lock: Lock) -> Locked:
    """The refusal of what another update stands in the way of."""
    repair = f"shoestring repair {environment_of(lock.stack)}"
    both = f"pulumi cancel --stack {lock.stack} --yes; {repair}"
    if lock.dead:
        what = f"the stack {lock.stack} is locked by an update that was killed: {lock}"
        mend = repair if environment_of(lock.stack) == LOCAL else both  # whose lock only Pulumi sees
        return Locked(what, "no lock but that of an update that runs", mend)
    what = f"another update of the stack {lock.stack} runs: {lock}"
    return Locked(what, "one at a time", f"wait for its end; if it has died: {both}")


def _require_lock(output: str) -> None:
    if found := LOCK.search(output):
        raise locked(Lock(found["stack"], found["host"], int(found["pid"]), found["at"]))


def pulumi(*words: str) -> str:
    """What `pulumi WORDS` prints; raises UserError with what it says where it fails."""
    completed = subprocess.run(["pulumi", *words, "--non-interactive"], cwd=ROOT, capture_output=True, text=True)
    if completed.returncode:
        _require_lock(completed.stderr)
        raise UserError((completed.stderr.strip() or completed.stdout.strip()).removeprefix("error: "))
    return completed.stdout


def outputs(stack: str) -> dict[str, Any]:
    """A stack's outputs; from here on AWS is asked in its region. Raises UserError where it is not up."""
    values = dict(json.loads(pulumi("stack", "output", "--json", "--stack", stack)))
    if not values:
        raise UserError(f"the stack {stack} is not up", mend=f"pulumi up --stack {stack} --policy-pack policies")
    if values.get("region"):
        aws.use_region(str(values["region"]))
    return values


def configuration(stack: str) -> dict[str, Any]:
    """A stack's configuration by full key (`shoestring:team`), objects as JSON; secrets are left out."""
    entries = json.loads(pulumi("config", "--json", "--stack", stack))
    return {key: entry["value"] for key, entry in entries.items() if "value" in entry}


def _state(stack: str) -> Path:
    """Where the local state backend keeps a stack of this project."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"]
    return home() / "state" / ".pulumi" / "stacks" / project / f"{stack}.json"


def _locks(name: str) -> list[Path]:
    """The files of a stack's locks in the local state backend."""
    path = _state(name)
    folder = path.parents[2] / "locks" / "organization" / path.parent.name / name
    return [lock for lock in folder.glob("*.json*") if lock.suffix != ".attrs"]


def deployment(stack: str) -> dict[str, Any]:
    """A stack's state: `resources`, `pending_operations`; without either where it is not there."""
    if environment_of(stack) != LOCAL:
        return dict(json.loads(pulumi("stack", "export", "--stack", stack))["deployment"])
    check_state(stack)
    path = _state(stack)
    return dict(json.loads(path.read_text())["checkpoint"].get("latest") or {}) if path.exists() else {}


def stands(stack: str) -> bool:
    """Whether a stack has anything in its state, what was begun and not ended included."""
    state = deployment(stack)
    return bool(state.get("resources") or state.get("pending_operations"))


def make_stack(name: str, *words: str) -> None:
    """Makes a stack in the local state backend, unless it is there. Raises UserError where its state is corrupt."""
    if _state(name).exists():
        check_state(name)
    else:
        pulumi("stack", "init", name, *words)


def check_state(name: str) -> None:
    """Raises UserError where state or lock of a stack of the local backend cannot be read; changes nothing."""
    path = _state(name)
    backend, project = path.parents[2], path.parent.name
    if path.exists() and not _is_json(path):
        # the engine keeps a copy of each update's result
        copies = (backend / "backups" / project / name).glob(f"{name}.*.json")
        copy = next(filter(_is_json, sorted(copies, reverse=True)), None)
        restore = f"cp {shlex.quote(str(copy))} {shlex.quote(str(path))}; pulumi refresh --stack {name}"
        raise UserError(
            f"the state of the stack {name} is corrupt: {path} is not JSON",
            "what the last update wrote" + (f", as in its copy {copy.name}" if copy else ""),
            restore if copy else f"rm {shlex.quote(str(path))}; shoestring cloud up --fresh",
        )
    for lock in _locks(name):
        if not _is_json(lock) and time.time() - lock.stat().st_mtime > LOCK_SECONDS:
            raise UserError(
                f"the lock of the stack {name} is corrupt: {lock} is not JSON",
                "no lock but that of an update that runs",
                f"pulumi cancel --stack {name} --yes",
            )


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except FileNotFoundError:
        return True  # removed meanwhile
    except ValueError:
        return False
    return True


def remove_stack(name: str, *words: str) -> None:
    """Removes an empty stack."""
    pulumi("stack", "rm", name, "--yes", "--preserve-config", *words)
