"""Keeps the demo apart from the user's own work, and clears what a killed one left.

A marker lies in the home while a demo runs, which holds a lock. One without a holder of the lock says that the demo was
killed: the emulated account and the local stacks then hold the demo's things alone, since it starts with neither, and
are forgotten whole.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from localcloud import supervisor
from localcloud.account import list_account
from shoestring import engines, updates
from shoestring.base.errors import UserError
from shoestring.base.names import LOCAL, window
from shoestring.base.paths import home


def _marker() -> Path:
    return home() / "demo.running"


def alone() -> AbstractContextManager[None]:
    """Within it no other demo runs in this checkout; raises Locked where one does."""
    return updates.alone("demo", "another demo runs in this checkout")


@contextlib.contextmanager
def forgotten_unless_done(progress: Callable[[str], None]) -> Iterator[None]:
    """Within it all that is in the account is the demo's; what fails or is stopped in it leaves nothing."""
    _marker().touch()
    try:
        yield
    except BaseException:
        progress("clearing what the demo made")
        forget()
        raise
    _marker().unlink()


def clear(progress: Callable[[str], None]) -> bool:
    """Forgets what a killed demo left; returns whether there was one. Repeatable, also after being killed itself."""
    if not _marker().exists():
        return False
    with contextlib.suppress(updates.Locked), alone():
        progress("the last demo was killed: clearing what it left")
        forget()
        return True
    return False


def forget() -> None:
    """Ends the local cloud and forgets its account and the local stacks."""
    # an engine that outlived its command would go on making things
    engines.end([*engines.running(home() / "state"), *engines.strays()])
    supervisor.down(home(), forget=True)
    for folder in ("stacks", "locks", "backups", "history"):
        shutil.rmtree(home() / "state" / ".pulumi" / folder, ignore_errors=True)
    _marker().unlink(missing_ok=True)


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
