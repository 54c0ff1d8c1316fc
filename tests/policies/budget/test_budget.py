"""Budget rules by hand: sums from the price book, limits by environment and stack, growth, overrides, and no state."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from costs.amounts import dollars
from costs.book.prices import PriceBook
from policies.budget.growth import COST_INCREASE
from policies.budget.limits import MONTHLY_BUDGET, WINDOW_BUDGET
from policies.budget.unpriced import UNPRICED_RESOURCES
from policies.rule import Context, Earlier, Stack, declare
from policies.state import State
from policies.values import UNKNOWN
from shoestring.base.names import OVERRIDE_TAG as OVERRIDE

BOOK = PriceBook.load()
INSTANCE, JOB, VOLUME = "aws:ec2/instance:Instance", "aws:sagemaker/trainingJob:TrainingJob", "aws:ebs/volume:Volume"


def judge(rule, *resources, before=None, came_up=True, problem="", **given):
    earlier = None if before is None else [resource.planned() for resource in before]
    context = Context(
        config={**rule.defaults, **given.pop("config", {})}, book=BOOK, earlier=lambda: Earlier(earlier, problem),
        came_up=lambda: came_up, **given,
    )  # fmt: skip
    return list(rule.check_stack(Stack(resources), context))


def volume(size, name="data", **tags):
    return declare(VOLUME, name, type="gp3", size=size, tags=tags)


def job(kind="ml.g4dn.xlarge", count=4, seconds=7000, **props):
    return declare(
        JOB, "churn", resourceConfig={"instanceType": kind, "instanceCount": count, "volumeSizeInGb": 30},
        stoppingCondition={"maxRuntimeInSeconds": seconds}, enableManagedSpotTraining=True,
        tags={"shoestring:lease": "2099-01-31T18:00:00Z"}, **props,
    )  # fmt: skip


def test_monthly_cost_is_the_sum_of_list_prices():
    [violation] = judge(MONTHLY_BUDGET, volume(200), volume(100, "more"))
    wanted = Decimal(300) * BOOK.price("ebs", "gp3").usd
    assert wanted == 24
    assert f"costs up to {dollars(wanted)} a month, its limit is $15.00" in violation.message
    assert "data (aws:ebs/volume:Volume) $16.00" in violation.message, "the largest first"
    assert "--path shoestring:budget.monthlyUsd 24 --stack dev" in violation.message
    assert judge(MONTHLY_BUDGET, volume(187)) == []


def test_limits_follow_environment_and_stack():
    assert judge(MONTHLY_BUDGET, volume(600), stack="prod") == []
    assert judge(MONTHLY_BUDGET, volume(300), stack="elsewhere") == []
    own = {"shoestring:budget": json.dumps({"monthlyUsd": 5})}
    [violation] = judge(MONTHLY_BUDGET, volume(100), stack="prod", settings=own)
    assert (
        "its limit is $5.00" in violation.message and "limit: shoestring:budget.monthlyUsd of prod" in violation.message
    )
    assert judge(MONTHLY_BUDGET, volume(300), config={"limits": {"dev": 30}}) == []
    for broken in ("{", "[]", '{"monthlyUsd": "x"}'):
        assert judge(MONTHLY_BUDGET, volume(200), settings={"shoestring:budget": broken}), "the pack's limit holds"


def test_an_unknown_value_counts_with_its_upper_end():
    [violation] = judge(MONTHLY_BUDGET, declare(INSTANCE, "server", instanceType=UNKNOWN))
    dearest = max(BOOK.price("ec2", item).usd for item in BOOK.items("ec2", "us-east-1"))
    assert f"costs up to {dollars(dearest * 730)[:4]}" in violation.message


def test_a_windows_worst_case_is_the_price_on_demand():
    price = BOOK.price("sagemaker-training", "ml.g4dn.xlarge").usd
    run = price * 4 * 7000 / 3600
    assert dollars(run) == "$5.73"
    assert judge(WINDOW_BUDGET, job(), stack="dev-window") == []
    whole, single = judge(WINDOW_BUDGET, job(seconds=36000), stack="dev-window")
    disks = BOOK.price("sagemaker", "training-storage").usd * 4 * 30 * 10 / 730
    total = price * 4 * 10 + disks
    assert f"the window dev-window costs up to {dollars(total)}, its limit is $10.00" in whole.message
    assert f"costs up to {dollars(total)} a run, the limit of one job is $8.00" in single.message
    assert single.resource.name == "churn"
    own = {"shoestring:budget": json.dumps({"windowUsd": 5})}
    [violation] = judge(WINDOW_BUDGET, job(), stack="dev-window", settings=own)
    assert "its limit is $5.00" in violation.message


def test_what_stays_is_in_no_window_and_what_goes_in_no_month():
    assert judge(WINDOW_BUDGET, volume(10_000)) == []
    assert judge(MONTHLY_BUDGET, job(seconds=36000), stack="dev-window") == []


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [(50, 110, False), (50, 115, True), (500, 620, False), (500, 630, True), (115, 50, False), (100, 100, False)],
)
def test_growth_by_share_and_floor(before, after, refused):
    violations = judge(COST_INCREASE, volume(after), before=[volume(before)])
    assert bool(violations) is refused, "25 % and $5 a month, at $0.08 for each GB"


def test_growth_is_told_with_what_grew():
    [violation] = judge(COST_INCREASE, volume(500), volume(10, "same"), before=[volume(100), volume(10, "same")])
    assert "from $8.80 to $40.80 (+364 %)" in violation.message
    assert "$32.00 a month more; the largest: data (aws:ebs/volume:Volume) $8.00 → $40.00" in violation.message
    assert f'tags={{"{OVERRIDE}": "41 you@example.com why"}} on data' in violation.message


@pytest.mark.parametrize(
    ("tag", "good"),
    [
        ("41 you@example.com more data", True),
        ("40.00 you@example.com", True),
        ("39.99 you@example.com more data", False),
        ("you@example.com 41", False),
        ("41", False),
        ("41 somebody", False),
        (UNKNOWN, True),
    ],
)
def test_an_override_names_amount_and_person(tag, good):
    violations = judge(COST_INCREASE, volume(500, **{OVERRIDE: tag}), before=[volume(100)])
    assert bool(violations) is not good
    if violations:
        assert (
            f"data (aws:ebs/volume:Volume) has {tag!r}: expected 40 or more and an e-mail address"
            in violations[0].message
        )


def test_an_override_is_on_everything_that_grows():
    tagged = {OVERRIDE: "100 you@example.com why"}
    violations = judge(COST_INCREASE, volume(500, **tagged), volume(200, "new"), before=[volume(100)])
    assert violations and "on new" in violations[0].message
    assert judge(COST_INCREASE, volume(500, **tagged), volume(200, "new", **tagged), before=[volume(100)]) == []


def test_no_state_is_no_growth_and_a_state_that_cannot_be_read_is_said():
    assert judge(COST_INCREASE, volume(500)) == []
    assert judge(COST_INCREASE, volume(500), before=[volume(1)], came_up=False) == [], "only failed updates so far"
    [violation] = judge(COST_INCREASE, volume(500), problem="access denied")
    assert (
        violation.level == "advisory"
        and "could not be compared with the one before: access denied" in violation.message
    )


def test_what_has_no_price_is_listed():
    [violation] = judge(UNPRICED_RESOURCES, volume(1), declare(INSTANCE, "odd", instanceType="z9.huge"))
    assert (
        "odd" in violation.message
        and "z9.huge" in violation.message
        and "shoestring prices refresh --region" in violation.message
    )
    assert judge(UNPRICED_RESOURCES, volume(1)) == []


class Commands(State):
    """A state whose backend answers with what a test says."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers

    def _command(self, *words):
        answer = self.answers[words[1]]
        if isinstance(answer, Exception):
            raise answer
        return answer


