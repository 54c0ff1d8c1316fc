"""Processes that outlive the command that started them, and end with everything they started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

GRACE_SECONDS = 10.0  # between SIGTERM and SIGKILL: MiniStack writes its state in it


@dataclass(frozen=True)
class Process:
    """A process that leads a group of its own. `created` (epoch seconds) tells it from a later one of the same pid."""

    pid: int
    created: float

    @classmethod
    def of(cls, child: subprocess.Popen[bytes]) -> Process:
        """The process of a child that was just started."""
        return cls(child.pid, psutil.Process(child.pid).create_time())

    def alive(self) -> bool:
        """Whether this very process still runs."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def members(self) -> list[psutil.Process]:
        """What still runs of its group, itself included; also when it was killed itself."""
        members = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                # A group that outlives its leader keeps the number from being given away, so a member older than
                # the leader belongs to another one.
                if os.getpgid(process.pid) == self.pid and process.create_time() >= self.created:
                    members.append(process)
        return members


def spawn(command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path) -> subprocess.Popen[bytes]:
    """Starts `command` in `folder`, in a session of its own, with both of its outputs appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(process: Process, grace: float = GRACE_SECONDS) -> bool:
    """Ends the group: SIGTERM, a grace, SIGKILL. Returns whether anything ran. Repeatable; silent when all is gone."""
    members = process.members()
    if not members:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    _, left = psutil.wait_procs(members, timeout=grace)
    if left:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        psutil.wait_procs(left, timeout=GRACE_SECONDS)
    return True


def processes_below(folder: Path) -> list[Process]:
    """The Python programs that work in `folder` or below, each as the leader of its group, which may be gone itself.

    Theirs is this program's own Python, or one below `folder`.
    """
    leaders = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            words = process.cmdline()
            ours = words and (Path(words[0]).parent == Path(sys.executable).parent or words[0].startswith(f"{folder}/"))
            if ours and Path(process.cwd()).is_relative_to(folder):
                leaders.append(Process(os.getpgid(process.pid), process.create_time()))
    return leaders


def free_port(wanted: int = 0) -> int:
    """A loopback port that nobody listens on: the one that is wanted, if it is free."""
    with socket.socket() as probe:
        if wanted:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            if not wanted:
                raise
            return free_port()
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.1) -> bool:
    """Polls `condition` until it is true; False when `seconds` pass before."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(pause)
    return False
