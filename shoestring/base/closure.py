"""What of the project a piece of code needs to run elsewhere: the closure of its imports, and the data beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT

DATA = frozenset({".csv", ".j2", ".json", ".html", ".css", ".js", ".svg"})  # what code reads from its own folder


def sources(modules: Iterable[str], root: Path = ROOT) -> dict[str, Path]:
    """The files that `modules` need of the project, by their path below `root`.

    That is each module with its packages and all that they import of the project, at whatever level of a function but
    not for type checkers alone, and the data in the folders of these modules.

    Raises:
        UserError: a module is not there, or one of them imports what is not there.
    """
    needed: dict[str, Path] = {}
    waiting = [(module, "what is packed") for module in modules]
    while waiting:
        module, user = waiting.pop()
        path = _file(module, root)
        if path is None:
            raise UserError(
                f"{user} needs the module {module}, which is not there", f"a module below {root}", f"edit {user}"
            )
        name = path.relative_to(root).as_posix()
        if name in needed:
            continue
        needed[name] = path
        if parent := module.rpartition(".")[0]:
            waiting.append((parent, name))
        waiting += [(imported, name) for imported in _imported(path, root)]
    folders = {path.parent for path in needed.values() if path.parent != root}
    data = [file for folder in folders for file in folder.iterdir() if file.suffix in DATA and file.is_file()]
    templates = [file for folder in folders for file in folder.glob("templates/*") if file.suffix in DATA]
    return needed | {file.relative_to(root).as_posix(): file for file in (*data, *templates)}


def _file(module: str, root: Path) -> Path | None:
    path = root.joinpath(*module.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def _imported(path: Path, root: Path) -> Iterator[str]:
    """The project's modules that a file imports; those of type checkers are left out."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(), str(path))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
            names += [name for alias in node.names if _file(name := f"{node.module}.{alias.name}", root)]
        else:
            continue
        yield from (name for name in names if (root / name.partition(".")[0] / "__init__.py").is_file())
