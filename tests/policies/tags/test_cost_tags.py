"""Resources without cost tags are refused, and so is what services would create without them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policies.rule import Context, Resource
from policies.tags.cost_tags import COST_TAGS, SETTINGS, check, remediate
from policies.values import UNKNOWN
from shoestring.base.names import LEASE_TAG as LEASE
from stacks.settings import PlatformSettings, WindowSettings

PACK = Path(__file__).parents[3] / "policies"
TAGS = {
    "Project": "shoestring",
    "Environment": "dev",
    "Team": "ml",
    "Owner": "owner@example.com",
    "CostCenter": "42",
    "ManagedBy": "pulumi",
}
VPC = "aws:ec2/vpc:Vpc"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "aws:autoscaling/group:Group"
INSTANCE = "aws:ec2/instance:Instance"
BATCH = "aws:batch/computeEnvironment:ComputeEnvironment"


def violations(token, props, stack="dev", config=None):
    context = Context(stack=stack, config={**COST_TAGS.defaults, **(config or {})})
    return [COST_TAGS.message(violation, None) for violation in check(Resource(token, "thing", props), context)]


def without(*keys):
    return {key: value for key, value in TAGS.items() if key not in keys}


def test_tagged_resource_passes():
    assert violations(VPC, {"tags": TAGS}) == []


def test_missing_keys_are_named_with_where_to_set_them():
    [message] = violations(VPC, {"tags": without("Team", "CostCenter")})
    assert "thing (aws:ec2/vpc:Vpc)" in message
    assert "tags: Team, CostCenter missing" in message
    assert "shoestring:team, shoestring:costCenter in Pulumi.dev.yaml or the argument named above" in message
    assert "Pulumi.dev.yaml" not in violations(VPC, {"tags": without("ManagedBy")})[0], "no setting of the stack"


def test_named_settings_exist():
    properties = {**PlatformSettings.model_fields, **WindowSettings.model_fields}
    names = {f"shoestring:{field.alias or name}" for name, field in properties.items()}
    assert set(SETTINGS.values()) <= names


@pytest.mark.parametrize(
    "props", [{}, {"tags": None}, {"tags": {}}, {"tagsAll": TAGS}, {"tags": dict.fromkeys(TAGS, "")}]
)
def test_no_tags_at_all_is_every_key(props):
    [message] = violations(VPC, props)
    assert ", ".join(TAGS) + " missing" in message


def test_types_without_tags_pass():
    assert violations("aws:ec2/route:Route", {}) == []
    assert violations("shoestring:tracking:MlflowServer", {}) == []


def test_type_that_the_sdk_does_not_know_is_judged_by_what_it_says():
    assert violations("aws:new/thing:Thing", {}) == []
    assert "Team missing" in violations("aws:new/thing:Thing", {"tags": without("Team")})[0]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("Environment", "test", "Environment is 'test', not one of local, dev, staging, prod"),
        ("ManagedBy", "hand", "ManagedBy is 'hand', not one of pulumi"),
        ("Owner", "somebody", "Owner is 'somebody', not an e-mail address"),
    ],
)
def test_wrong_value_is_refused(key, value, says):
    assert says in violations(VPC, {"tags": {**TAGS, key: value}})[0]


def test_window_resources_carry_a_lease():
    assert f"{LEASE} missing" in violations(VPC, {"tags": TAGS}, stack="dev-window")[0]
    assert "not a UTC time" in violations(VPC, {"tags": {**TAGS, LEASE: "tomorrow"}}, stack="dev-window")[0]
    for lease in ("2026-01-31T18:00:00Z", "2026-01-31T18:00:00+00:00"):
        assert violations(VPC, {"tags": {**TAGS, LEASE: lease}}, stack="dev-window") == []


def test_unknown_values_pass_until_they_are_known():
    assert violations(VPC, {"tags": UNKNOWN}) == []
    assert violations(VPC, {"tags": {**TAGS, "Owner": UNKNOWN}}) == []
    assert "Team missing" in violations(VPC, {"tags": {**without("Team"), "Owner": UNKNOWN}})[0]
    assert violations(TEMPLATE, {"tags": TAGS, "tagSpecifications": UNKNOWN}) == []
    assert violations(GROUP, {"tags": [{"key": "Team", "value": "a", "propagateAtLaunch": UNKNOWN}]}) == []
    assert violations(GROUP, {"tags": [UNKNOWN]}) == []
    assert violations(INSTANCE, {"tags": TAGS, "launchTemplate": UNKNOWN}) == []
    assert violations(BATCH, {"tags": TAGS, "computeResources": UNKNOWN}) == []


def test_launch_template_tags_what_it_launches():
    message = violations(TEMPLATE, {"tags": TAGS})[0]
    for kind in ("instance", "volume", "network-interface"):
        assert f"tag_specifications for {kind}: {', '.join(TAGS)} missing" in message
    specified = [{"resourceType": kind, "tags": TAGS} for kind in ("instance", "volume", "network-interface")]
    assert violations(TEMPLATE, {"tags": TAGS, "tagSpecifications": specified}) == []
    specified[1] = {"resourceType": "volume", "tags": without("Owner")}
    message = violations(TEMPLATE, {"tags": TAGS, "tagSpecifications": specified})[0]
    assert "tag_specifications for volume: Owner missing" in message and "for instance" not in message


def test_auto_scaling_group_hands_its_tags_on():
    tags = [{"key": key, "value": value, "propagateAtLaunch": True} for key, value in TAGS.items()]
    assert violations(GROUP, {"tags": tags}) == []
    tags[2] = {**tags[2], "propagateAtLaunch": False}
    assert "propagate_at_launch: Team missing" in violations(GROUP, {"tags": tags})[0]
    assert "propagate_at_launch" in violations(GROUP, {})[0]


def test_instance_tags_its_disk_unless_its_template_does():
    assert "volume_tags" in violations(INSTANCE, {"tags": TAGS})[0]
    assert violations(INSTANCE, {"tags": TAGS, "volumeTags": TAGS}) == []
    assert violations(INSTANCE, {"tags": TAGS, "rootBlockDevice": {"tags": TAGS}}) == []
    assert violations(INSTANCE, {"tags": TAGS, "launchTemplate": {"id": "lt-1"}}) == []


def test_batch_tags_its_instances_and_fargate_has_none():
    assert "compute_resources.tags" in violations(BATCH, {"tags": TAGS, "computeResources": {"type": "SPOT"}})[0]
    assert violations(BATCH, {"tags": TAGS, "computeResources": {"type": "SPOT", "tags": TAGS}}) == []
    assert violations(BATCH, {"tags": TAGS, "computeResources": {"type": "FARGATE_SPOT"}}) == []


def test_configuration_replaces_the_rules():
    config = {"required": ["Unit"], "allowed": {"Unit": ["a", "b"]}, "forms": {}}
    assert violations(VPC, {"tags": {"Unit": "a"}}, config=config) == []
    assert "Unit is 'c', not one of a, b" in violations(VPC, {"tags": {"Unit": "c"}}, config=config)[0]


# A component of an AWS type stands for the resource: the engine asks the policy about components too, and no provider
# plugin is needed.
PROGRAM = """
import pulumi
pulumi.ComponentResource({token!r}, "thing", {{"tags": {tags!r}}})
pulumi.export("done", True)
"""


def test_engine_refuses_and_accepts_by_the_pack(project):
    sample = project(PROGRAM.format(token=VPC, tags=without("Team")))
    output = sample.pulumi("up", "--yes", "--policy-pack", str(PACK), code=1)
    assert "cost-tags" in output and "Team missing" in output and "Traceback" not in output
    assert json.loads(sample.pulumi("stack", "output", "--json")) == {}
    sample.write(PROGRAM.format(token=VPC, tags=TAGS))
    sample.pulumi("up", "--yes", "--policy-pack", str(PACK))
    assert json.loads(sample.pulumi("stack", "output", "--json")) == {"done": True}


def test_engine_hands_the_configuration_to_the_pack(project):
    sample = project(PROGRAM.format(token=VPC, tags={"Unit": "a"}))
    config = sample.folder / "policies.json"
    config.write_text(json.dumps({"cost-tags": {"required": ["Unit"]}}))
    sample.pulumi("preview", "--policy-pack", str(PACK), "--policy-pack-config", str(config))
    config.write_text(json.dumps({"cost-tags": {"required": ["Absent"]}}))
    words = ("preview", "--policy-pack", str(PACK), "--policy-pack-config", str(config))
    assert "Absent missing" in sample.pulumi(*words, code=1)


def added(props, token="aws:s3/bucket:Bucket", stack="dev", **settings):
    context = Context(stack=stack, project="churn", config=COST_TAGS.defaults, settings=settings)
    return remediate(Resource(token, "thing", props), context)


OURS = {"shoestring:team": "ml", "shoestring:owner": "you@example.com", "shoestring:costCenter": "42"}


def test_remediation_adds_what_can_be_derived():
    derived = {"Project": "churn", "Environment": "dev", "ManagedBy": "pulumi"}
    assert added({}) == derived
    assert added({"tags": {}}, stack="dev-window") == derived
    own = {**OURS, "shoestring:project": "spam"}
    assert added({}, **own) == {
        **derived, "Project": "spam", "Team": "ml", "Owner": "you@example.com", "CostCenter": "42",
    }  # fmt: skip
    assert added({"tags": {"Project": "mine", "Owner": UNKNOWN}}, **OURS).keys() == {
        "Environment", "ManagedBy", "Team", "CostCenter",
    }  # fmt: skip


def test_remediation_leaves_alone_what_it_should():
    assert added({"tags": TAGS}, **OURS) == {}
    assert added({"tags": UNKNOWN}, **OURS) == {}
    assert added({}, token=GROUP) == {}, "its tags are no mapping"
    assert added({}, token="aws:ec2/route:Route") == {}
    assert "Environment" not in added({}, stack="sandbox"), "no environment by the rule's own list"
    assert "Owner" not in added({}, **{"shoestring:owner": "nobody"}), "of the wrong form"
