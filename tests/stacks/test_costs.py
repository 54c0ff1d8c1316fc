"""One book: what components say they cost is what the plan says, and one price that changes moves every figure."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import base
from components.mlflow_server import MlflowServer, MlflowServerArgs
from components.network import Network, NetworkArgs
from costs.amounts import cents
from costs.book import prices
from costs.book.comparison import compare
from costs.book.prices import PriceBook
from costs.plan.charges import Basis
from costs.plan.plan import Plan, price_plan, price_resources
from costs.plan.preview import PlannedResource, Preview
from costs.report import unit_costs
from costs.report.explorer import BilledRow
from costs.report.sizing import MachineUse, machine
from localcloud.meter.ledger import Stretch
from localcloud.meter.rate import Rater
from localcloud.sagemaker.spot import Spot
from policies.budget.limits import MONTHLY_BUDGET
from policies.rule import Context, Stack, declare
from shoestring.base.paths import ROOT
from tests.stacks.test_programs import PROGRAMS, both, platform, start

REGION = "us-east-1"
BOOK = PriceBook.load()
README = (ROOT / "README.md").read_text()
NANO = "ec2,t4g.nano,us-east-1,hour,0.0042,"


@pytest.fixture(autouse=True)
def shipped_prices_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was refreshed on this machine is left out."""
    monkeypatch.setattr(base, "_book", lambda: BOOK)


def declared(world: Any, stack: str) -> list[PlannedResource]:
    """What a program registered, as a preview has it."""
    return [
        PlannedResource(f"urn:pulumi:{stack}::project::{each.type}::{each.name}", each.type, each.name, each.inputs,
                        custom=not each.type.startswith("shoestring:"))
        for each in world.all if each.type.startswith(("aws:", "shoestring:"))
    ]  # fmt: skip


def planned(world: Any, stack: str, book: PriceBook = BOOK) -> Plan:
    """The plan of a program that ran on the mocks."""
    resources = tuple(declared(world, stack))
    return price_plan(Preview("preview", stack, "project", {"aws:region": REGION}, resources), book)


@both
def test_a_component_costs_what_the_plan_says(run: Any, name: str) -> None:
    """Each by itself: its own children, priced among all resources of the program."""
    world, stack = start(run, name), PROGRAMS[name][0]
    costs = {(cost.type, cost.name): cost for cost in price_resources(declared(world, stack), REGION, BOOK)}
    components = [each for each in world.all if each.type.startswith("shoestring:")]
    assert components
    for component in components:
        end = f"{component.type}::{component.name}"
        (outputs,) = (found for urn, found in world.outputs.items() if urn.endswith(end))
        children = [each for each in world.all if each.parent.endswith(end) and each.type.startswith("aws:")]
        own = [costs[each.type, each.name] for each in (component, *children)]
        assert Decimal(outputs["monthly_usd"]) == sum(cost.idle.high for cost in own), component.name
        assert Decimal(outputs.get("worst_case_usd", 0)) == sum(cost.run.high for cost in own), component.name


