"""What plans cost: saved previews of the product and of a plain program, recomputed by hand from the price book."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from costs.amounts import Range, cents
from costs.book.price import Price
from costs.book.prices import PriceBook
from costs.plan.plan import Plan, price_plan
from costs.plan.preview import Preview, read
from costs.plan.traffic import KINDS, Usage
from shoestring.base.errors import UserError
from shoestring.base.paths import ROOT
from shoestring.commands.cost import app

DATA = Path(__file__).with_name("data")
BOOK = PriceBook.load()
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
HOURS = 730
RUN = Decimal(7000) / 3600  # hours


def usd(service: str, item: str) -> Decimal:
    return BOOK.price(service, item).usd


def preview(name: str) -> Preview:
    return read((DATA / name).read_text(), name)


def plan(name: str, usage: Usage | None = None) -> Plan:
    return price_plan(preview(name), BOOK, usage, now=NOW)


def steps(name: str) -> list[dict[str, Any]]:
    """The resources of a saved preview as they will be: apart from all of the code that is tested."""
    return [step["newState"] for step in json.loads((DATA / name).read_text())["steps"]]


def of(name: str, kind: str) -> list[dict[str, Any]]:
    return [state["inputs"] for state in steps(name) if state["type"].endswith(f":{kind}")]


def usage(kind: str, key: str) -> Decimal:
    return KINDS[kind][key].default


def test_the_idle_platform_is_the_sum_by_hand() -> None:
    found = plan("platform-preview.json")
    (template,) = of("platform-preview.json", "LaunchTemplate")
    (subnet,) = of("platform-preview.json", "Subnet")
    assert len(of("platform-preview.json", "Instance")) == 1 and subnet["mapPublicIpOnLaunch"] is True
    disk = template["blockDeviceMappings"][0]["ebs"]
    idle = usd("ec2", template["instanceType"]) * HOURS + disk["volumeSize"] * usd("ebs", disk["volumeType"])
    idle += usd("vpc", "public-ipv4") * HOURS
    idle += len(of("platform-preview.json", "Budget")) * usd("budgets", "budget")
    idle += 5 * Decimal("0.01") * HOURS / 168  # the weekly report's requests to Cost Explorer
    assert cents(found.after.idle.low) == cents(found.after.idle.high) == cents(idle) == Decimal("8.17")
    assert found.after.idle.high < 10
    assert found.complete and not found.warnings and found.before.monthly.high == 0


def test_the_platforms_usage_is_the_sum_by_hand() -> None:
    name = "platform-preview.json"
    found, month = plan(name), Decimal(0)
    for function in of(name, "Function"):
        seconds = usage("lambda", "requests") * usage("lambda", "mean_ms") / 1000
        chip = {"x86_64": "compute-x86", "arm64": "compute-arm64"}[function["architectures"][0]]
        month += seconds * Decimal(function["memorySize"]) / 1024 * usd("lambda", chip)
        month += usage("lambda", "requests") / 1_000_000 * usd("lambda", "requests")
    logs = len(of(name, "LogGroup"))
    month += logs * usage("logs", "ingested_gb") * usd("cloudwatch", "logs-ingestion")
    month += logs * usage("logs", "stored_gb") * usd("cloudwatch", "logs-storage")
    month += usage("s3", "stored_gb") * usd("s3", "standard-storage")
    month += usage("s3", "puts") / 1000 * usd("s3", "put-requests") + usage("s3", "gets") / 1000 * usd(
        "s3", "get-requests"
    )
    month += len(of(name, "Topic")) * usage("sns", "publishes") / 1_000_000 * usd("sns", "requests")
    month += len(of(name, "Schedule")) * usage("scheduler", "invocations") / 1_000_000 * usd("scheduler", "invocations")
    assert cents(found.after.monthly.high) == cents(found.after.idle.high + month)
    assert found.after.monthly.exact
    assert {(each.kind, each.key) for each in found.assumptions} >= {("lambda", "requests"), ("s3", "stored_gb")}


def test_a_window_is_its_jobs_at_their_longest() -> None:
    found = plan("window-preview.json")
    assert len(of("window-preview.json", "TrainingJob")) == 4
    for job in of("window-preview.json", "TrainingJob"):
        assert job["resourceConfig"] == {"instanceCount": 1, "instanceType": "ml.g4dn.xlarge", "volumeSizeInGb": 50}
        assert job["stoppingCondition"]["maxRuntimeInSeconds"] == 7000 and job["enableManagedSpotTraining"] is True
    machines = 4 * RUN * usd("sagemaker-training", "ml.g4dn.xlarge")
    disks = 4 * 50 * RUN / HOURS * usd("sagemaker", "training-storage")
    assert cents(machines) == Decimal("5.73")
    assert cents(found.after.run.high) == cents(machines + disks) == Decimal("5.80")
    assert cents(found.after.run.low) == cents(machines / 10 + disks)  # AWS advertises up to 90 % off
    assert found.after.monthly.high == 0
    hour = 4 * usd("sagemaker-training", "ml.g4dn.xlarge") + 4 * 50 / Decimal(HOURS) * usd(
        "sagemaker", "training-storage"
    )
    assert cents(found.after.run_hourly.high) == cents(hour)


def test_one_job_on_four_machines_costs_the_same() -> None:
    document = json.loads((DATA / "window-preview.json").read_text())
    jobs = [step for step in document["steps"] if step["newState"]["type"].endswith(":TrainingJob")]
    for step in jobs[1:]:
        document["steps"].remove(step)
    jobs[0]["newState"]["inputs"]["resourceConfig"]["instanceCount"] = 4
    document["changeSummary"]["create"] -= 3
    one = price_plan(read(json.dumps(document)), BOOK, now=NOW)
    both = one.after.run, plan("window-preview.json").after.run
    assert len({(cents(run.low), cents(run.high)) for run in both}) == 1


def test_events_and_digest_come_to_the_same() -> None:
    events, digest = plan("window-events.jsonl"), plan("window-preview.json")
    assert events.after == digest.after
    assert {c.resource.urn: c.resource.status for c in events.changes} == {
        c.resource.urn: c.resource.status for c in digest.changes
    }


def test_a_state_costs_what_its_preview_said() -> None:
    state, digest = plan("platform-state.json"), plan("platform-preview.json")
    assert state.after == state.before == digest.after
    assert state.difference == Range.of(0)
    assert state.region == "us-east-1"  # of its provider


def test_what_changes_is_before_after_and_their_difference() -> None:
    found = plan("platform-update-preview.json")
    added = usd("budgets", "budget")
    asked = 5 * Decimal("0.01") * HOURS / 168  # by the weekly report
    assert cents(found.before.idle.high) == Decimal("7.36")
    assert cents(found.after.idle.high - found.before.idle.high) == cents(added + asked)
    assert found.after == plan("platform-preview.json").after
    assert found.difference.exact and found.difference.high > added
    by_name = {(change.resource.type, change.resource.name): change for change in found.changes}
    budget = by_name["aws:budgets/budget:Budget", "shoestring-local-costs"]
    assert (budget.op, budget.before, budget.difference.high) == ("create", None, added)
    replaced = [change for change in found.changes if change.op == "replace"]
    assert len(replaced) == 1 and replaced[0].before and replaced[0].after


SHOP = {  # a month with the default usage, by hand at list prices of us-east-1
    "bastion": "12.84",  # 730 x 0.0104 + 20 x 0.08 + 730 x 0.005
    "orders": "117.17",  # 730 x 0.129 + 100 x 0.23
    "nat": "3.65",  # its address; the gateway has the same name
    "cache": "11.68",  # 730 x 0.016
    "data": "21.00",  # 200 x 0.08 + 1000 x 0.005
    "sessions": "0.33",  # 0.1 x 0.125 + 0.1 x 0.625 + 0.25
    "ecr": "14.61",  # 2 x 730 x 0.01 + 0.01
    "images": "0.03",
    "jobs": "0.04",
}


def test_a_plain_program_is_priced_as_well() -> None:
    found = plan("webshop-preview.json")
    costs = {change.resource.name: change.resource for change in found.changes if change.resource.status == "priced"}
    costs["nat"] = next(c.resource for c in found.changes if c.resource.type == "aws:ec2/eip:Eip")
    assert {name: str(cents(costs[name].monthly.high)) for name in SHOP} == SHOP
    by_type = {change.resource.type: change.resource for change in found.changes}
    dear = {"aws:eks/cluster:Cluster": "73.00", "aws:ec2/natGateway:NatGateway": "33.30", "aws:kms/key:Key": "1.03",
            "aws:lb/loadBalancer:LoadBalancer": "29.57", "aws:sagemaker/endpoint:Endpoint": "83.95"}  # fmt: skip
    assert {kind: str(cents(by_type[kind].monthly.high)) for kind in dear} == dear
    group = by_type["aws:autoscaling/group:Group"].monthly
    # 2 to 6 machines, one and half of the others on demand; spot from a tenth of t3.medium to all of m5.large
    low = (
        Decimal("1.5") * HOURS * usd("ec2", "t3.medium")
        + Decimal("0.5") * HOURS * usd("ec2", "t3.medium") / 10
        + 2 * 30 * usd("ebs", "gp3")
    )
    high = 6 * HOURS * usd("ec2", "m5.large") + 6 * 30 * usd("ebs", "gp3")
    assert (cents(group.low), cents(group.high)) == (cents(low), cents(high))
    assert not found.complete
    assert {cost.name: cost.reason for cost in found.unpriced} == {
        "shop": "billed by the events and GB that it looks at",
        "far": "no price for ec2 t3.micro, ebs gp3, vpc public-ipv4 in eu-central-1; "
        "shoestring prices refresh --region eu-central-1",
    }
    assert "2 resource(s) are unpriced: the totals are without them" in found.warnings
    assert any("that the preview cannot know are priced as ranges" in warning for warning in found.warnings)


def test_every_resource_of_a_preview_is_in_its_plan() -> None:
    for name in ("platform-preview.json", "window-preview.json", "webshop-preview.json"):
        found = plan(name)
        assert [change.resource.urn for change in found.changes] == [state["urn"] for state in steps(name)]
        assert all(change.resource.reason for change in found.changes)


def test_an_unknown_value_can_be_assumed() -> None:
    found = plan("webshop-preview.json", Usage(assume={"sized-later": {"instanceType": "t3.small"}}))
    (one,) = [change.resource for change in found.changes if change.resource.name == "sized-later"]
    assert one.monthly.exact and cents(one.monthly.high) == cents(
        usd("ec2", "t3.small") * HOURS + 8 * usd("ebs", "gp3")
    )


def cut(name: str, **changes: Any) -> Preview:
    document = json.loads((DATA / name).read_text())
    return read(json.dumps({**document, **changes}))


def test_a_preview_without_a_region_needs_one() -> None:
    without = cut("platform-preview.json", config={})
    with pytest.raises(UserError, match=r"(?s)the region of local is not in the preview.*--region us-east-1"):
        price_plan(without, BOOK, now=NOW)
    assert price_plan(without, BOOK, region="us-east-1", now=NOW).after == plan("platform-preview.json").after


def test_a_region_without_prices_leaves_what_costs_unpriced() -> None:
    found = price_plan(cut("platform-preview.json", config={"aws:region": "eu-west-9"}), BOOK, now=NOW)
    assert not found.complete
    priced = {change.resource.type for change in found.changes if change.resource.status == "priced"}
    assert priced <= {"aws:budgets/budget:Budget", "shoestring:costs:CostReport"}  # which cost the same everywhere
    refresh = "shoestring prices refresh --region eu-west-9"
    without = {cost.type for cost in found.unpriced if refresh not in cost.reason}
    assert without == {"aws:scheduler/schedule:Schedule"}, "which no refresh asks for"
    before = [change.resource for change in plan("platform-preview.json").changes]
    assert len(found.unpriced) + len(priced) == sum(cost.status == "priced" for cost in before)


def test_resources_that_a_preview_does_not_show_make_it_incomplete() -> None:
    found = price_plan(cut("platform-preview.json", changeSummary={"create": 60, "same": 7}), BOOK, now=NOW)
    assert (found.hidden, found.complete) == (7, False)
    assert (
        "7 unchanged resource(s) are not in this preview" in found.warnings[0] and "--show-sames" in found.warnings[0]
    )


def test_old_prices_are_told() -> None:
    old = PriceBook(
        [Price(p.service, p.item, p.region, p.unit, p.usd, p.note, p.source, date(2020, 1, 1)) for p in BOOK]
    )
    found = price_plan(preview("platform-preview.json"), old, now=NOW)
    assert "prices of 2020-01-01 are stale: shoestring prices refresh --region us-east-1" in found.warnings


def test_what_goes_costs_before_and_not_after() -> None:
    document = json.loads((DATA / "platform-preview.json").read_text())
    for step in document["steps"]:
        step["op"], step["oldState"] = "delete", step.pop("newState")
    found = price_plan(read(json.dumps(document)), BOOK, now=NOW)
    assert found.before == plan("platform-preview.json").after and found.after.monthly.high == 0
    assert found.difference.high == -found.before.monthly.high
    assert len(found.changes) == 60


# The command


def run(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, ["plan", *words], input=stdin)


def saved(name: str) -> list[str]:
    return ["--from", str(DATA / name)]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No refreshed prices."""
    monkeypatch.setenv("SHOESTRING_HOME", str(tmp_path / "home"))
    return tmp_path


