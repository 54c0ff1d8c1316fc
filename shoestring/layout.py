"""Rows of text on terminals that may be narrow: columns where they fit, otherwise one part below the other."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

ENDLESS = 10_000  # characters in a line that no terminal breaks
GAP, INDENT = "  ", "    "


def width() -> int:
    """Characters in a line of standard output; endless where it is no terminal's."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else ENDLESS


def table(rows: Sequence[Sequence[str]], columns: int, width: int) -> str:
    """Rows whose first `columns` parts stand below each other, with the others behind; folded where one is too long."""
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(columns)]
    lines = []
    for row in rows:
        aligned = [part.ljust(wide) for part, wide in zip(row, widths, strict=False) if wide]
        lines.append(GAP.join([*aligned, *row[columns:]]).rstrip())
    if max(map(len, lines), default=0) > width:
        lines = [fold(row, width) for row in rows]
    return "\n".join(lines)


def fold(parts: Iterable[str], width: int, indent: str = INDENT) -> str:
    """Parts one behind the other, none torn apart: what does not fit begins an indented line."""
    lines = [""]
    for part in filter(None, parts):
        longer = lines[-1] + GAP + part if lines[-1].strip() else lines[-1] + part
        if len(longer) > width and lines[-1].strip():
            longer = indent + part
            lines.append("")
        lines[-1] = longer
    return "\n".join(lines)


def prose(text: str, width: int, indent: str = INDENT) -> str:
    """A sentence in lines, no word torn apart; what does not fit begins an indented line."""
    return textwrap.fill(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
