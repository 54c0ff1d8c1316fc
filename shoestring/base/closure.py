"""What a piece of code needs of the project to run elsewhere: the modules that it imports, and the files they name.

Followed are all imports, also relative ones and those in functions, `import_module("a.b")`, and `python -m a.b` in a
command. What only a type checker imports is left out; what stands in a `try` with `except ImportError` may be missing.
A module whose name is put together at run time cannot be seen: it has to be an entry.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.util import resolve_name
from itertools import pairwise
from pathlib import Path

from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT

LEAVES = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)


@dataclass(frozen=True)
class Closure:
    """The project's `files`, by their path below its root, and `foreign` modules, each with the place of its import."""

    files: dict[str, Path]
    foreign: dict[str, str]


@dataclass(frozen=True)
class _Import:
    """`place` is a file and its line; `names` are those of `from module import …`."""

    module: str
    place: str
    names: tuple[str, ...] = ()
    optional: bool = False


@dataclass
class _Source:
    """What a file says: its imports, the names that others may import from it, and its strings."""

    imports: list[_Import] = field(default_factory=list)
    bound: set[str] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)


def trace(entries: Iterable[str], root: Path = ROOT, scripts: Path | None = None) -> Closure:
    """The modules `entries` and all that they need: modules, the packages around these, and the data that they name.

    Data are the files below a module's own folder whose name, or a folder's above them, is one of the module's strings.

    Args:
        root: the project's.
        scripts: a folder that is searched first, as the one of a script is; its data stay where they are.

    Raises:
        UserError: a file is no Python, or imports or reads what is not there.
    """
    roots = [scripts, root] if scripts else [root]
    files: dict[str, Path] = {}
    foreign: dict[str, str] = {}
    sources: dict[Path, _Source] = {}
    waiting = [_Import(entry, "the package") for entry in entries]
    while waiting:
        wanted = waiting.pop()
        home = _home(wanted.module.partition(".")[0], roots)
        path = _find(wanted.module, home) if home else None
        if home is None or path is None:
            if home and not wanted.optional:
                raise _missing(wanted.place, wanted.module, home)
            if not wanted.optional:
                foreign.setdefault(wanted.module, wanted.place)
            continue
        if path not in sources:
            sources[path] = source = _Source() if path.is_dir() else _read(path, wanted.module, home)
            waiting += source.imports
            if package := wanted.module.rpartition(".")[0]:
                waiting.append(_Import(package, wanted.place))
            data = _data(path.parent, source.strings) if home == root != path.parent else ()
            files |= {file.relative_to(home).as_posix(): file for file in (path, *data) if file.is_file()}
        source = sources[path]
        if "*" in wanted.names:  # of a package: the modules that its __all__ names
            wanted = replace(wanted, names=tuple(filter(str.isidentifier, source.strings)), optional=True)
        for name in set(wanted.names) - source.bound:
            if _find(member := f"{wanted.module}.{name}", home):
                waiting.append(_Import(member, wanted.place))
            elif not wanted.optional and source.bound.isdisjoint({"*", "__getattr__"}):
                raise _missing(wanted.place, member, home)
    return Closure(files, foreign)


def _home(name: str, roots: list[Path]) -> Path | None:
    """The root that has the top-level module or package; None where it is not the project's."""
    for root in roots:
        if (root / f"{name}.py").is_file() or (root / name / "__init__.py").is_file():
            return root
    spaces = (root for root in roots if name not in sys.stdlib_module_names and any((root / name).rglob("*.py")))
    return next(spaces, None)


def _find(module: str, home: Path) -> Path | None:
    """The file of a module, or the folder of a package without `__init__.py`."""
    folder = home.joinpath(*module.split("."))
    for path in (folder / "__init__.py", folder.with_name(f"{folder.name}.py")):
        if path.is_file():
            return path
    return folder if any(folder.rglob("*.py")) else None


def _missing(place: str, name: str, folder: Path) -> UserError:
    return UserError(f"{place} needs {name}, which is not there", f"it below {folder}", f"edit {place}")


def _data(folder: Path, strings: set[str]) -> Iterator[Path]:
    """The files below `folder`, but not below packages in it, that are named, or lie in a folder that is."""
    for path in folder.iterdir():
        if path.is_dir() and not (path / "__init__.py").exists():
            yield from path.rglob("*") if path.name in strings else _data(path, strings)
        elif path.name in strings and path.suffix != ".py":
            yield path


def _read(path: Path, module: str, home: Path) -> _Source:
    file = path.relative_to(home).as_posix()
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        raise UserError(f"{file}:{error.lineno}: {error.msg}", "Python", f"python -m py_compile {path}") from error
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    source = _Source()

    def place(node: ast.expr | ast.stmt) -> str:
        return f"{file}:{node.lineno}"

    nodes: list[tuple[ast.AST, bool, bool]] = [(tree, False, True)]  # each with: may fail, is outside of functions
    while nodes:
        node, optional, outer = nodes.pop()
        if isinstance(node, LEAVES):  # a good part of a tree, which says nothing here
            continue
        children = list(ast.iter_child_nodes(node))
        match node:
            case ast.If(test=ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                children = list(node.orelse)
            case ast.Try() | ast.TryStar() if any(map(_catches_import_error, node.handlers)):
                nodes += [(child, True, outer) for child in node.body]
                children = [*node.handlers, *node.orelse, *node.finalbody]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                source.bound |= {node.name} if outer else set()
                outer = False
            case ast.Name(ctx=ast.Store()) if outer:
                source.bound.add(node.id)
            case ast.Constant(str(text)):
                source.strings.add(text)
            case ast.Import():
                source.imports += [_Import(alias.name, place(node), optional=optional) for alias in node.names]
                if outer:
                    source.bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            case ast.ImportFrom():
                origin = _absolute("." * node.level + (node.module or ""), package, place(node))
                source.imports.append(_Import(origin, place(node), tuple(alias.name for alias in node.names), optional))
                if outer:  # but what a package imports from itself is a module
                    source.bound |= {
                        alias.asname or alias.name for alias in node.names if alias.asname or origin != module
                    }
            case ast.Call(
                ast.Name("import_module") | ast.Attribute(attr="import_module"), [ast.Constant(str(name)), *_]
            ):
                source.imports.append(_Import(_absolute(name, package, place(node)), place(node), optional=optional))
            case ast.List(words) if any(getattr(word, "attr", "") == "executable" for word in words):
                texts = [str(getattr(word, "value", "")) for word in words]
                source.imports += [_Import(name, place(node)) for flag, name in pairwise(texts) if flag == "-m"]
            case ast.Call(ast.Attribute(ast.Call(args=[ast.Name("__file__")]), "with_name"), [ast.Constant(str(name))]):
                if not path.with_name(name).exists():
                    raise _missing(place(node), name, path.parent)
        nodes += [(child, optional, outer) for child in children]
    return source


def _absolute(name: str, package: str, place: str) -> str:
    try:
        return resolve_name(name, package)
    except ImportError as error:
        raise UserError(f"{place} imports {name}: {error}", "a module of its package", f"edit {place}") from error


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    names = {getattr(part, "id", "") for part in ast.walk(handler.type)} if handler.type else set()
    return not names.isdisjoint({"ImportError", "ModuleNotFoundError"})
