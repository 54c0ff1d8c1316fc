"""Where things lie: in the checkout's ignored `.shoestring/`; and files that are read or written whole."""

from __future__ import annotations

import csv
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def home() -> Path:
    """The checkout's own state (`SHOESTRING_HOME` moves it); made on first use."""
    folder = Path(os.environ.get("SHOESTRING_HOME") or ROOT / ".shoestring").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table that ships with the product (CSV), each by its columns."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_atomically(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Writes a file so that a reader sees the old or the new one, never half of it, also after a power cut.

    Makes its folder. What fails leaves the old file as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(part, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # which holds the name
    finally:
        os.close(folder)