def test_json_carries_money_as_decimals_in_strings() -> None:
    done = run(*saved("platform-preview.json"), "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout, parse_float=lambda text: pytest.fail(f"a float: {text}"))
    assert found["after"]["idle_usd"] == {"low": "8.173262", "high": "8.173262"}
    assert found["complete"] is True and found["currency"] == "USD"
    (stack,) = found["stacks"]
    assert (stack["stack"], stack["region"], len(stack["resources"])) == ("local", "us-east-1", 60)
    for one in stack["resources"]:
        assert one["status"] in ("priced", "free", "at least", "unpriced") and one["reason"]
        for charge in (one["after"] or {}).get("charges", []):
            assert re.fullmatch(r"\d+(\.\d+)?", charge["usd"]["high"])
            assert charge["price"]["source"] and charge["price"]["as_of"] and charge["price"]["unit"]


def test_a_window_in_json_is_recomputed_from_what_it_says() -> None:
    (stack,) = json.loads(run(*saved("window-preview.json"), "--json").stdout)["stacks"]
    total = sum(
        Decimal(charge["quantity"]["high"]) * Decimal(charge["price"]["usd"]) * Decimal(charge["share"]["high"])
        for one in stack["resources"]
        for charge in one["after"]["charges"]
    )
    assert cents(total) == cents(Decimal(stack["after"]["run_usd"]["high"])) == Decimal("5.80")


def test_standard_input_is_read() -> None:
    done = run("--from", "-", "--json", stdin=(DATA / "window-events.jsonl").read_text())
    assert json.loads(done.stdout)["stacks"][0]["source"] == "events"


@pytest.mark.parametrize(
    ("name", "limit", "code", "said"),
    [
        ("platform-preview.json", "10", 0, ""),
        ("platform-preview.json", "8", 1, "a month may come to $8.63"),
        ("window-preview.json", "5.80", 1, "one run may come to $5.80"),  # 5.802...
        ("window-preview.json", "5.81", 0, ""),
        ("webshop-preview.json", "100000", 1, "the total is not known as a whole"),
    ],
)
def test_a_limit_decides_about_the_exit_code(name: str, limit: str, code: int, said: str) -> None:
    done = run(*saved(name), "--fail-above", limit)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert ("--fail-above" in done.stderr) is bool(code)


def test_a_usage_file_is_held_against_the_plan(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    path.write_text("resources: {shoestring-local-inference: {requests: 0}}\n")
    less = json.loads(run(*saved("platform-preview.json"), "--usage", str(path), "--json").stdout)
    assert Decimal(less["after"]["monthly_usd"]["high"]) < plan("platform-preview.json").after.monthly.high
    assert [each for each in less["stacks"][0]["assumptions"] if each["source"] == str(path)]
    path.write_text("resources: {shoestring-local-inferense: {requests: 0}}\n")
    done = run(*saved("platform-preview.json"), "--usage", str(path))
    assert "did you mean shoestring-local-inference?" in str(done.exception)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "neither ENV nor --from is given"),
        (["--from", "nowhere.json"], "nowhere.json: No such file or directory"),
        ([*saved("platform-preview.json"), "--json", "--markdown"], "--json and --markdown are both given"),
        ([*saved("platform-preview.json"), "--fail-above", "much"], "--fail-above is 'much'"),
        ([*saved("platform-preview.json"), "--fail-above", "-1"], "--fail-above is '-1'"),
        ([*saved("platform-preview.json"), "--region", "Virginia"], "--region is 'Virginia'"),
        ([*saved("platform-preview.json"), "--usage", "none.yaml"], "none.yaml: No such file"),
        (["--from", str(ROOT / "docs" / "images" / "demo.png")], "demo.png is no text"),
        (["production"], "unknown environment 'production'"),
        (["local-window", "--window"], "--window is given with the stack local-window"),
        (["local", *saved("platform-preview.json")], "ENV and --from are both given"),
    ],
)
def test_wrong_words_are_one_message(words: list[str], said: str) -> None:
    done = run(*words)
    assert isinstance(done.exception, UserError), done.output
    assert said in str(done.exception)


