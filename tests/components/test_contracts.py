"""What holds for every component, whatever it is made of."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.cost_guard import CostGuardArgs
from components.mlflow_server import MlflowServer, MlflowServerArgs
from components.network import NetworkArgs
from costs.book.prices import PriceBook
from localcloud.aws.types import CALLS
from shoestring.base.errors import UserError
from tests.components.samples import COMPONENTS, RIGHT
from tests.stacks import conftest as stacks

run = stacks.run  # fixture
ROOT = Path(__file__).parents[2]
MODULES = sorted(path for folder in ("components", "stacks") for path in (ROOT / folder).rglob("*.py"))
# With these beside the least, each component makes all its children.
EVERYTHING: dict[type, dict[str, Any]] = {
    CostGuardArgs: {"email": "you@example.com"},
    MlflowServerArgs: {"database": "postgres", "subnet_ids": ["subnet-1", "subnet-2"]},
    NetworkArgs: {"zones": ("us-east-1a", "us-east-1c")},
}
ARGUMENTS = [kind(**{**least, **EVERYTHING.get(kind, {})}) for kind, least in RIGHT.items()]
each = pytest.mark.parametrize(
    ("component", "args"),
    list(zip(COMPONENTS, ARGUMENTS, strict=True)),
    ids=lambda value: getattr(value, "__name__", ""),
)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_module_hides_one_of_the_standard_library(path: Path) -> None:
    assert path.stem not in sys.stdlib_module_names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_module_grows_past_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_every_component_is_tested() -> None:
    texts = [path.read_text() for path in (ROOT / "components").glob("*.py")]
    classes = {name for text in texts for name in re.findall(r"^class (\w+)\(Component\[", text, re.M)}
    assert classes == {component.__name__ for component in COMPONENTS}
    assert len({component.token for component in COMPONENTS}) == len(COMPONENTS)


def test_every_component_says_what_is_billed_and_leaves_prices_to_the_book() -> None:
    for component in COMPONENTS:
        assert re.search(r"(?m)^    (Billed|Nothing of it is billed)", component.__doc__ or ""), component
    texts = {path: path.read_text() for path in (ROOT / "components").glob("*.py")}
    assert not [path.name for path, text in texts.items() if re.search(r"\d ?(\$|dollars|USD)|\$\d", text)]


@pytest.mark.parametrize("token", sorted(CALLS))
def test_every_aws_type_is_one_of_the_sdk(token: str) -> None:
    _, service, module, name = token.replace("/", ":").split(":")
    folder = "lambda_" if service == "lambda" else service
    snake = re.sub("([A-Z])", r"_\1", module).lower()
    sdk = importlib.import_module(f"pulumi_aws.{folder}.{snake}")
    assert getattr(sdk, name).pulumi_type == token


@each
def test_every_child_has_a_listed_name_and_takes_options(run: Any, component: Any, args: Any) -> None:
    customize = {key: {"opts": pulumi.ResourceOptions(ignore_changes=[f"by-{key}"])} for key in component.children}
    world = run(lambda: component("x", args, customize=customize))
    children = [resource for resource in world.all if resource.type.startswith("aws:")]
    keys = [[name.removeprefix("by-") for name in child.ignored if name.startswith("by-")] for child in children]
    assert all(len(names) == 1 for names in keys), keys
    assert {key: child.type for child, (key,) in zip(children, keys, strict=True)} == component.children
    assert all(component.token in child.parent for child in children)


@each
def test_an_argument_of_every_child_arrives(run: Any, component: Any, args: Any) -> None:
    handed: dict[str, str] = {}

    def customized(key: str) -> Callable[[Any], Any]:
        def change(props: Any) -> dict[str, Any]:
            # whatever text the child takes
            handed[key] = next(name for name in TEXTS if name in props)
            return {handed[key]: f"{key}-changed"}

        return change

    world = run(lambda: component("x", args, customize={key: customized(key) for key in component.children}))
    arrived = {
        value.removesuffix("-changed"): resource.type
        for resource in world.all
        for value in resource.inputs.values()
        if isinstance(value, str) and value.endswith("-changed")
    }
    assert arrived.items() >= component.children.items()


# One of these is an argument of each type.
TEXTS = ("description", "region", "path", "role", "name", "account_id", "frequency")


def test_what_is_customized_costs_what_it_became(run: Any) -> None:
    args, prices = MlflowServerArgs(**RIGHT[MlflowServerArgs]), []

    def program() -> None:
        for name, customize in (("a", {}), ("b", {"launch_template": {"instance_type": "t4g.micro"}})):
            prices.append(Decimal(MlflowServer(name, args, customize=customize).monthly_usd or "NaN"))

    run(program)
    micro, nano = (PriceBook.load().price("ec2", size).usd for size in ("t4g.micro", "t4g.nano"))
    assert prices[1] - prices[0] == 730 * (micro - nano)


@each
def test_outputs_are_what_the_class_declares(run: Any, component: Any, args: Any) -> None:
    world = run(lambda: component("x", args))
    (outputs,) = (values for urn, values in world.outputs.items() if urn.endswith(f"{component.token}::x"))
    assert set(outputs) == {*component.outputs(), "monthly_usd"}
    assert all(value is not None for value in outputs.values())


@each
def test_children_are_called_by_their_listed_names(run: Any, component: Any, args: Any) -> None:
    near = next(iter(component.children))
    with pytest.raises(UserError, match=f"names no child of it: '{near}s' did you mean {near}\\?") as refused:
        run(lambda: component("x", args, customize={f"{near}s": {}}))
    assert f"any of {', '.join(component.children)}" in str(refused.value)


@each
def test_an_unknown_argument_of_a_child_is_refused(run: Any, component: Any, args: Any) -> None:
    key = next(iter(component.children))
    with pytest.raises(UserError, match=rf"has no arguments of {key}: 'nonsense'"):
        run(lambda: component("x", args, customize={key: {"nonsense": 1}}))
