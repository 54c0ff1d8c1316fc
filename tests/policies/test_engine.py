"""The pack on the real engine: each group refuses a program and lets a clean one pass; levels, remediation, state.

A component of an AWS type stands for the resource: the engine asks the pack about components too, and no provider
plugin is needed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import hears_ctrl_c

PACK = str(Path(__file__).parents[2] / "policies")
TAGS = {
    "Project": "churn", "Environment": "dev", "Team": "ml", "Owner": "you@example.com", "CostCenter": "42",
    "ManagedBy": "pulumi",
}  # fmt: skip
INSTANCE = "aws:ec2/instance:Instance"


def program(*resources):
    lines = ["import pulumi", f"TAGS = {TAGS!r}"]
    for number, (kind, props) in enumerate(resources):
        lines.append(f"pulumi.ComponentResource({kind!r}, 'thing-{number}', {{'tags': TAGS, **{props!r}}})")
    return "\n".join([*lines, "pulumi.export('done', True)", ""])


def server(kind, **props):
    disk = {"encrypted": True, "volumeType": "gp3", "volumeSize": 8, "tags": TAGS}
    return INSTANCE, {
        "ami": "ami-1", "instanceType": kind, "metadataOptions": {"httpTokens": "required"}, "rootBlockDevice": disk,
        "associatePublicIpAddress": False, **props,
    }  # fmt: skip


CLEAN = program(server("t4g.nano"), ("aws:cloudwatch/logGroup:LogGroup", {"name": "x", "retentionInDays": 14}))
REFUSED = {
    "tags": (program(("aws:ec2/vpc:Vpc", {"tags": {"Team": "ml"}})), "cost-tags", "Owner, CostCenter missing"),
    "budget": (program(server("m7g.large")), "monthly-budget", "its limit is $15.00"),
    "waste": (program(("aws:ec2/natGateway:NatGateway", {"subnetId": "subnet-1"})), "nat-gateways", "$33.30 a month"),
    "safety": (
        program(("aws:ec2/securityGroup:SecurityGroup", {"ingress": [
            {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}]})),
        "open-ports", "ingress[0].cidr_blocks, for port 22, is '0.0.0.0/0'",
    ),
}  # fmt: skip


@pytest.fixture
def dev(project):
    """A project whose stack is an environment's."""

    def make(text):
        made = project(text)
        made.pulumi("stack", "init", "dev")
        return made

    return make


@pytest.mark.parametrize("group", REFUSED)
def test_each_group_refuses_and_lets_pass(dev, group):
    text, rule, words = REFUSED[group]
    sample = dev(text)
    output = sample.pulumi("up", "--yes", "--policy-pack", PACK, code=1)
    assert rule in output and words in output
    assert "change: " in output or "mend it: " in output
    assert "[mandatory]" in output and "Traceback" not in output
    assert json.loads(sample.pulumi("stack", "output", "--json")) == {}
    sample.write(CLEAN)
    output = sample.pulumi("preview", "--policy-pack", PACK)
    assert "[mandatory]" not in output and "[advisory]" not in output and "[remediate]" not in output, output


def test_levels_and_configuration_are_pulumis_own(dev):
    sample = dev(program(("aws:ec2/natGateway:NatGateway", {"subnetId": "subnet-1"})))
    config = sample.folder / "policies.json"
    words = ("preview", "--policy-pack", PACK, "--policy-pack-config", str(config))
    high = {"monthly-budget": {"limits": {"default": 100}}}
    for level, code in (("mandatory", 1), ("advisory", 0), ("disabled", 0)):
        config.write_text(json.dumps({"nat-gateways": level, **high}))
        output = sample.pulumi(*words, code=code)
        assert ("nat-gateways" in output) is (level != "disabled"), output
        assert ("[advisory]" in output) is (level == "advisory")
    config.write_text(json.dumps({"all": "disabled"}))
    assert "nat-gateways" not in sample.pulumi(*words)
    config.write_text(json.dumps({"monthly-budget": {"limits": "a lot"}}))
    assert "monthly-budget" in sample.pulumi(*words, code=1), "the engine holds it against the rule's schema"


