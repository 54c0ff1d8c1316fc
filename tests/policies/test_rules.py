"""Every rule by its own examples: one that fails, one that passes, and what a denial says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from costs.book.prices import PriceBook
from policies.catalog import GROUPS, RULES, by_name
from policies.money import priced
from policies.rule import Context, Earlier, Resource, Rule, Stack, Violation, messages
from policies.safety.encryption import ENCRYPTED_STORAGE

BOOK = PriceBook.load()
CONFIG = Path(__file__).parents[2] / "policies" / "config"
ids = [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_failing_example_is_refused_with_what_to_change(rule: Rule):
    refusals = messages(rule, rule.fails, BOOK)
    assert refusals
    for message in refusals:
        assert "change: " in message or "mend it: " in message
        assert (
            any(resource.name in message for resource in rule.fails.resources)
            or "the stack" in message
            or (f"window {rule.fails.stack}" in message or f"cost of {rule.fails.stack}" in message)
        )


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_passing_example_passes(rule: Rule):
    assert messages(rule, rule.passes, BOOK) == []


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.group in ("budget", "waste")], ids=lambda rule: rule.name
)
def test_denials_about_money_say_what_it_costs(rule: Rule):
    [first, *_] = messages(rule, rule.fails, BOOK)
    cost = re.search(r"  cost: (.+)", first)
    assert cost
    spoken = {"unpriced-resources", "ephemeral-lease", "training-bounds"}  # unknown, hours, and time
    assert rule.name in spoken or re.search(r"\$\d+\.\d+", cost[1]), cost[1]


def test_names_and_groups():
    assert len(set(ids)) == len(ids) >= 30
    assert list(GROUPS) == ["tags", "budget", "waste", "safety"]
    for group, rules in GROUPS.items():
        for rule in rules:
            assert rule.group == group
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+|imdsv2", rule.name)
            assert (rule.check is None) != (rule.check_stack is None)


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_configuration_has_a_schema_with_a_default_of_its_type(rule: Rule):
    kinds = {"array": list, "object": dict, "number": (int, float), "string": str, "boolean": bool}
    for key, schema in rule.config.items():
        assert isinstance(schema["default"], kinds[schema["type"]]), key
        assert schema["description"].endswith(".")
    json.dumps(dict(rule.config))


@pytest.mark.parametrize("rule", RULES, ids=ids)
def test_prices_in_words_are_in_the_price_book(rule: Rule):
    for words in (rule.why, rule.change):
        assert "{" not in priced(words, BOOK).replace('tags={"', "")


def test_prices_in_words():
    book = BOOK
    assert priced("{vpc nat-gateway}", book) == "$32.85 a month"
    assert priced("{s3 standard-storage x100}", book) == "$2.30"
    assert priced("{s3 standard-storage}", book) == "$0.023 for each GB-month"


def test_a_configuration_by_environment_has_a_default():
    config = {"limits": {"dev": 1, "default": 2}}
    assert Context(stack="dev-window", config=config).here("limits") == 1
    assert Context(stack="prod", config=config).here("limits") == 2
    assert Context(stack="prod", config={"limits": "nonsense"}).here("limits") is None


def test_a_message_names_resource_property_value_rule_and_change():
    violation = Violation("encrypted", False, "encrypted=True", "nothing")
    refusals = ENCRYPTED_STORAGE.message(violation, Resource("aws:ebs/volume:Volume", "data", {}))
    assert refusals.splitlines() == [
        "data (aws:ebs/volume:Volume): encrypted is False",
        "  consequence: nothing",
        "  change: encrypted=True",
        "  explained by: shoestring policies explain encrypted-storage",
    ]


def test_a_reference_is_found_by_data_flow_by_name_or_may_be():
    bucket = Resource("b", "models", {"bucket": "models"}, "urn:models")
    other = Resource("b", "other", {"bucket": "other"}, "urn:other")
    stack = Stack([bucket, other])

    def covered(value, *urns):
        return [
            target.name
            for target in (bucket, other)
            if stack.covers(
                Resource("c", "c", {"bucket": value}, "", False, None, {"bucket": urns}), "bucket", target, ("bucket",)
            )
        ]

    from policies.values import UNKNOWN

    assert covered(UNKNOWN, "urn:models") == ["models"]
    assert covered("models") == ["models"]
    assert covered(UNKNOWN) == ["models", "other"]
    assert covered(None) == []
    assert Earlier().resources is None


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.json")), ids=lambda path: path.name)
def test_configurations_that_come_with_the_pack_fit_its_rules(path):
    rules = by_name()
    for name, value in json.loads(path.read_text()).items():
        values = {"enforcementLevel": value} if isinstance(value, str) else dict(value)
        assert values.pop("enforcementLevel", "mandatory") in ("mandatory", "advisory", "remediate", "disabled")
        assert values.keys() <= rules[name].config.keys(), name


def test_two_configurations_come_with_the_pack():
    assert {path.stem for path in CONFIG.glob("*.json")} == {"dev", "prod"}
