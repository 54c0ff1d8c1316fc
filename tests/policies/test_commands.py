"""`shoestring policies`: the rules, what each says, and its examples judged."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from policies import catalog
from policies.catalog import RULES
from shoestring.base.errors import UserError
from shoestring.commands.policies import app


def run(*words, code=0):
    done = CliRunner().invoke(app, list(words))
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def test_list():
    shown = run("list")
    assert [line for line in shown.splitlines() if not line.startswith(" ")] == ["tags", "budget", "waste", "safety"]
    facts = json.loads(run("list", "--json"))
    assert [fact["name"] for fact in facts] == [rule.name for rule in RULES]
    assert facts[0]["level"] == "remediate" and facts[0]["config"]["required"][0] == "Project"
    assert all(rule.description in shown for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_explain(rule):
    shown = run("explain", rule.name)
    assert rule.description in shown and "This fails" in shown and "This passes" in shown
    assert json.loads(run("explain", rule.name, "--json"))["name"] == rule.name


def test_unknown_rule():
    with pytest.raises(UserError, match="there is no rule 'nat-gateway'") as refused:
        run("explain", "nat-gateway")
    assert "nat-gateways" in refused.value.expected and refused.value.mend == "shoestring policies list"


def test_examples_are_judged():
    shown = run("test")
    assert f"{2 * len(RULES)} examples of {len(RULES)} rules, 0 rule(s) wrong" in shown
    assert json.loads(run("test", "imdsv2", "--json"))[0]["good"] is True


def test_an_example_that_does_not_hold_fails(monkeypatch):
    rule = next(rule for rule in RULES if rule.name == "imdsv2")
    for wrong, words in (
        (replace(rule, passes=rule.fails), "http_tokens"),
        (replace(rule, fails=rule.passes), "passes"),
    ):
        monkeypatch.setattr(catalog, "RULES", (wrong,))
        shown = run("test", code=1)
        assert "FAIL  imdsv2" in shown and words in shown and "1 rule(s) wrong" in shown
