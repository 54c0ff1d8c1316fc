"""What a long command shows: on a terminal a live line under the finished steps, elsewhere plain lines."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.status import Status

WIDE = 400  # characters
QUIET_SECONDS = 5.0  # without a terminal, a live line is printed at most this often


@dataclass
class Step:
    """A step that is being done; `failed` where it has not worked out, though nothing was raised."""

    failed: bool = False


class Screen:
    """Steps with their time, on standard output, or on standard `error` where the result goes to the former."""

    def __init__(self, error: bool = False) -> None:
        self.console = Console(stderr=error, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._title, self._last_line = "", 0.0

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Shows a step while it is done, and its seconds when it is."""
        step = Step()
        began = time.monotonic()
        self._title, self._last_line = title, began
        if not self.console.is_terminal:
            self.line(f"… {title}")
        with self.console.status(escape(title), spinner="dots") as self._status:
            try:
                yield step
            except BaseException:
                self.console.print(f"[red]✗[/red] {escape(title)}")
                raise
            finally:
                self._status = None
        seconds = f"{time.monotonic() - began:.1f} s"
        mark = "[red]✗[/red]" if step.failed else "[green]✓[/green]"
        self.console.print(f"{mark} {escape(title)}  [dim]{seconds}[/dim]")

    @property
    def width(self) -> int:
        """Characters in a line; many, where it is no terminal's."""
        return self.console.width if self.console.is_terminal else WIDE

    def live(self, text: str) -> None:
        """What is happening within the step: one line, or one for each of several things."""
        now = time.monotonic()
        if self.console.is_terminal and self._status:
            first = "\n  " if "\n" in text else "  "
            self._status.update(f"{escape(self._title)}{first}[dim]{escape(text)}[/dim]")
        elif not self.console.is_terminal and now - self._last_line >= QUIET_SECONDS:
            self._last_line = now
            self.line(f"  {text}")

    def line(self, text: str = "", style: str = "") -> None:
        """One line that stays."""
        self.console.print(escape(text), style=style or None)

    def resource(self, event: dict[str, Any]) -> None:
        """Shows the resource that an event of the engine is about."""
        change = event.get("resourcePreEvent", {}).get("metadata")
        if change and change["op"] not in ("same", "read") and "pulumi:providers:" not in change["urn"]:
            kind, name = change["urn"].split("::")[-2:]
            self.live(f"{change['op']} {kind.rpartition('$')[2]} {name}")