def test_a_child_that_the_caller_changes_costs_what_it_became(run: Any) -> None:
    """By the caller's own transformation, with a class of the SDK in the place of a dictionary."""
    from pulumi_aws.ec2 import LaunchTemplateBlockDeviceMappingArgs, LaunchTemplateBlockDeviceMappingEbsArgs

    def larger(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.endswith(":LaunchTemplate"):
            return None
        disk = LaunchTemplateBlockDeviceMappingEbsArgs(volume_size=100, volume_type="gp3")
        mapping = LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvda", ebs=disk)
        return pulumi.ResourceTransformationResult({**args.props, "block_device_mappings": [mapping]}, args.opts)

    seen: list[str | None] = []

    def program() -> None:
        network = Network("n", NetworkArgs(region=REGION, zones=("us-east-1a",)))
        for name, opts in (("a", None), ("b", pulumi.ResourceOptions(transformations=[larger]))):
            arguments = MlflowServerArgs(
                vpc_id=network.vpc_id, subnet_ids=network.subnet_ids, private_ip="10.20.0.10",
                bucket="bucket", region=REGION,
                package=Path(__file__),
            )  # fmt: skip
            seen.append(MlflowServer(name, arguments, opts).monthly_usd)

    run(program)
    plain, changed = (Decimal(usd or "NaN") for usd in seen)
    assert changed - plain == (100 - 8) * BOOK.price("ebs", "gp3").usd


def test_a_price_that_is_missing_is_a_warning_that_names_it(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = PriceBook(price for price in BOOK if price.item != "t4g.nano")
    monkeypatch.setattr(base, "_book", lambda: lacking)
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_: said.append(text))
    world = start(run, "platform")
    assert "idle_monthly_usd" not in world.exports
    (warning,) = said
    assert (
        warning.startswith("what shoestring-dev-mlflow costs is not known: ") and "ec2 t4g.nano in us-east-1" in warning
    )


def test_one_wrong_price_is_one_line_to_mend(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten cents more an hour for a t4g.nano, in one line of the table: every figure that it is part of is $73 more."""
    text = prices.TABLE.read_text()
    assert text.count(NANO) == 1
    table = tmp_path / "prices.csv"
    table.write_text(text.replace(NANO, NANO.replace("0.0042", "0.1042")))
    wrong, more = PriceBook.load(table), Decimal(73)

    facts = {"type": "t4g.nano", "public": False, "spot": False, "on_demand": True}
    ran = Stretch("instance", "i", 1000.0, 1000.0 + 730 * 3600, facts, {}, final=True)

    def figures(book: PriceBook) -> dict[str, Decimal]:
        monkeypatch.setattr(base, "_book", lambda: book)
        world = start(run, "platform")
        (mlflow,) = (found for urn, found in world.outputs.items() if urn.endswith("::shoestring-dev-mlflow"))
        plan = planned(world, "dev", book)
        context = Context(config={**MONTHLY_BUDGET.defaults, "limits": {"dev": 1}}, book=book)
        stack = Stack([declare(each.type, each.name, **each.inputs) for each in declared(world, "dev")])
        (refusal,) = MONTHLY_BUDGET.check_stack(stack, context)
        hours = BilledRow(
            date(2026, 11, 16), (unit_costs.SPOT, "t4g.nano"), *map(Decimal, ("1", "1", "730")), "Hrs", False
        )
        micro = MachineUse("m", "t4g.micro", False, 240, Decimal(1), Decimal(1), Decimal(1), None, "{size}", "")
        advice = machine(micro, REGION, book).advice
        (shown,) = (row for row in compare(book, "t4g.nano", [REGION], date(2026, 6, 1)) if row.name == "EC2")
        return {
            "component": Decimal(mlflow["monthly_usd"]),
            "platform": Decimal(world.exports["idle_monthly_usd"]),
            "plan": plan.after.idle.high,
            "policy": Decimal(re.search(r"costs up to \$([\d.]+)", refusal.message)[1]),  # type: ignore[index]
            "report": unit_costs.spot((), [hours], REGION, book).on_demand_usd,
            "right-sizing": -(advice.saves.high if advice else Decimal(0)),
            "prices show": shown.high * 730,
            "meter": sum(line.cost or Decimal(0) for line in Rater(book, Spot()).lines(ran, 0)),
        }

    right, moved = figures(BOOK), figures(wrong)
    assert right.pop("right-sizing") < 0 == moved.pop("right-sizing"), "a machine that is dearer is no advice"
    assert {name: moved[name] - usd for name, usd in right.items()} == dict.fromkeys(right, more)


def test_the_readme_says_what_the_programs_cost(run: Any) -> None:
    rows = dict(re.findall(r"^\| (.+?) \| \**(\d+\.\d\d)\** \|$", README, re.M))
    plan = planned(start(run, "platform"), "dev")
    standing = [charge for cost in plan.changes if cost.after for charge in cost.after.charges if charge.usd.high]
    standing = [charge for charge in standing if charge.basis is Basis.MONTH]
    total = rows.pop("**the platform, idle**")
    assert sorted(Decimal(usd) for usd in rows.values()) == sorted(cents(charge.usd.high) for charge in standing)
    for charge in standing:
        unit = f"at {charge.price.usd.normalize():f}"
        assert any(row.endswith(unit) or charge.price.unit == "month" for row in rows), unit
    assert total == str(cents(plan.after.idle.high)) and f"costs {total} dollars a month while idle" in README

    def idle(**settings: object) -> Decimal:
        return Decimal(run(platform("dev", **settings)).exports["idle_monthly_usd"])

    assert f"A t4g.micro adds {idle(mlflow={'instanceType': 't4g.micro'}) - idle()} " in README
    assert f"in the place of SQLite adds {idle(mlflow={'database': 'postgres'}) - idle()}," in README
