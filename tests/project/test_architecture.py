"""The picture in ARCHITECTURE.md shows the imports between folders as they are, and names files that are there."""

from __future__ import annotations

import re

import grimp
import pytest

from shoestring.base.paths import ROOT

PACKAGES = ("shoestring", "stacks", "components", "training", "serving", "policies", "costs", "localcloud")
TEXT = (ROOT / "ARCHITECTURE.md").read_text()


def folder(module: str) -> str:
    parts = module.split(".")
    return "base" if parts[:2] == ["shoestring", "base"] else parts[0]


def test_the_arrows_are_the_imports() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {
        (folder(importer), folder(imported))
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    }
    between = {(importer, imported) for importer, imported in imports if importer != imported and imported != "base"}
    drawn = set(re.findall(r"^  (\w+) --> (\w+)$", TEXT, re.M))
    assert drawn == between | {("costs", "base")}
    assert not [importer for importer, imported in imports if importer == "base" != imported]


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_place_that_a_page_names_is_there(page: str) -> None:
    named = re.findall(r"`([a-z_]+/[\w./]*)`", (ROOT / page).read_text())
    assert len(named) > 20
    assert [place for place in named if not (ROOT / place).exists()] == []
