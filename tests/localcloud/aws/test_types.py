"""Every type has all of its parts: calls, a listing or a parent, metering or the reason why not, and a price rule."""

from __future__ import annotations

from dataclasses import replace

import jmespath
import pytest

from costs.plan import rules
from localcloud.aws.row import Metering, ResourceType
from localcloud.aws.types import CALLS, TYPES
from localcloud.provider import schema
from tests.components.samples import COMPONENTS

BY_KEY = {row.key: row for row in TYPES}
ROWS = pytest.mark.parametrize("row", TYPES, ids=lambda row: row.key)


def missing(row: ResourceType, rows: dict[str, ResourceType] = BY_KEY) -> list[str]:
    """What a row does not say, each with where to say it."""
    problems = []
    if row.token and row.calls is None:
        problems.append("calls: how the stand-in provider makes it")
    if row.token and row.token not in schema.load():
        problems.append("properties: run python -m localcloud.provider.schema")
    if row.token and row.token not in rules.TABLE and f"{row.token.partition('/')[0]}/*" not in rules.TABLE:
        problems.append("price: a rule in costs/plan/rules, or a line in its types.csv")
    if row.listing is None and not row.usage and row.parent not in rows:
        problems.append("listing: how the account lists it, or the parent that it goes with")
    if not (row.metering.charges or row.usage or row.unmetered or row.parent in rows):
        problems.append("metering: what it costs, or unmetered: why it is not counted")
    if row.metering.charges and row.listing is None:
        problems.append("listing: what is metered is listed")
    return problems


@ROWS
def test_every_type_has_all_of_its_parts(row: ResourceType) -> None:
    assert missing(row) == [], f"{row.key} {row.token}: see CONTRIBUTING.md"


@pytest.mark.parametrize(
    ("key", "without", "part"),
    [
        ("ec2/vpc", {"calls": None}, "calls"),
        ("ec2/vpc", {"token": "aws:ec2/none:None"}, "properties"),
        ("ec2/vpc", {"token": "aws:ec2/none:None"}, "price"),
        ("ec2/vpc", {"listing": None}, "listing"),
        ("ec2/vpc", {"unmetered": ""}, "metering"),
        ("ec2/route", {"parent": ""}, "listing"),
        ("ec2/route", {"parent": "ec2/none"}, "metering"),
        ("ec2/volume", {"metering": Metering()}, "metering"),
        ("ec2/volume", {"listing": None}, "listing"),
        ("lambda/function", {"usage": {}}, "metering"),
    ],
)
def test_a_part_that_is_missing_is_named(key: str, without: dict, part: str) -> None:
    assert any(problem.startswith(part) for problem in missing(replace(BY_KEY[key], **without)))


@ROWS
def test_a_child_goes_with_something_that_is_listed(row: ResourceType) -> None:
    seen = [row]
    while seen[-1].parent:
        seen.append(BY_KEY[seen[-1].parent])
        assert len(seen) < 5, "a circle of parents"
    assert seen[-1].listing or seen[-1].usage


@ROWS
def test_expressions_can_be_read(row: ResourceType) -> None:
    if row.listing:
        for expression in (row.listing.items, row.listing.id, row.listing.own):
            jmespath.compile(expression)
    for read in row.reads:
        jmespath.compile(read.item)


@ROWS
def test_what_aws_names_can_be_searched_for(row: ResourceType) -> None:
    if row.calls and (row.calls.imported or row.calls.id).startswith("="):
        assert row.search, "shoestring repair has to find what a killed update made"


def test_names_tell_types_apart() -> None:
    assert len(BY_KEY) == len(TYPES)
    assert len(CALLS) == len([row for row in TYPES if row.token])
    ledger = [row.metered for row in TYPES if row.metering.charges] + [name for row in TYPES for name in row.usage]
    assert len(set(ledger)) == len(ledger)
    assert not any(component.token.startswith("aws:") for component in COMPONENTS)