def test_remediation_completes_tags_and_changes_nothing_the_second_time(dev):
    sample = dev("import pulumi\npulumi.ComponentResource('aws:ec2/vpc:Vpc', 'thing', {'cidrBlock': '10.0.0.0/16'})\n")
    output = sample.pulumi("preview", "--policy-pack", PACK, code=1)
    assert "Team, Owner, CostCenter missing" in output and "Project" not in output.partition("lacks cost tags")[2]
    for key, value in (("team", "ml"), ("owner", "you@example.com"), ("costCenter", "42")):
        sample.pulumi("config", "set", f"shoestring:{key}", value)
    sample.pulumi("up", "--yes", "--policy-pack", PACK)
    state = json.loads(sample.pulumi("stack", "export"))
    [vpc] = [one for one in state["deployment"]["resources"] if one["type"].endswith(":Vpc")]
    assert vpc["inputs"]["tags"] == {**TAGS, "Project": "sample"}
    assert vpc["inputs"]["cidrBlock"] == "10.0.0.0/16"
    sample.pulumi("up", "--yes", "--policy-pack", PACK, "--expect-no-changes")


def test_a_change_that_costs_much_more_needs_an_override(dev):
    sample = dev(program(server("t4g.nano")))
    sample.pulumi("up", "--yes", "--policy-pack", PACK)
    sample.pulumi("config", "set", "--path", "shoestring:budget.monthlyUsd", "100")
    sample.pulumi("config", "set", "--path", "shoestring:budget.windowUsd", "100")
    override = {"shoestring:cost-override": "30 you@example.com four people at once"}
    sample.write(program(server("t4g.medium")))
    for how in ((), ("--skip-preview",)):
        output = sample.pulumi("up", "--yes", "--policy-pack", PACK, *how, code=1)
        assert "cost-increase" in output and "from $3.71 to $25.17" in output, output
        assert 'pulumi config set shoestring:costOverride "26 you@example.com why" --stack dev' in output
        if not how:
            assert "t4g.nano" in sample.pulumi("stack", "export")
    sample.write(program(server("t4g.nano")))
    sample.pulumi("up", "--yes", "--skip-preview")
    sample.write(program(server("t4g.medium")))
    sample.environment["PULUMI_BACKEND_URL"] += "?no_tmp_dir=true"  # which the pack leaves to pulumi stack export
    assert "from $3.71 to $25.17" in sample.pulumi("preview", "-s", "dev", "--policy-pack", PACK, code=1)
    sample.environment["PULUMI_BACKEND_URL"] = sample.environment["PULUMI_BACKEND_URL"].partition("?")[0]
    sample.write(program(server("t4g.medium", tags={**TAGS, **override})))
    sample.pulumi("up", "--yes", "--skip-preview", "--policy-pack", PACK)
    assert '"30 you@example.com four people at once"' in sample.pulumi("stack", "export"), "recorded"


def left_behind(sample):
    """The processes of a project that still run."""
    left = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PULUMI_HOME") == sample.environment["PULUMI_HOME"]:
                left.append(process.cmdline())
        except psutil.Error:
            continue  # ended meanwhile, or another user's
    return left


def test_the_pack_leaves_no_process_behind(dev):
    sample = dev(CLEAN)
    sample.pulumi("preview", "--policy-pack", PACK)
    assert left_behind(sample) == []


WAITS = """
import asyncio, pathlib, pulumi
pulumi.ComponentResource("aws:ec2/route:Route", "thing", {}).urn.apply(lambda _: pathlib.Path(READY).touch())
pulumi.export("late", pulumi.Output.from_input(asyncio.sleep(60)))
"""


def test_ctrl_c_ends_a_preview_and_its_pack_in_silence(dev, tmp_path):
    ready = tmp_path / "ready"
    sample = dev(WAITS.replace("READY", repr(str(ready))))
    preview = subprocess.Popen(
        ["pulumi", "preview", "--policy-pack", PACK, "--non-interactive", "--color", "never"], cwd=sample.folder,
        env=sample.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        preexec_fn=hears_ctrl_c,
    )  # fmt: skip
    try:
        for _ in range(600):
            if ready.exists() or preview.poll() is not None:
                break
            time.sleep(0.1)
        os.killpg(preview.pid, signal.SIGINT)
        output = preview.communicate(timeout=30)[0]
    finally:
        preview.kill()
    assert ready.exists(), output
    assert preview.returncode != 0
    assert "Traceback" not in output and "exited prematurely" not in output, output
    assert left_behind(sample) == []
