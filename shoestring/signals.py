"""SIGTERM (a job of CI that is cancelled) and SIGHUP (a terminal that is closed) end a command as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

received: list[int] = []  # the signals that came, in their order


def act_as_ctrl_c() -> None:
    """From now on each of them raises KeyboardInterrupt; SIGHUP does not where it is ignored, as by `nohup`."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    received.append(number)
    if number == signal.SIGHUP:  # what is still said has no terminal to go to, and must not fail for it
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            if os.isatty(stream.fileno()):
                os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    raise KeyboardInterrupt


def exit_code(otherwise: int) -> int:
    """The command's exit code, as a shell has it: 128 and the signal's number, where one came."""
    return 128 + received[0] if received else otherwise
