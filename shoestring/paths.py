"""Where things lie: in the checkout's ignored `.shoestring/`, or in the user's cache, keyed by version."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def home() -> Path:
    """The checkout's own state (`SHOESTRING_HOME` moves it); made on first use."""
    folder = Path(os.environ.get("SHOESTRING_HOME") or ROOT / ".shoestring").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def cache() -> Path:
    """What is built once on a machine (`SHOESTRING_CACHE` moves it)."""
    if named := os.environ.get("SHOESTRING_CACHE"):
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("shoestring")
