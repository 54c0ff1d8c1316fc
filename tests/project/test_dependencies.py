"""What the code imports stands in pyproject.toml: what another package brings may go with its next version."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from shoestring.base.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
DECLARED = PROJECT["project"]["dependencies"]


def folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=~!\[; ]", name)[0]).lower()


def imported(*patterns: str) -> Iterator[tuple[str, str]]:
    """The top-level module and the file of every absolute import, wherever it stands in the file."""
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, text=True, capture_output=True, check=True)
    for name in listed.stdout.split():
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], name


@pytest.mark.parametrize(
    ("patterns", "declared"),
    [
        ([f"{package}/*.py" for package in sorted(PACKAGES)], DECLARED),
        (["tests/*.py", "benchmarks/*.py"], DECLARED + PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_every_import_is_declared(patterns: list[str], declared: list[str]) -> None:
    owners, known = packages_distributions(), set(map(folded, declared))
    foreign = {
        (module, name)
        for module, name in imported(*patterns)
        if module not in PACKAGES | {"tests", "benchmarks", *sys.stdlib_module_names}
    }
    assert len(foreign) > 20
    missing = {(module, name) for module, name in foreign if not known & set(map(folded, owners.get(module, [])))}
    assert missing == set()
