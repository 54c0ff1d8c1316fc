"""The engines that work on this checkout, and the plugins that outlived theirs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import psutil

from shoestring.base.paths import home

ENGINE = "pulumi"
PLUGINS = ("shoestring.launchers.", "pulumi.policy", "pulumi.dynamic", "localcloud.provider")


def _ours() -> Iterator[psutil.Process]:
    """The processes that were started in a shell of this checkout."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(home() / "bin") in process.environ().get("PATH", "").split(os.pathsep):
                yield process


def _is_plugin(process: psutil.Process) -> bool:
    words = process.cmdline()
    named = Path(words[0]).name.startswith(("pulumi-resource-", "pulumi-language-")) if words else False
    return named or any(word.startswith(PLUGINS) for word in words[1:6])


def is_engine(pid: int) -> bool:
    """Whether a Pulumi engine runs under this number."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).name() == ENGINE
    return False


def strays() -> list[psutil.Process]:
    """Language hosts, programs, providers and policy packs of this checkout whose engine is gone."""
    left = []
    for process in _ours():
        with contextlib.suppress(psutil.Error):
            if _is_plugin(process) and not any(parent.name() == ENGINE for parent in process.parents()):
                left.append(process)
    return left


def running(folder: Path) -> list[psutil.Process]:
    """The engines of this checkout that keep their state below a folder, each with all that it started."""
    engines = []
    for process in _ours():
        with contextlib.suppress(psutil.Error):
            backend = urlparse(process.environ().get("PULUMI_BACKEND_URL", ""))
            if process.name() == ENGINE and backend.path == str(folder):
                engines += [process, *process.children(recursive=True)]
    return engines


def end(processes: list[psutil.Process]) -> None:
    """Kills them, and waits until they are gone; repeatable."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)
