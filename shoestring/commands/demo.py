"""`shoestring demo`: what `make demo` runs."""

from __future__ import annotations

from shoestring.demo.run import run
from shoestring.screen import Screen


def demo() -> None:
    """Train, serve and tear down on the local cloud, guided: what make demo runs."""
    run(Screen())
