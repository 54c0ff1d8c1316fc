"""The docs of the rules are those of the rules, and their examples are programs."""

from __future__ import annotations

import asyncio
import json

import pulumi
import pytest
from pulumi.runtime import mocks, settings

from policies.catalog import RULES
from policies.docs import COMMAND, FOLDER, pages
from policies.snippets import program
from policies.values import UNKNOWN

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK's own modules
EXAMPLES = [(rule.name, example) for rule in RULES for example in (rule.fails, rule.passes)]


def test_pages_are_those_of_the_rules():
    for name, text in pages().items():
        assert (FOLDER / name).read_text() == text, f"docs/policies/{name} is older than the rules: {COMMAND}"
    assert {path.name for path in FOLDER.glob("*.md")} == set(pages())


class Account(mocks.Mocks):
    def __init__(self):
        self.made = {}

    def new_resource(self, args):
        self.made[args.name] = args.typ, args.inputs
        return f"{args.name}-id", args.inputs

    def call(self, args):
        return {}


def whole(value):
    """Numbers as they were written: the mocks hand on floats."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def run(text):
    account = Account()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        mocks.set_mocks(account, project="shoestring", stack="dev")
        settings.set_root_resource(None)
        settings.SETTINGS.rpc_manager.clear()
        settings.SETTINGS.outputs.clear()

        def build():
            exec(compile(text, "example", "exec"), {})

        loop.run_until_complete(pulumi.runtime.run_in_stack(build))
    finally:
        loop.close()
        asyncio.set_event_loop(asyncio.new_event_loop())
    return account.made


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{n}-{i % 2}" for i, (n, _) in enumerate(EXAMPLES)])
def test_examples_are_programs_that_ask_for_exactly_this(name, example):
    for resources in filter(None, (example.resources, example.before)):
        made = run(program(resources))
        for resource in resources:
            kind, inputs = made[resource.name]
            assert kind == resource.type
            wanted = {key: value for key, value in resource.props.items() if value is not UNKNOWN}
            got = {key: value for key, value in whole(inputs).items() if key in wanted}
            for key, value in wanted.items():
                if isinstance(value, str) and value.startswith("{"):
                    wanted[key], got[key] = json.loads(value), json.loads(got[key])
            assert got == wanted
