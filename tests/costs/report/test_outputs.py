"""The report's files: JSON, page and text, where they go, and who is told when."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as tree
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from costs.book.prices import PriceBook
from costs.function import weekly_report as handler
from costs.report import charts, document, html, publish, text
from costs.report.account import Subject
from costs.report.analysis import Day, Item
from costs.report.explorer import Scope
from costs.report.gather import gather
from costs.report.periods import chosen
from costs.report.report import Report
from shoestring.base.errors import UserError
from tests.browser import beyond_the_edge, needs_browser
from tests.costs.report import sample

BOOK = PriceBook.load()
SUBJECT = Subject(
    Scope(sample.PROJECT, sample.ENVIRONMENT),
    "us-east-1",
    "shoestring-dev-inference",
    "shoestring-dev-costs",
    "15",
    monitor=sample.MONITOR,
)
WEEK = chosen(sample.TODAY)
KEY = "reports/cost/2026/2026-W47/"


def made(**clients: Any) -> Report:
    """The sample's report, with other clients."""
    return gather(sample.clients(**clients), SUBJECT, WEEK, BOOK, sample.NOW)


@pytest.fixture(scope="module")
def report() -> Report:
    """The sample's week."""
    return made()


class Nothing:
    """An account in which nothing is."""

    class exceptions:
        ResourceNotFoundException = NotFoundException = sample._Missing

    def __getattr__(self, name: str) -> Any:
        def answer(**arguments: Any) -> Any:
            if name in ("describe_budget", "get_function_configuration", "filter_log_events"):
                raise sample._Missing()
            return {"Anomalies": [], "ResultsByTime": [],
                    "Total": {"Amount": "0", "Unit": "USD"}}  # fmt: skip

        return answer

    def get_paginator(self, operation: str) -> sample.Pages:
        return sample.Pages({"Reservations": [], "Functions": [], "TrainingJobSummaries": []})


@pytest.fixture(scope="module")
def empty() -> Report:
    """The report of nothing."""
    nothing = Nothing()
    return made(ce=nothing, sagemaker=nothing, lambda_=nothing, logs=nothing, budgets=nothing, ec2=nothing)


