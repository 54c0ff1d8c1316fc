"""A package holds all modules and data that its entry points need, and nothing else; what is missing is an error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from costs.prepare.package import COSTS
from serving.prepare.package import INFERENCE
from shoestring.base.closure import Closure, trace
from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT

Tracer = Callable[..., Closure]


@pytest.fixture
def tree(tmp_path: Path) -> Tracer:
    """Writes files (`{path: text}`) and traces `app`."""

    def traced(files: dict[str, str], entry: str = "app") -> Closure:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return trace([entry], tmp_path)

    return traced


PACKAGE = {
    "lib/__init__.py": "",
    "lib/a.py": "A = 1",
    "lib/b.py": "B = 2",
    "lib/sub/__init__.py": "",
    "lib/sub/c.py": "",
}


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("import lib.a", {"lib/a.py"}),
        ("import lib.sub.c as c", {"lib/sub/__init__.py", "lib/sub/c.py"}),
        ("from lib import a", {"lib/a.py"}),
        ("from lib import a as b, b as a", {"lib/a.py", "lib/b.py"}),
        ("from lib.a import A", {"lib/a.py"}),
        ("def f():\n    if x:\n        from lib.sub import c", {"lib/sub/__init__.py", "lib/sub/c.py"}),
        ("try:\n    import lib.a\nexcept ImportError:\n    import lib.b", {"lib/a.py", "lib/b.py"}),
        ("from importlib import import_module\nimport_module('lib.a')", {"lib/a.py"}),
        ("import importlib\nimportlib.import_module('lib.b')", {"lib/b.py"}),
        ("import sys\nrun([sys.executable, '-u', '-m', 'lib.sub.c', 'x'])", {"lib/sub/__init__.py", "lib/sub/c.py"}),
    ],
)
def test_every_form_of_an_import_is_followed_and_brings_its_packages(tree: Tracer, text: str, needed: set[str]) -> None:
    assert set(tree(PACKAGE | {"app.py": text}).files) == {"app.py", "lib/__init__.py"} | needed


@pytest.mark.parametrize(
    "text",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lib.a, lib.nowhere",
        "import typing\nif typing.TYPE_CHECKING:\n    import lib.a\n    from pandas import DataFrame",
        "import typing as t\nif t.TYPE_CHECKING:\n    import lib.a",
        "'import lib.a'  # import lib.a",
    ],
)
def test_what_only_a_type_checker_imports_is_left_out(tree: Tracer, text: str) -> None:
    closure = tree(PACKAGE | {"app.py": text})
    assert set(closure.files) == {"app.py"} and set(closure.foreign) <= {"typing"}


def test_what_a_type_checker_does_not_import_is_followed(tree: Tracer) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import lib.b\nelse:\n    import lib.a"
    assert set(tree(PACKAGE | {"app.py": text}).files) == {"app.py", "lib/__init__.py", "lib/a.py"}


def test_relative_imports_are_followed_from_modules_and_packages(tree: Tracer) -> None:
    files = {
        "app/__init__.py": "from . import one\nfrom .sub import *",
        "app/one.py": "from .two import TWO",
        "app/two.py": "TWO = 2",
        "app/other.py": "",
        "app/sub/__init__.py": "__all__ = ['deep']",
        "app/sub/deep.py": "from .. import two\nfrom ..three import THREE",
        "app/three.py": "THREE: int = 3",
        "app/sub/alone.py": "",
    }
    assert set(tree(files).files) == set(files) - {"app/other.py", "app/sub/alone.py"}


def test_packages_without_init_are_followed_and_folders_without_python_are_none(tree: Tracer) -> None:
    files = {
        "app.py": "import space.inner.m, json, images",
        "space/inner/m.py": "",
        "json/x.py": "",
        "images/a.txt": "",
    }
    closure = tree(files)
    assert set(closure.files) == {"app.py", "space/inner/m.py"} and set(closure.foreign) == {"json", "images"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import lib.aa", r"app\.py:1 needs lib\.aa"),
        ("x = 1\nfrom lib import aa", r"app\.py:2 needs lib\.aa"),
        ("from lib.a import B", r"app\.py:1 needs lib\.a\.B"),
        ("from lib.sub.d import x", r"app\.py:1 needs lib\.sub\.d"),
        ("from lib.a.deeper import x", r"app\.py:1 needs lib\.a\.deeper"),
        ("def f():\n    import lib.sub.d", r"app\.py:2 needs lib\.sub\.d"),
        ("from importlib import import_module\nimport_module('lib.aa')", r"app\.py:2 needs lib\.aa"),
        ("import sys\nrun([sys.executable, '-m', 'lib.aa'])", r"app\.py:2 needs lib\.aa"),
        ("try:\n    import lib.aa\nexcept ValueError:\n    pass", r"app\.py:2 needs lib\.aa"),
        ("try:\n    import lib.a\nexcept ImportError:\n    import lib.aa", r"app\.py:4 needs lib\.aa"),
        ("from lib import hidden", r"app\.py:1 needs lib\.hidden"),
        ("from . import lib", r"app\.py:1 imports \.: "),
        ("import lib.broken", r"lib/broken\.py:2: "),
        ("from pathlib import Path\nPath(__file__).with_name('table.csv')", r"app\.py:2 needs table\.csv"),
    ],
)
def test_what_is_not_there_is_named_with_its_place(tree: Tracer, text: str, problem: str) -> None:
    types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from x import hidden\ndef f():\n    aa = 1"
    with pytest.raises(UserError, match=problem):
        tree(PACKAGE | {"lib/__init__.py": types, "lib/broken.py": "x = 1\nx ==", "app.py": text})


def test_a_module_that_was_deleted_or_misspelt_as_an_entry_is_missing(tree: Tracer, tmp_path: Path) -> None:
    files = {"app/__init__.py": "", "app/main.py": "from app.part import X", "app/part.py": "X = 1"}
    assert set(tree(files, "app.main").files) == set(files)
    (tmp_path / "app" / "part.py").unlink()
    with pytest.raises(UserError, match=r"app/main\.py:1 needs app\.part"):
        trace(["app.main"], tmp_path)
    with pytest.raises(UserError, match=r"the package needs app\.mian"):
        trace(["app.mian"], tmp_path)


@pytest.mark.parametrize("error", ["ImportError", "ModuleNotFoundError", "(ValueError, ImportError)"])
def test_what_may_be_missing_is_no_error_and_no_need(tree: Tracer, error: str) -> None:
    text = f"try:\n    import lib.aa, orjson\n    from lib import bb\nexcept {error}:\n    import json"
    closure = tree(PACKAGE | {"app.py": text})
    assert set(closure.files) == {"app.py", "lib/__init__.py"} and set(closure.foreign) == {"json"}


def test_names_that_a_module_makes_itself_may_be_imported_from_it(tree: Tracer) -> None:
    lib = (
        "from os import path as made\nfor turn in ():\n    pass\nwith x as opened:\n    pass\nclass K: ...\nVALUE = 1\n"
    )
    files = {"lib.py": lib, "any.py": "def __getattr__(name): ...", "all.py": "from os import *"}
    text = "from lib import made, turn, opened, K, VALUE\nfrom any import thing\nfrom all import sep"
    assert set(tree(files | {"app.py": text}).files) == {"app.py", "lib.py", "any.py", "all.py"}


def test_foreign_modules_come_with_the_place_of_their_import(tree: Tracer) -> None:
    closure = tree({"app.py": "import json\n\ndef f():\n    from numpy.linalg import norm\n"})
    assert closure.foreign == {"json": "app.py:1", "numpy.linalg": "app.py:4"}


def test_data_travel_when_a_module_beside_them_names_them(tree: Tracer, tmp_path: Path) -> None:
    files = {
        "app/__init__.py": "from app import reads",
        "app/reads.py": "from pathlib import Path\nT = 'page.html.j2', Path(__file__).with_name('table.csv')",
        "app/table.csv": "",
        "app/templates/page.html.j2": "",
        "app/templates/other.html.j2": "",
        "app/requirements.txt": "",
        "app/packed/__init__.py": "",
        "app/packed/table.csv": "",
    }
    data = {"app/table.csv", "app/templates/page.html.j2"}
    assert set(tree(files).files) == {"app/__init__.py", "app/reads.py"} | data
    new = {"app/reads.py": files["app/reads.py"] + "\nLOGO = 'logo.svg'\nMORE = 'folder'", "app/logo.svg": ""}
    new |= {"app/folder/one.txt": "", "app/folder/deep/two.txt": ""}
    assert set(tree(new).files) == {"app/__init__.py", "app/reads.py"} | data | set(new)


def test_a_script_finds_its_neighbours_first_and_leaves_its_data(tmp_path: Path) -> None:
    files = {"main.py": "import near, lib\nDATA = 'rows.csv'", "near.py": "", "rows.csv": "1", "lib.py": "NEAR = 1"}
    for folder, names in {"scripts": files, "root": {"lib.py": "", "near.py": ""}}.items():
        for name, text in names.items():
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).write_text(text)
    closure = trace(["main"], tmp_path / "root", tmp_path / "scripts")
    assert closure.files == {name: tmp_path / "scripts" / name for name in ("main.py", "near.py", "lib.py")}


ENTRIES = {"costs": COSTS.entries, "serving": INFERENCE.entries, "training": ["training.session"]}
LOADED = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
files = {getattr(module, "__file__", None) for name, module in list(sys.modules.items()) if name != "__main__"}
print("\\n".join(sorted(filter(None, files))))
"""


