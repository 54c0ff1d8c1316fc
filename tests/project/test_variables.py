"""What a function reads from its environment is what its component sets, under the same names."""

from __future__ import annotations

import re

import pytest

from shoestring.base.paths import ROOT

FUNCTIONS = {
    "components/lambda_inference.py": "serving/function/handler.py",
    "components/cost_guard.py": "costs/function/guard.py",
    "components/cost_report.py": "costs/function/weekly_report.py",
}
NAME = re.compile(r'"((?:MODEL|GUARD|REPORT|MONTHLY)_[A-Z_]+)"')


@pytest.mark.parametrize("component", FUNCTIONS)
def test_a_component_sets_what_its_function_reads(component: str) -> None:
    written, read = (
        set(NAME.findall((ROOT / name).read_text())) for name in (component, FUNCTIONS[component])
    )  # fmt: skip
    assert read and written == read


@pytest.mark.parametrize("component", FUNCTIONS)
def test_a_component_names_a_function_that_is_there(component: str) -> None:
    (entry,) = re.findall(r'HANDLER = "([\w.]+)"', (ROOT / component).read_text())
    module, _, function = entry.rpartition(".")
    assert f"{module.replace('.', '/')}.py" == FUNCTIONS[component]
    assert f"\ndef {function}(event" in (ROOT / FUNCTIONS[component]).read_text()
