"""Keeps the demo apart from the user's own work, and clears what a killed one left.

A marker lies in the home while a demo runs. One whose process is gone says that the demo was killed: the emulated
account and the local stacks then hold the demo's things alone, since it starts with neither, and are forgotten whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from localcloud import supervisor
from localcloud.account import list_account
from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL, window
from shoestring.base.paths import home, write_atomically


def _marker() -> Path:
    return home() / "demo.running"


def _alive(marker: Path) -> bool:
    try:
        owner = json.loads(marker.read_text())
        return bool(psutil.Process(owner["pid"]).create_time() == owner["created"])
    except (ValueError, KeyError, TypeError, psutil.Error):
        return False


def begin(cloud: dict[str, Any]) -> None:
    """Notes that from now on all that is in the account is the demo's; raises UserError where something is in it."""
    require_empty(cloud)
    owner = {"pid": os.getpid(), "created": psutil.Process().create_time()}
    write_atomically(_marker(), json.dumps(owner) + "\n")


def require_alone() -> None:
    """Raises UserError where another demo runs."""
    marker = _marker()
    if marker.exists() and _alive(marker):
        raise UserError("another demo runs in this checkout", "one at a time")


def end() -> None:
    """Notes that the demo is over, and left nothing."""
    _marker().unlink(missing_ok=True)


def clear(progress: Callable[[str], None]) -> bool:
    """Forgets what a killed demo left; returns whether there was one. Repeatable, also after being killed itself."""
    marker = _marker()
    if not marker.exists() or _alive(marker):
        return False
    progress("the last demo was killed: clearing what it left")
    forget()
    return True


def own() -> bool:
    """Whether this process's demo is under way."""
    marker = _marker()
    return marker.exists() and json.loads(marker.read_text())["pid"] == os.getpid()


def _end_engines() -> None:
    """Ends a `pulumi` that outlived its demo, with its plugins: it would go on making things."""
    backend, engines = f"file://{home() / 'state'}", list[psutil.Process]()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "pulumi" and process.environ().get("PULUMI_BACKEND_URL") == backend:
                engines += [process, *process.children(recursive=True)]
    for process in engines:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(engines, timeout=10)


def forget() -> None:
    """Ends the local cloud and forgets its account and the local stacks."""
    _end_engines()
    supervisor.down(home(), forget=True)
    for folder in ("stacks", "locks", "backups", "history"):
        shutil.rmtree(home() / "state" / ".pulumi" / folder, ignore_errors=True)
    end()


def named(resources: list[dict[str, str]]) -> str:
    """Resources of the account in a few words."""
    return ", ".join(f"{resource['service']} {resource['type']} {resource['id']}" for resource in resources)


def require_empty(cloud: dict[str, Any]) -> None:
    """Raises UserError where the local environment holds something of the user's own."""
    if resources := list_account(cloud):
        raise UserError(
            f"the local cloud is in use: {len(resources)} resources, such as {named(resources[:3])}",
            "an empty account, for the demo tears down all that is in it",
            f"pulumi destroy -s {window(LOCAL)}; pulumi destroy -s {LOCAL}    "
            "(or forget all: shoestring cloud up --fresh)",
        )