def updates(*kinds):
    return json.dumps([{"kind": kind, "result": result} for kind, result in kinds])


@pytest.mark.parametrize(
    ("history", "came_up"),
    [
        (updates(("update", "failed"), ("update", "succeeded")), True),
        (updates(("update", "failed")), False),
        (updates(("update", "failed"), ("destroy", "succeeded"), ("update", "succeeded")), False),
        (updates(("refresh", "succeeded"), ("update", "succeeded")), True),
        ("[]", True),
        ("{", True),
        (ValueError("denied"), True),
    ],
)
def test_whether_the_stack_ever_came_up(history, came_up):
    assert Commands(history=history).came_up() is came_up


def exported(*resources):
    return json.dumps({"version": 3, "deployment": {"resources": list(resources)}})


def test_the_state_is_read_by_the_command_line(monkeypatch):
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    urn = "urn:pulumi:dev::churn::aws:ebs/volume:Volume::data"
    state = Commands(export=exported({"urn": urn, "type": VOLUME, "custom": True, "inputs": {"size": 3}}))
    state.of("", "churn", "dev")
    assert "not asked for" in state.earlier().problem
    state.start(wait=True)
    [resource] = state.earlier().resources
    assert resource.name == "data" and resource.inputs == {"size": 3}
    for answer, problem in ((exported(), ""), ("nonsense", "Expecting value"), (ValueError("denied"), "denied")):
        state = Commands(export=answer)
        state.start(wait=False)
        assert state.earlier().resources is None
        assert problem in state.earlier().problem and bool(problem) is bool(state.earlier().problem)


def test_a_folder_is_read_as_a_file(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    folder = tmp_path / ".pulumi" / "stacks" / "churn"
    folder.mkdir(parents=True)

    def earlier():
        state = Commands()
        state.of("", "churn", "dev")
        state.start(wait=True)
        return state.earlier()

    assert earlier() == Earlier(), "never updated"
    urn = "urn:pulumi:dev::churn::aws:ebs/volume:Volume::data"
    latest = {"resources": [{"urn": urn, "type": VOLUME, "custom": True, "inputs": {}}]}
    (folder / "dev.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}))
    assert [resource.name for resource in earlier().resources] == ["data"]
    (folder / "dev.json").write_text('{"version": 3, "check')
    assert earlier().resources is None and earlier().problem


def test_a_stack_is_priced_once():
    stack = Stack([volume(200)])
    context = Context(config=MONTHLY_BUDGET.defaults, book=BOOK)
    list(MONTHLY_BUDGET.check_stack(stack, context))
    first = stack.costs
    list(UNPRICED_RESOURCES.check_stack(stack, replace(context, config={})))
    assert stack.costs is first
