"""Plans as people see them: figures rounded once, nothing lost, and nothing that a resource's name could break."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from costs.amounts import Range
from costs.book.prices import PriceBook
from costs.plan.plan import Plan, price_plan
from costs.plan.preview import read
from costs.plan.render import money
from costs.plan.render.facts import facts, text
from costs.plan.render.pages import html, markdown
from costs.plan.render.table import show
from costs.plan.render.view import short, view
from tests.browser import beyond_the_edge, needs_browser

DATA = Path(__file__).with_name("data")
NAMES = ("platform-preview.json", "platform-update-preview.json", "window-preview.json", "webshop-preview.json",
         "platform-state.json")  # fmt: skip
TODAY = date(2026, 11, 25)
EVIL = '<script>alert("x")</script>|`[b](http://x)[red]*_'


def plan(name: str, **replaced: str) -> Plan:
    given = (DATA / name).read_text()
    for old, new in replaced.items():
        given = given.replace(f'::{old}"', f'::{json.dumps(new)[1:-1]}"')
    return price_plan(read(given, name), PriceBook.load(), now=datetime(2026, 11, 25, 4, tzinfo=UTC))


def table(plans: list[Plan], width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(plans, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("low", "high", "shown", "change"),
    [
        ("0", "0", "0.00", ""),
        ("7.3560", "7.3560", "7.36", "+7.36"),
        ("0.005", "0.005", "0.01", "+0.01"),
        ("0.004", "0.004", "<0.01", ""),
        ("0", "0.004", "<0.01", ""),
        ("0", "1.5", "0.00 – 1.50", "0.00 – +1.50"),
        ("-1.5", "-1.5", "-1.50", "−1.50"),
        ("1234567.891", "1234567.891", "1,234,567.89", "+1,234,567.89"),
    ],
)
def test_dollars_are_rounded_where_they_are_shown(low: str, high: str, shown: str, change: str) -> None:
    value = Range.of(low, high)
    assert (money.usd(value), money.signed(value)) == (shown, change)


@given(st.decimals(0, 10**6, places=9), st.decimals(0, 10**6, places=9))
def test_what_json_carries_is_within_a_millionth(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    found = money.span(Range(low, high))
    assert set(found) == {"low", "high"} and all(re.fullmatch(r"\d+(\.\d*[1-9])?", value) for value in found.values())
    assert abs(Decimal(found["low"]) - low) <= Decimal("0.0000005") >= abs(Decimal(found["high"]) - high)


def test_a_type_is_said_as_people_say_it() -> None:
    assert short("aws:ec2/instance:Instance") == "ec2 Instance"
    assert short("shoestring:tracking:MlflowServer") == "shoestring MlflowServer"
    assert short("pulumi:providers:aws") == "pulumi aws"


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_is_shown_or_counted(name: str) -> None:
    found = plan(name)
    shown = view(found)
    listed = {row.name for row in (*shown.stays, *shown.goes, *shown.unpriced)}
    assert listed == {
        change.resource.name for change in found.changes if change.resource.status != "free" or change.resource.charges
    }
    assert sum(count for _, count, _ in shown.free) == sum(change.resource.status == "free" for change in found.changes)
    for page in (table([found]), table([found], width=80), markdown([found], TODAY), html([found], TODAY)):
        plain = re.sub(r"\s+", " ", page.replace("\\", ""))
        for row in (*shown.stays, *shown.goes, *shown.unpriced):
            assert row.name in plain
        for warning in shown.warnings:
            assert warning.split(";")[0].replace("`", "") in plain.replace("`", "")
        assert all(total.after in plain.replace("&lt;", "<") for total in shown.sums)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_the_table_keeps_within_the_terminal(width: int) -> None:
    for name in NAMES:
        assert max(map(len, table([plan(name)], width).splitlines())) <= width


def test_figures_end_under_each_other() -> None:
    lines = table([plan("platform-update-preview.json")]).splitlines()
    start = next(number for number, line in enumerate(lines) if "what stays, USD" in line)
    header, body = lines[start], lines[start + 2 : start + 30]
    end = header.index("after") + len("after")
    rows = [line for line in body if re.search(r"(ec2 Instance|budgets Budget|lambda Function)", line)]
    assert len(rows) >= 4
    assert all(re.search(r"\d\.\d\d$", line[:end]) for line in rows)


def test_a_total_of_two_stacks() -> None:
    plans = [plan("platform-preview.json"), plan("window-preview.json")]
    shown = table(plans)
    assert "local and local-window together" in shown
    found = facts(plans)
    assert found["after"]["idle_usd"]["high"] == "8.173262" and found["after"]["run_usd"]["high"] == "5.802137"
    assert "Together" in html(plans, TODAY)


def test_json_text_is_the_facts() -> None:
    plans = [plan(name) for name in NAMES]
    assert json.loads(text(plans)) == json.loads(json.dumps(facts(plans)))


class Page(HTMLParser):
    """What an HTML page has: its elements, balanced, and everything that it would load."""

    VOID = frozenset({"meta", "br", "link", "img", "rect"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.loaded: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.loaded += [value or "" for name, value in attributes if name in ("src", "href", "data", "onclick")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("name", NAMES)
def test_the_page_needs_nothing_beside_itself(name: str) -> None:
    page = Page(html([plan(name)], TODAY))
    assert not page.open and not page.loaded
    assert not page.seen & {"script", "link", "img", "iframe", "object"}
    assert {"svg", "table", "h1"} <= page.seen


def test_a_name_is_text_whatever_it_is() -> None:
    found = plan("webshop-preview.json", orders=EVIL, far=EVIL)
    assert sum(change.resource.name == EVIL for change in found.changes) == 2
    page = html([found], TODAY)
    assert "<script" not in page and "&lt;script&gt;" in page
    Page(page)
    assert "[red]" in table([found], 200)
    for line in markdown([found], TODAY).splitlines():
        if "alert" in line:
            assert "<script" not in line.replace("\\<", "") and line.count("|") - line.count("\\|") in (3, 4, 5, 6)


def test_markdown_has_whole_tables() -> None:
    lines = markdown([plan(name) for name in NAMES], TODAY).splitlines()
    columns = 0
    for line in lines:
        if line.startswith("|"):
            found = len(re.findall(r"(?<!\\)\|", line))
            assert columns in (0, found), line
            columns = found
        else:
            columns = 0
    assert lines[0].startswith("## What ")


def priced(*steps: dict[str, Any]) -> Plan:
    """A plan of resources that are new, given by type, name and inputs."""
    states = [
        {"op": "create", "urn": f"urn:pulumi:dev::shop::{step['type']}::{step['name']}",
         "newState": {"urn": f"urn:pulumi:dev::shop::{step['type']}::{step['name']}", "custom": True, **step}}
        for step in steps
    ]  # fmt: skip
    document = {"config": {"aws:region": "us-east-1"}, "steps": states, "changeSummary": {"create": len(states)}}
    return price_plan(read(json.dumps(document)), PriceBook.load(), now=datetime(2026, 11, 25, 4, tzinfo=UTC))


NEW = {"type": "aws:new/thing:Thing", "name": "thing", "inputs": {}}
ROLE = {"type": "aws:iam/role:Role", "name": "role", "inputs": {}}
ADDRESS = {"type": "aws:ec2/eip:Eip", "name": "ip", "inputs": {}}
GROWING: list[dict[str, Any]] = [
    {"type": "aws:ecs/taskDefinition:TaskDefinition", "name": "task", "inputs": {"cpu": "1024", "memory": "2048"}},
    {"type": "aws:ecs/service:Service", "name": "service", "inputs": {
        "name": "web", "launchType": "FARGATE", "desiredCount": 2, "taskDefinition": None},
     "propertyDependencies": {"taskDefinition": ["urn:pulumi:dev::shop::aws:ecs/taskDefinition:TaskDefinition::task"]}},
    {"type": "aws:appautoscaling/target:Target", "name": "target", "inputs": {
        "minCapacity": 1, "maxCapacity": 10, "resourceId": "service/main/web",
        "scalableDimension": "ecs:service:DesiredCount"}},
]  # fmt: skip


def pages(plan: Plan) -> list[str]:
    return [table([plan]), markdown([plan], TODAY), html([plan], TODAY)]


def test_a_plan_in_which_nothing_is_priced_says_so_on_every_page() -> None:
    found = priced(NEW, ROLE)
    assert facts([found])["after"]["status"] == facts([found])["stacks"][0]["after"]["status"] == "unpriced"
    assert facts([found])["complete"] is False
    for page in pages(found):
        assert re.search(r"a month, idle\W.*unpriced", page) and "no rule for aws:new/thing:Thing" in page
    (row,) = view(found).sums
    assert (row.before, row.after) == ("0.00", "unpriced")
    assert [row.after for row in view(priced(ROLE)).sums] == ["0.00"]  # what is free is no riddle


def test_totals_that_lack_something_say_at_least_on_every_page() -> None:
    found = priced(NEW, ADDRESS)
    assert facts([found])["after"]["status"] == "at least"
    for page in pages(found):
        assert "at least 3.65" in page
    together = view(found).sums[0]
    assert (together.name, together.after) == ("a month, idle", "at least 3.65")


def test_what_is_expected_is_shown_before_its_bounds_on_every_page() -> None:
    found = priced(*GROWING)
    assert facts([found])["after"]["monthly_usd"] == {"low": "36.0401", "high": "360.401", "expected": "72.0802"}
    for page in pages(found):
        assert "72.08 (36.04 – 360.40)" in page
    assert view(found).sums[0].difference == "+72.08 (+36.04 – +360.40)"


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_of_the_page_lies_beyond_its_edge(width: int, tmp_path: Path) -> None:
    """On a phone or on a desk: nothing has to be scrolled to."""
    page = html([plan(name) for name in NAMES], TODAY)
    assert beyond_the_edge(page, width, tmp_path) == {"width": width, "seen": []}