@pytest.mark.parametrize("package", ENTRIES)
def test_a_package_holds_every_module_that_is_loaded_when_all_of_it_is(package: str) -> None:
    files = trace(ENTRIES[package]).files
    modules = [name.removesuffix(".py").replace("/", ".") for name in files if name.endswith(".py")]
    modules = [module.removesuffix(".__init__") for module in modules]
    command = [sys.executable, "-c", LOADED, *modules]
    loaded = subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout.split("\n")
    own = {Path(path) for path in loaded if Path(path).is_relative_to(ROOT) and ".venv" not in Path(path).parts}
    assert own and own <= set(files.values())


def test_what_a_function_does_not_read_stays_here() -> None:
    costs = set(trace(COSTS.entries).files)
    data = {name for name in costs if not name.endswith(".py")}
    tables = {"costs/report/regions.csv", "costs/report/services.csv", "costs/book/products.csv", "costs/book/ec2.csv"}
    templates = {f"costs/report/{name}.j2" for name in ("report.html", "daily.svg", "breakdown.svg", "summary.txt")}
    assert data == {"costs/book/prices.csv", *templates, *tables}
    assert {name.split("/")[0] for name in costs} == {"costs", "shoestring"}
    assert not [name for name in costs if name.startswith(("costs/plan/render", "costs/value", "costs/prepare"))]
