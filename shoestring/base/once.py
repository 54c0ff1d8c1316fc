"""What is made once on a machine: whole or not at all, whoever makes it, and however often."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path


def cache() -> Path:
    """Where what is made once on a machine lies, for all checkouts (`SHOESTRING_CACHE` moves it)."""
    return Path(os.environ.get("SHOESTRING_CACHE") or user_cache_path("shoestring"))


def make_once(target: Path, make: Callable[[Path], Path]) -> Path:
    """`target`, made unless it is there. Safe when it is killed at any point or runs twice at once.

    Args:
        target: named `<kind>-<hash of all that goes into it>`; one of a kind is made at a time.
        make: receives an empty folder to work in, and returns what becomes `target`.
    """
    if target.exists():
        return target
    folder, kind = target.parent, target.name.rpartition("-")[0]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{kind}.lock"):
        if not target.exists():
            for left in folder.glob(f"{kind}-*.part"):  # by one that was killed; its installer may still write there
                shutil.rmtree(left, ignore_errors=True)
            part = folder / f"{kind}-{os.getpid()}.part"
            part.mkdir()
            try:
                os.replace(make(part), target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return target
