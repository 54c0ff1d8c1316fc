"""The stack as it was before this update: what a plan's costs are compared with.

The engine hands a policy pack what will be, and not what was. A state below a folder is read as a file; for other
backends `pulumi stack export` runs beside the preview. An update waits for it, as its own steps change the state.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from costs.plan.preview import read
from policies.rule import Earlier

SECONDS = 30  # that the command line may take
OURS = ("PULUMI_CONFIG", "PULUMI_DRY_RUN", "PULUMI_STACK", "PULUMI_PROJECT", "PULUMI_ORGANIZATION")


class State:
    """Reads the state once, in the background."""

    def __init__(self) -> None:
        self._name: tuple[str, str, str] = ("organization", "", "")
        self._thread: threading.Thread | None = None
        self._earlier = Earlier()
        self._came_up: bool | None = None

    def of(self, organization: str, project: str, stack: str) -> None:
        """Says whose state it is."""
        self._name = organization or "organization", project, stack

    def start(self, wait: bool) -> None:
        """Begins to read; with `wait`, does not return before it is read."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()
        if wait:
            self._thread.join(SECONDS)

    def earlier(self) -> Earlier:
        """The resources before this update. None where no earlier update of the stack ever succeeded: what a first
        update left when it failed is no measure of anything."""
        if self._thread is None:
            return Earlier(None, "the stack's earlier state was not asked for")
        self._thread.join(SECONDS)
        if self._thread.is_alive():
            return Earlier(None, f"pulumi stack export took longer than {SECONDS} s")
        return self._earlier

    def came_up(self) -> bool:
        """Whether an update of this stack has succeeded since it was last destroyed; True where nobody can say."""
        if self._came_up is None:
            self._came_up = self._history()
        return self._came_up

    def _read(self) -> None:
        try:
            text = _file_of(*self._name[1:])
            resources = _resources(self._command("stack", "export") if text is None else text)
        except Exception as error:  # a budget that cannot be compared is said so, and stops nobody
            self._earlier = Earlier(None, str(error).strip().replace("\n", " ")[:300] or type(error).__name__)
        else:
            self._earlier = Earlier(resources)

    def _history(self) -> bool:
        try:
            updates = json.loads(self._command("stack", "history", "--json", "--page-size", "50"))
        except (OSError, ValueError, subprocess.SubprocessError):
            return True
        for update in updates if isinstance(updates, list) else []:
            if isinstance(update, Mapping) and update.get("result") == "succeeded":
                if update.get("kind") == "destroy":
                    return False
                if update.get("kind") in ("update", "import"):
                    return True
        return not updates

    def _command(self, *words: str) -> str:
        """What a command of Pulumi's prints about this stack. Raises ValueError with what it says where it fails."""
        pulumi = shutil.which("pulumi")
        if pulumi is None:
            raise ValueError("pulumi is not on the PATH of the policy pack")
        environment = {key: value for key, value in os.environ.items() if key not in OURS}
        done = subprocess.run(
            [pulumi, *words, "--stack", "/".join(self._name), "--non-interactive", "--color", "never"],
            env=environment, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode:
            raise ValueError(f"pulumi {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def _file_of(project: str, stack: str) -> str | None:
    """The state as its backend keeps it, where that is a folder: empty for a stack that was never updated. None for
    other backends."""
    backend = urlparse(os.environ.get("PULUMI_BACKEND_URL", ""))
    folder = Path(unquote(backend.netloc + backend.path)).expanduser() / ".pulumi"
    if backend.scheme != "file" or not folder.is_dir():
        return None
    for place in (folder / "stacks" / project, folder / "stacks"):
        if (path := place / f"{stack}.json").exists():
            return path.read_text()
        if (path := place / f"{stack}.json.gz").exists():
            return gzip.decompress(path.read_bytes()).decode()
    return ""


def _resources(text: str) -> list[Any] | None:
    """The resources of a state; None where the stack has none: it never came up, or was destroyed."""
    document = json.loads(text or "{}")
    deployment = document.get("deployment") or (document.get("checkpoint") or {}).get("latest") or {}
    if not deployment.get("resources"):
        return None
    return list(read(text, "the stack's state").resources)
