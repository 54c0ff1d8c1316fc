"""Commands that are loaded when they are called: `--help` lists them by name and text, and so answers at once."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup


class Deferred(TyperGroup):
    """A command, or a group of them, at `place`: `module:name`, seen from `shoestring.commands`."""

    def __init__(self, name: str, place: str, text: str) -> None:
        super().__init__(name=name, help=text)
        self.place, self.text = place, text

    def load(self) -> Any:
        """The command itself."""
        module, _, attribute = self.place.partition(":")
        target = getattr(importlib.import_module(f".{module}", __package__), attribute)
        shell = typer.Typer(rich_markup_mode=None)
        if isinstance(target, typer.Typer):
            shell.add_typer(target, name=self.name, help=self.text)
        else:
            shell.command(self.name)(target)
        return typer.main.get_group(shell).commands[str(self.name)]

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return self.load().make_context(info_name, args, parent, **extra)


def group(commands: Mapping[str, tuple[str, str]], **settings: Any) -> typer.Typer:
    """A group of commands by name: the place of each, and its text in the list (the first line of its own help)."""

    class Commands(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = {name: Deferred(name, place, text) for name, (place, text) in commands.items()}

    app = typer.Typer(cls=Commands, no_args_is_help=True, **settings)
    app.callback()(lambda: None)  # which makes it a group for Typer too, that sees no command in it
    return app