def test_a_thousand_resources_take_less_than_a_second() -> None:
    from benchmarks.plan import preview as thousand

    text = thousand(1000)
    began = time.process_time()
    found = price_plan(read(text), BOOK, now=NOW)
    assert time.process_time() - began < 1
    assert len(found.changes) == 1000
    assert found.after.monthly == found.before.monthly and found.after.monthly.high > 0


def test_pricing_loads_nothing_heavy() -> None:
    code = "import sys; import costs.plan; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"pydantic", "jinja2", "boto3", "yaml", "rich", "pulumi", "pulumi_aws"}


def test_an_environment_is_previewed_by_its_own_engine(tmp_path: Path) -> None:
    from localcloud import supervisor

    variables = {**os.environ, "SHOESTRING_HOME": str(tmp_path / "home")}

    def shoestring(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "shoestring.cli", *words],
            cwd=ROOT,
            env=variables,
            text=True,
            capture_output=True,
            timeout=200,
        )

    try:
        assert shoestring("setup").returncode == 0
        done = shoestring("cost", "plan", "local", "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["complete"] is True and found["stacks"][0]["stack"] == "local"
        assert Decimal(found["after"]["idle_usd"]["high"]) < 10
        assert found["before"]["monthly_usd"]["high"] == "0"  # nothing is up
        assert "preview of local" in done.stderr
        early = shoestring("cost", "plan", "local-window")
        assert early.returncode == 1 and "the platform local is not up" in early.stderr
        assert "Traceback" not in early.stderr
    finally:
        supervisor.down(tmp_path / "home")