def numbers(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value below, with its key."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from numbers(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from numbers(each, key)
    else:
        yield key, value


def test_json_has_money_as_strings(report: Report) -> None:
    """Plain decimals, no float anywhere."""
    found = json.loads(json.dumps(document.of(report)))
    assert not [pair for pair in numbers(found) if isinstance(pair[1], float)]
    money = [value for key, value in numbers(found) if key.endswith("usd") or key in ("low", "high")]
    assert len(money) > 50 and all(value is None or f"{Decimal(value):f}" == value for value in money)


def test_json_keeps_its_keys(report: Report) -> None:
    """What reads it relies on them."""
    found = document.of(report)
    assert list(found) == [
        "schema", "made_at", "currency", "period", "scope", "total", "comparison", "days", "services", "projects",
        "unallocated", "month", "spot", "retraining", "predictions", "surprises", "recommendations", "reading", "notes",
    ]  # fmt: skip
    assert (found["schema"], found["made_at"]) == ("shoestring.cost-report/1", "2026-11-25T06:00:00Z")
    assert found["reading"] == {"cost_explorer_requests": 5, "usd": "0.05"}


def test_json_of_nothing_has_the_same_keys(report: Report, empty: Report) -> None:
    """Zeros and reasons, no gaps."""
    found = document.of(empty)
    assert list(found) == list(document.of(report))
    assert found["total"]["usd"] == "0" and len(found["days"]) == 7
    assert "may not be active" in found["notes"][0]
    assert found["month"]["limit_usd"] == "15"


def test_every_figure_has_a_source(report: Report) -> None:
    """Billed as of a date, or an estimate at list price of a date."""
    found = document.of(report)
    assert found["total"]["source"] == "billed by Cost Explorer as of 2026-11-25, still estimated by AWS"
    for part in ("comparison", "services", "projects", "unallocated", "month", "predictions"):
        assert found[part]["source"], part
    for job in found["retraining"]["jobs"] + found["spot"]["items"]:
        assert "list price of 2026-01-01" in job["source"]
    assert all(each["source"] for each in [*found["surprises"], *found["recommendations"]])


def test_recommendations_come_with_dollars_and_a_line(report: Report) -> None:
    """The largest saving first."""
    found = report.recommendations
    assert [each.saves.high for each in found] == sorted((each.saves.high for each in found), reverse=True)
    lines = {each.what: each.how for each in found}
    assert lines["Run shoestring-dev-mlflow on t4g.micro"] == (
        "pulumi config set --path shoestring:mlflow.instanceType t4g.micro -s dev"
    )
    assert lines["Train churn on ml.c5.xlarge"].startswith("instance_type: ml.c5.xlarge")
    gateway = next(each for each in found if "NAT" in each.what)
    assert gateway.saves.high == Decimal("3.24") / 7 * (Decimal(365) / 12)
    assert "untagged" not in lines and any("activate-tags -e dev" in line for line in lines.values())


class Page(HTMLParser):
    """A page's tags, their nesting, and its text."""

    VOID = frozenset({"meta", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> after {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("which", ["report", "empty"])
def test_the_page_stands_alone(which: str, request: pytest.FixtureRequest) -> None:
    """Well formed, without scripts, and nothing is fetched from anywhere."""
    page = Page()
    page.feed(html.render(request.getfixturevalue(which)))
    assert page.open == [] and not [tag for tag, _ in page.tags if tag in ("script", "img", "link", "iframe")]
    assert not [value for _, attributes in page.tags for key, value in attributes.items() if key in ("src", "href")]
    said = " ".join(page.text)
    assert "url(" not in said and "@import" not in said and "None" not in said and "Decimal(" not in said


def test_the_page_shows_the_figures(report: Report) -> None:
    """The same as the JSON's."""
    page = html.render(report)
    for shown in ("$11.75", "+$5.46", "$26.55", "$40.00", "$9.95", "unallocated: no Project tag", "2026-W47"):
        assert shown in page


def test_names_cannot_break_the_page() -> None:
    """A service or a tag may be called anything."""
    lines = [("shoestring", "<script>alert(1)</script>", "a&b", "1", "1", "Hrs"), ("<b>", "x", "y", "1", "1", "Hrs")]
    page = html.render(made(ce=sample.CostExplorer(lambda day: lines)))
    assert "<script" not in page and "<b>x" not in page and "&lt;script&gt;" in page and "a&amp;b" in page


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("since", ["", "2026-11-01"])
def test_nothing_of_the_page_lies_beyond_its_edge(since: str, width: int, tmp_path: Path) -> None:
    """Neither of a week nor of a month, on a phone or on a desk: nothing has to be scrolled to."""
    period = chosen(sample.TODAY, "", since, "") if since else WEEK
    page = html.render(gather(sample.clients(), SUBJECT, period, BOOK, sample.NOW))
    assert beyond_the_edge(page, width, tmp_path) == {"width": width, "seen": []}


@pytest.mark.parametrize("count", [1, 7, 31, 182])
def test_charts_stay_in_their_frame(count: int) -> None:
    """Whatever the number of days and the amounts."""
    start = WEEK.start
    days = [Day(start + timedelta(n), Decimal(n * n) / 7, Decimal(n) / 3, "whole") for n in range(count)]
    drawn = tree.fromstring(charts.daily(days, Decimal("3.3")))
    bars = [mark for mark in drawn.iter("rect")]
    ticks = [mark for mark in drawn.iter("text") if mark.attrib["class"] == "tick"]
    left = float(ticks[0].attrib["x"])
    assert all(left >= charts.SIGN * len(mark.text or "") for mark in ticks)  # at the size of a phone's page
    assert len(bars) == count
    for mark in bars:
        y, height, x, width = (float(mark.attrib[key]) for key in ("y", "height", "x", "width"))
        assert y >= charts.TOP - 0.1 and height >= 0 and y + height <= charts.HEIGHT - charts.BOTTOM + 0.1
        assert x >= left and x + width <= charts.WIDTH


@pytest.mark.parametrize("largest", ["0", "0.0000003", "0.99", "1", "3.57", "99.99", "12345"])
def test_scales_hold_their_largest(largest: str) -> None:
    """With some four round steps."""
    found = charts.scale(Decimal(largest))
    assert found.top >= Decimal(largest) and 2 <= len(found.ticks) <= 7
    assert found.ticks[-1] == found.top


def test_small_services_are_gathered() -> None:
    """Eight bars at most, and no dollar lost."""
    items = [Item(f"s{n}", Decimal(20 - n), Decimal(1), Decimal(1)) for n in range(12)]
    drawn = charts.breakdown(items)
    assert drawn.count("<rect") == 8 and "5 others" in drawn and "$55.00" in drawn  # 13 + 12 + 11 + 10 + 9


def test_the_summary_says_it_in_lines(report: Report) -> None:
    """And the subject fits SNS: at most 100 characters of ASCII, known to the budget's guard by its first word."""
    said = text.summary(report, "s3://bucket/report.html")
    assert said.splitlines()[0].startswith("shoestring dev, 2026-W47: $11.75 (billed by Cost Explorer")
    assert said.endswith("s3://bucket/report.html") and "5 requests to Cost Explorer, $0.05 on AWS" in said
    subject = text.subject(report)
    assert subject == "Shoestring costs: dev 2026-W47 $11.75" and subject.isascii()


class Bucket:
    """S3 and SNS in one: notes what came, in order."""

    def __init__(self, refuse: str = "") -> None:
        self.came: list[tuple[str, str]] = []
        self.objects: dict[str, bytes] = {}
        self.refuse = refuse

    def get_paginator(self, operation: str) -> Any:
        """No records of jobs."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        return [{}]

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        if self.refuse:
            raise ClientError({"Error": {"Code": self.refuse, "Message": "no"}}, "PutObject")
        self.came.append(("s3", Key))
        self.objects[Key] = Body

    def publish(self, TopicArn: str, Subject: str, Message: str) -> None:
        if self.refuse:
            raise ClientError({"Error": {"Code": "NotFound", "Message": "Topic does not exist"}}, "Publish")
        self.came.append(("sns", Subject))


VARIABLES = {
    "REPORT_BUCKET": "shoestring-dev-1", "REPORT_PROJECT": "shoestring", "REPORT_ENVIRONMENT": "dev",
    "REPORT_TOPIC_ARN": "arn:aws:sns:us-east-1:1:costs", "REPORT_BUDGET_NAME": "shoestring-dev-costs",
    "MONTHLY_LIMIT_USD": "15", "AWS_REGION": "us-east-1",
}  # fmt: skip


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The function's variables, and an account that is the sample's."""
    bucket = Bucket()
    for key, value in VARIABLES.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(boto3, "client", sample.clients(s3=bucket, sns=bucket))
    return bucket


def test_the_function_tells_the_topic_last(function: Bucket) -> None:
    """What is announced is there; a second run writes the same keys."""
    found = handler.handler({"week": "2026-W47"}, None)
    names = [name for service, name in function.came if service == "s3"]
    assert sorted(names) == [KEY + name for name in ("focus.csv", "report.html", "report.json", "summary.txt")]
    assert names[-1] == KEY + "report.html" and function.came[-1][0] == "sns"
    assert found["report"] == f"s3://shoestring-dev-1/{KEY}report.html" and found["period"] == "2026-W47"
    first = dict(function.objects)
    handler.handler({"week": "2026-W47"}, None)
    assert function.objects.keys() == first.keys()
    assert json.loads(function.objects[KEY + "report.json"])["total"]["usd"] == found["usd"]


@pytest.mark.parametrize("event", [None, {}, "text", {"week": ""}])
def test_the_schedules_event_needs_to_say_nothing(function: Bucket, event: Any) -> None:
    """The last whole week then."""
    assert "-W" in handler.handler(event, None)["period"]


def test_a_missing_variable_is_named(function: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """In the log as well, for machines."""
    monkeypatch.delenv("REPORT_PROJECT")
    with pytest.raises(UserError, match="REPORT_PROJECT is not set"):
        handler.handler({}, None)
    assert json.loads(capsys.readouterr().out)["event"] == "no report"
    assert function.came == []


@pytest.mark.parametrize(
    ("code", "said"),
    [("NoSuchBucket", "there is no bucket b"), ("AccessDenied", "may not be written"), ("SlowDown", "SlowDown")],
)
def test_a_bucket_that_does_not_take_it(report: Report, code: str, said: str) -> None:
    """One message, and nobody is told of a report that is not there."""
    with pytest.raises(UserError, match=said) as error:
        publish.to_bucket(report, publish.files(report, BOOK), Bucket(code), "b")
    assert error.value.expected


def test_a_topic_that_is_gone(report: Report) -> None:
    """The report is there, and it is said where."""
    with pytest.raises(UserError, match=r"s3://b/x, and arn:x was not told: Topic does not exist"):
        publish.announce(report, "s3://b/x", Bucket("x"), "arn:x")


def test_files_in_a_folder_are_whole(report: Report, tmp_path: Path) -> None:
    """A second run writes over the first, and leaves nothing else."""
    for _ in range(2):
        paths = publish.to_folder(publish.files(report, BOOK), tmp_path / "new" / "out")
    assert sorted(path.name for path in paths) == sorted(os.listdir(tmp_path / "new" / "out"))


ROOT = Path(__file__).resolve().parents[3]
LOADS = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in ('pydantic', 'pandas', 'numpy', 'platformdirs', 'yaml', 'rich', 'pulumi', 'typer'):
            raise ImportError(f'{name} is not in the function')
sys.meta_path.insert(0, Refuse())
import costs.function.weekly_report, costs.report.html, costs.report.focus, costs.value.rightsizing
print('loaded')
"""


def test_it_runs_on_what_lambda_has() -> None:
    """The standard library, boto3 and Jinja2; nothing of the product outside costs."""
    done = subprocess.run([sys.executable, "-c", LOADS], cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.stdout.strip() == "loaded", done.stderr
    for path in (ROOT / "costs" / "report").glob("*.py"):
        imported = {
            name.partition(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            for name in (
                [node.module or ""] if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            )
        }  # fmt: skip
        assert imported - sys.stdlib_module_names <= {"costs", "shoestring", "boto3", "botocore", "jinja2"}, path.name


def test_the_functions_zip_has_it_all() -> None:
    """Template and price table as well."""
    from costs.prepare import package
    from shoestring.base import closure

    names = closure.trace(package.COSTS.entries).files
    assert {"costs/function/weekly_report.py", "costs/report/report.html.j2", "costs/book/prices.csv"} <= set(names)
    needed = {"costs/amounts.py", "costs/book/price.py", "costs/book/spot.py", "costs/report/unit_costs.py"}
    assert needed <= set(names)
