"""How pages and texts are made from templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(folder: Path) -> Environment:
    """The templates of a folder. In HTML and SVG no value can be taken for markup; a value that is missing raises."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # here, for it is heavy

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(("html.j2", "svg.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
