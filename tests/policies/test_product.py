"""The product's own stacks break no rule, at any level, in any environment."""

from __future__ import annotations

from functools import partial

import pytest
from pulumi.runtime import mocks
from pulumi.runtime.proto import analyzer_pb2

from policies.catalog import RULES
from policies.rule import Earlier
from policies.server import Pack
from stacks import platform_stack, settings, window
from tests.stacks import conftest as stacks

run, no_building = stacks.run, stacks.no_building  # fixtures
OWNER = {"shoestring:owner": "you@example.com", "aws:region": "us-east-1"}


class NoState:
    """The stack's earlier state: none."""

    def of(self, *_):
        pass

    def start(self, wait):
        pass

    def earlier(self):
        return Earlier()

    def came_up(self):
        return False


@pytest.fixture
def requests(monkeypatch):
    """What the program asked the engine for, as it asked."""
    kept = []

    class Kept(stacks.Registered):
        def __init__(self, request):
            super().__init__(request)
            kept.append(request)

    monkeypatch.setattr(stacks, "Registered", Kept)
    return kept


def judge(requests, stack, config):
    """Every violation that the pack reports, at any level."""
    pack = Pack(RULES, NoState())
    pack.ConfigureStack(
        analyzer_pb2.AnalyzerStackConfigureRequest(stack=stack, project="shoestring", dry_run=True, config=config)
    )
    diagnostics, whole = [], analyzer_pb2.AnalyzeStackRequest()
    for request in requests:
        urn = mocks.MockMonitor.make_urn(None, request.parent, request.type, request.name)  # type: ignore[arg-type]
        options = analyzer_pb2.AnalyzerResourceOptions(protect=request.protect)
        asked = analyzer_pb2.AnalyzeRequest(
            type=request.type, name=request.name, urn=urn, properties=request.object, options=options
        )
        assert not pack.Remediate(asked).remediations, f"{urn} would be changed"
        diagnostics += pack.Analyze(asked).diagnostics
        resource = whole.resources.add(
            type=request.type, name=request.name, urn=urn, properties=request.object, options=options
        )
        for prop, urns in request.propertyDependencies.items():
            resource.propertyDependencies[prop].urns.extend(urns.urns)
    diagnostics += pack.AnalyzeStack(whole).diagnostics
    assert len(whole.resources) > 5
    return [f"{diagnostic.policyName}: {diagnostic.message}" for diagnostic in diagnostics]


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("environment", ["local", "dev", "staging", "prod"])
def test_platform(run, requests, environment, preview):
    config = {**OWNER, "shoestring:jobLogs": "true"}
    build = partial(platform_stack.build, settings.read(environment, config))
    run(build, stack=environment, preview=preview)
    refusals = judge(requests, environment, config)
    assert refusals == [], "\n".join(refusals)


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("environment", ["local", "dev", "staging", "prod"])
def test_window(run, requests, environment, preview):
    stack = f"{environment}-window"
    build = partial(window.build, settings.read(stack, OWNER))
    run(build, stack=stack, preview=preview, stacks={environment: stacks.PLATFORM})
    assert judge(requests, stack, OWNER) == []


def test_platform_with_everything_that_it_can_have(run, requests):
    config = {
        **OWNER,
        "shoestring:mlflow": '{"instanceType": "t4g.micro", "database": "postgres", "spot": true}',
        "shoestring:budget": '{"monthlyUsd": 40}',
    }
    read = {key: value for key, value in config.items() if key != "shoestring:budget"}
    run(partial(platform_stack.build, settings.read("prod", read)), stack="prod")
    assert judge(requests, "prod", config) == []
