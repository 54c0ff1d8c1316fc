"""A property that changes a bill and that no rule has read is named, and the figure is called "at least"."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from pulumi._types import input_type_types, is_input_type

from costs.book.prices import PriceBook
from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from costs.plan.preview import UNKNOWN, PlannedResource
from costs.plan.rules import TABLE
from costs.plan.rules.billed import BILLED, Billed, values

BOOK = PriceBook.load()
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
REGION = "us-east-1"
INSTANCE, TEMPLATE = "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"
MACHINE = {"instanceType": "t3.micro", "associatePublicIpAddress": False}
ROWS = [(kind, billed) for kind, rows in BILLED.items() for billed in rows]
PACKAGES = {"lambda": "lambda_"}


def resource(kind: str, name: str, /, **inputs: Any) -> PlannedResource:
    return PlannedResource(f"urn:pulumi:dev::shop::{kind}::{name}", kind, name, inputs)


def price(*resources: PlannedResource) -> ResourceCost:
    """What the last of some resources costs."""
    return price_resources(resources, REGION, BOOK, now=NOW)[-1]


def _classes(hint: Any) -> Iterator[type]:
    """The classes of arguments in a property's type."""
    if isinstance(hint, type) and is_input_type(hint):
        yield hint
    for inner in typing.get_args(hint):
        yield from _classes(inner)


@pytest.mark.parametrize(("kind", "billed"), ROWS, ids=[f"{kind} {billed.path}" for kind, billed in ROWS])
def test_every_row_is_of_a_property_that_there_is(kind: str, billed: Billed) -> None:
    package, module, name = re.fullmatch(r"aws:(\w+)/(\w+):(\w+)", kind).groups()  # type: ignore[union-attr]
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", module).lower()
    classes = [getattr(import_module(f"pulumi_aws.{PACKAGES.get(package, package)}.{module}"), f"{name}Args")]
    for word in billed.path.split("."):
        hints = [input_type_types(arguments).get(word) for arguments in classes]
        assert any(hint is not None for hint in hints), f"{kind} has no {word} of {billed.path}"
        classes = [arguments for hint in hints if hint is not None for arguments in _classes(hint)]
    assert kind in TABLE and billed.reason


def test_what_no_rule_has_read_makes_a_figure_at_least() -> None:
    whole = price(resource(INSTANCE, "web", **MACHINE))
    cost = price(resource(INSTANCE, "web", **MACHINE, creditSpecification={"cpuCredits": "unlimited"}))
    assert (whole.status, cost.status, cost.monthly) == ("priced", "at least", whole.monthly)
    assert cost.reason.startswith("creditSpecification.cpuCredits unlimited: ")
    assert cost.reason.endswith("the rest of it is counted")


@pytest.mark.parametrize("credits", ["standard", "Standard", "", None])
def test_a_value_that_costs_nothing_changes_nothing(credits: str | None) -> None:
    assert price(resource(INSTANCE, "web", **MACHINE, creditSpecification={"cpuCredits": credits})).status == "priced"


def test_an_unknown_value_may_cost_something() -> None:
    for unknown in (UNKNOWN, {"cpuCredits": UNKNOWN}):
        cost = price(resource(INSTANCE, "web", **MACHINE, creditSpecification=unknown))
        assert cost.status == "at least" and "creditSpecification.cpuCredits unknown: " in cost.reason


def test_what_a_resource_refers_to_is_read_as_its_own() -> None:
    template = resource(TEMPLATE, "t", name="t", creditSpecification={"cpuCredits": "unlimited"}, **MACHINE)
    server = resource(INSTANCE, "web", launchTemplate={"name": "t"}, associatePublicIpAddress=False)
    assert price(template, server).status == "at least"
    assert price(template).status == "free"  # of its own it costs nothing


def test_values_are_those_of_each_item_of_lists() -> None:
    owner = {"a": [{"b": 1}, {"b": [2, 3]}, UNKNOWN, {}], "c": "x"}
    assert list(values(owner, "a.b")) == [1, [2, 3], UNKNOWN]
    assert list(values(owner, "c")) == ["x"] and list(values(owner, "c.d")) == []
