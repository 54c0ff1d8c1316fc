"""A usage file replaces the defaults, for a kind or for one resource; what it gets wrong is named at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from costs.book.prices import PriceBook
from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from costs.plan.preview import PlannedResource
from costs.plan.traffic import KINDS, Usage
from costs.plan.usage import check_usage, load
from shoestring.base.errors import MEND, UserError
from shoestring.commands.cost import app

DOCS = Path(__file__).parents[3] / "docs" / "cost-plan.md"
FUNCTION = "aws:lambda/function:Function"


def function(name: str) -> PlannedResource:
    inputs = {"memorySize": 1024, "architectures": ["arm64"]}
    return PlannedResource(f"urn:pulumi:dev::shop::{FUNCTION}::{name}", FUNCTION, name, inputs)


def priced(*resources: PlannedResource, usage: Usage | None = None) -> list[ResourceCost]:
    return price_resources(resources, "us-east-1", PriceBook.load(), usage)


def written(folder: Path, text: str) -> Path:
    path = folder / "usage.yaml"
    path.write_text(text)
    return path


def test_the_nearest_figure_counts(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        f"""
        defaults:
          lambda: {{requests: 1000000, mean_ms: 20.5}}
          s3: {{stored_gb: 5}}
        resources:
          named: {{requests: 2000000}}
          "{function("by-urn").urn}": {{requests: 3000000}}
          web: {{assume: {{instanceType: m5.large}}}}
        """,
    )
    usage = load(path)
    assert usage.value("", "other", "s3", "stored_gb") == (Decimal(5), True)
    assert usage.value("", "other", "s3", "puts") == (KINDS["s3"]["puts"].default, False)
    assert usage.assume == {"web": {"instanceType": "m5.large"}} and usage.source == str(path)
    costs = price_resources(
        [function("named"), function("by-urn"), function("other")], "us-east-1", PriceBook.load(), usage
    )
    asked = [{each.key: each.value for each in cost.assumptions} for cost in costs]
    assert [each["requests"] for each in asked] == [2_000_000, 3_000_000, 1_000_000]
    assert all(each["mean_ms"] == Decimal("20.5") for each in asked)  # as it is written, never a float
    gb_seconds = Decimal("0.021") * 2_000_000  # a started millisecond is billed
    assert costs[0].monthly.high == gb_seconds * Decimal("0.0000133334") + 2 * Decimal("0.20")


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    usage = load(written(tmp_path, "# nothing yet\n"))
    assert (usage.defaults, usage.resources, usage.assume) == ({}, {}, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("defaults: {lamda: {requests: 1}}", "defaults.lamda is unknown; did you mean lambda?"),
        ("defaults: {lambda: {request: 1}}", "defaults.lambda.request is unknown; did you mean requests?"),
        ("defaults: {lambda: {zzz: 1}}", "defaults.lambda.zzz is unknown; known: mean_ms, requests"),
        ("resources: {a: {mean: 1}}", "resources.a.mean is unknown; did you mean mean_ms?"),
        ("resurces: {}", "resurces is unknown; did you mean resources?"),
        ("defaults: {s3: {stored_gb: -4}}", "defaults.s3.stored_gb is -4: should be greater than or equal to 0"),
        ("defaults: {s3: {stored_gb: many}}", "defaults.s3.stored_gb is 'many'"),
        ("defaults: {s3: {stored_gb: .inf}}", "defaults.s3.stored_gb is "),
        ("defaults: {s3: {stored_gb: true}}", "defaults.s3.stored_gb is True: expected a number"),
        ("- a\n- b", "should be"),
        ("defaults: [", "usage.yaml:1"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError) as raised:
        load(written(tmp_path, text))
    assert said in str(raised.value) and MEND in str(raised.value)


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as raised:
        load(written(tmp_path, "defaults: {lamda: {}, s3: {stored_gb: -1}}\nresources: {a: {x: 1}}\n"))
    assert all(word in str(raised.value) for word in ("lamda", "stored_gb", "resources.a.x"))


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="binary"):
        load(tmp_path / "binary")


def test_a_resource_that_is_not_in_the_plan_is_named() -> None:
    usage = Usage(resources={"serve": {}}, assume={"nobody": {}}, source="usage.yaml")
    with pytest.raises(UserError) as raised:
        check_usage(usage, priced(function("server")))
    assert "serve: no such resource in the plan; did you mean server?" in str(raised.value)
    assert "nobody: no such resource in the plan" in str(raised.value)
    usage = Usage(resources={"server": {}, function("server").urn: {}})
    check_usage(usage, priced(function("server"), usage=usage))


def test_a_figure_that_a_resource_does_not_use_is_named_with_those_that_it_does() -> None:
    role = PlannedResource("urn:pulumi:dev::shop::aws:iam/role:Role::admin", "aws:iam/role:Role", "admin", {})
    usage = Usage(
        resources={"server": {"stored_gb": Decimal(5), "requests": Decimal(7)}, "admin": {"requests": Decimal(1)}},
        assume={"server": {"memorySize": 512, "memorySiz": 512}},
        source="usage.yaml",
    )
    with pytest.raises(UserError) as raised:
        check_usage(usage, priced(function("server"), role, usage=usage))
    assert str(raised.value).startswith("3 problem(s) in usage.yaml:\n") and MEND in str(raised.value)
    for words in (
        "server.stored_gb: this resource does not use it; it uses mean_ms, requests",
        "admin.requests: this resource does not use it; it uses none, aws:iam/role:Role is free: IAM is free",
        "server.assume.memorySiz: the price of this resource does not depend on it",
    ):
        assert words in str(raised.value)


def test_a_name_that_several_resources_have_takes_the_figures_of_each() -> None:
    bucket = PlannedResource("urn:pulumi:dev::shop::aws:s3/bucket:Bucket::web", "aws:s3/bucket:Bucket", "web", {})
    usage = Usage(resources={"web": {"stored_gb": Decimal(5), "requests": Decimal(7)}})
    check_usage(usage, priced(function("web"), bucket, usage=usage))


def test_help_and_documentation_list_each_kind_and_key() -> None:
    shown = " ".join(CliRunner().invoke(app, ["plan", "--help"]).stdout.replace("│", " ").split())
    rows = DOCS.read_text().splitlines()
    for kind, keys in KINDS.items():
        assert f"{kind}: {', '.join(keys)}" in shown
        assert f"| `{kind}` | {'; '.join(f'`{key}` {figure}' for key, figure in keys.items())} |" in rows
    assert sum(row.startswith("| `") and row.split("`")[1] in KINDS for row in rows) == len(KINDS)
