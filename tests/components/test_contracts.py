"""What holds for every component and both programs, whatever they are made of."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.tokens import COMPONENTS
from localcloud.aws.types import CALLS

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for folder in ("components", "stacks") for path in (ROOT / folder).glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_module_hides_one_of_the_standard_library(path: Path) -> None:
    assert path.stem not in sys.stdlib_module_names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_module_grows_past_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_every_component_says_what_is_billed_and_leaves_prices_to_the_book() -> None:
    texts = {path: path.read_text() for path in (ROOT / "components").glob("*.py")}
    made = {path: text for path, text in texts.items() if "(PricedComponent)" in text}
    assert len(made) == len(COMPONENTS)
    assert not [
        path.name for path, text in made.items() if not re.search(r"(?m)^    (Billed|Nothing of it is billed)", text)
    ]
    assert not [path.name for path, text in texts.items() if re.search(r"\d ?(\$|dollars|USD)|\$\d", text)]


@pytest.mark.parametrize("token", sorted(CALLS))
def test_every_aws_type_is_one_of_the_sdk(token: str) -> None:
    _, service, module, name = token.replace("/", ":").split(":")
    folder = "lambda_" if service == "lambda" else service
    snake = re.sub("([A-Z])", r"_\1", module).lower()
    found = importlib.import_module(f"pulumi_aws.{folder}.{snake}")
    assert getattr(found, name).pulumi_type == token


def test_components_are_named_as_ours() -> None:
    assert all(token.startswith("shoestring:") for token in COMPONENTS)


def test_bare_packages_still_offer_everything(run_python: Callable[[str], str]) -> None:
    printed = run_python(
        "import sys, components\n"
        "from pulumi_aws.iam.role import Role\n"
        "print('pulumi_aws.iam.user' in sys.modules, 'pulumi_aws.iam.outputs' in sys.modules)\n"
        "import pulumi_aws as aws\n"
        "from pulumi_aws import iam\n"
        "print(aws.iam.Role is Role, iam.User.__name__)\n"
    )
    assert printed.split() == ["False", "True", "True", "User"]
