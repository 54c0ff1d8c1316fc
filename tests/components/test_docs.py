"""`docs/components.md`: each component in a foreign program that runs; its children and outputs as they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.base import Component
from shoestring.base.paths import ROOT
from tests.components.samples import COMPONENTS
from tests.conftest import Project
from tests.stacks import conftest as stacks

run = stacks.run  # fixture
PAGE = (ROOT / "docs/components.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
PROGRAMS = {name: re.findall(r"^```python\n(.*?)^```$", section, re.S | re.M) for name, section in SECTIONS.items()}
LONGEST = 21  # lines of a program; most have some ten
each = pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.__name__)


def program_of(component: type[Component[Any]]) -> str:
    (program,) = PROGRAMS[component.__name__]
    return program


@pytest.fixture
def zips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs find their functions' packages where they run."""
    monkeypatch.chdir(tmp_path)
    for name in ("inference.zip", "costs.zip", "mlflow.zip"):
        (tmp_path / name).write_bytes(b"PK\x05\x06" + bytes(18))  # a zip without files


def test_the_page_has_each_component_and_nothing_else() -> None:
    assert SECTIONS.keys() == {component.__name__ for component in COMPONENTS}


@each
def test_children_and_outputs_are_listed(component: type[Component[Any]]) -> None:
    def kind(token: str) -> str:
        _, service, name = token.split(":")
        return f"{service.split('/')[0]}.{name}"

    children = ", ".join(f"`{key}` ({kind(token)})" for key, token in component.children.items())
    outputs = ", ".join(f"`{name}`" for name in (*component.outputs(), "monthly_usd"))
    section = re.sub(r"\n(?=\S)", " ", SECTIONS[component.__name__])
    assert f"Children: {children}." in section
    assert f"Outputs: {outputs}." in section


@each
def test_a_program_runs_by_itself_and_its_customization_arrives(
    run: Any, zips: None, component: type[Component[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = program_of(component)
    assert len(program.splitlines()) <= LONGEST
    used: set[str] = set()
    customized = Component._customized

    def noted(self: Any, key: str, child: Any) -> Any:
        used.add(f"{type(self).__name__}.{key}")
        return customized(self, key, child)

    monkeypatch.setattr(Component, "_customized", noted)
    world = run(lambda: exec(compile(program, component.__name__, "exec"), {}))
    assert component.token in {resource.type for resource in world.all}
    assert [name.partition(".")[0] for name in used] == [component.__name__]
    assert set(world.exports) == set(re.findall(r'pulumi\.export\("(\w+)"', program))


@each
def test_a_program_is_previewed_by_the_engine(
    project: Callable[..., Project], cloud: dict[str, Any], component: type[Component[Any]]
) -> None:
    foreign = project(program_of(component), cloud)
    for name in ("inference.zip", "costs.zip", "mlflow.zip"):
        (foreign.folder / "program" / name).write_bytes(b"PK\x05\x06" + bytes(18))
    shown = foreign.pulumi("preview")
    service, name = component.token.split(":")[1:]
    assert f"shoestring:{service}:{name}" in shown


def test_a_store_comes_up_is_left_alone_and_goes(project: Callable[..., Project], cloud: dict[str, Any]) -> None:
    (component,) = (component for component in COMPONENTS if component.__name__ == "StateStore")
    foreign = project(program_of(component), cloud)
    assert "8 created" in foreign.pulumi("up", "--yes")
    assert "8 unchanged" in foreign.pulumi("up", "--yes")
    assert "8 deleted" in foreign.pulumi("destroy", "--yes")


def test_the_engine_shows_every_problem_of_a_foreign_program(
    project: Callable[..., Project], cloud: dict[str, Any]
) -> None:
    (shown,) = re.findall(r"^```\n(.*?)\n```$", PAGE.partition("\n## ")[0], re.S | re.M)
    program = "from components.state_store import *\nStateStoreArgs(bucket='My bucket', checkpoint_day=30)\n"
    answer = re.sub(r"\n +", "\n", project(program, cloud).pulumi("preview", code=1))
    assert re.sub(r"\n +", "\n", shown) in answer
