"""Disks: one good one stands for no other, and one that a program does not mention is not taken as fine."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.shapes.machines import BATCH, CONFIGURATION, INSTANCE, NODES, SPOT_FLEET, SPOT_REQUEST, TEMPLATE
from policies.values import UNKNOWN
from tests.policies.judging import props, thing, violations

VOLUME, DATABASE = "aws:ebs/volume:Volume", "aws:rds/instance:Instance"
MANY = settings(max_examples=120, deadline=None)
TAGS = {
    "Project": "churn", "Environment": "dev", "Team": "ml", "Owner": "you@example.com", "CostCenter": "42",
    "ManagedBy": "pulumi",
}  # fmt: skip
ROOT = "root_block_device.encrypted"
TEMPLATE_ROOT = "block_device_mappings[root].ebs.encrypted"
GOOD, BAD = {"encrypted": True}, {"encrypted": False}


def data(**block):
    return {"deviceName": "/dev/sdf", **block}


@pytest.mark.parametrize("kind", [INSTANCE, SPOT_REQUEST, CONFIGURATION])
@pytest.mark.parametrize(
    ("inputs", "refused"),
    [
        ({}, [ROOT]),
        ({"rootBlockDevice": GOOD}, []),
        ({"rootBlockDevice": [GOOD]}, []),
        ({"rootBlockDevice": {"volumeSize": 8}}, [ROOT]),
        ({"rootBlockDevice": UNKNOWN}, []),
        ({"ebsBlockDevices": [data(**GOOD)]}, [ROOT]),
        ({"rootBlockDevice": BAD, "ebsBlockDevices": [data(**GOOD)]}, [ROOT]),
        ({"rootBlockDevice": GOOD, "ebsBlockDevices": [data(**GOOD), data()]}, ["ebs_block_devices[1].encrypted"]),
        ({"ebsBlockDevices": [{"deviceName": "/dev/xvda", **GOOD}]}, []),
        ({"ebsBlockDevices": UNKNOWN}, []),
    ],
)
def test_encrypted_roots_and_data_disks(kind, inputs, refused):
    assert props("encrypted-storage", thing(kind, **inputs)) == refused


@pytest.mark.parametrize("kind", [INSTANCE, SPOT_REQUEST])
def test_a_launch_template_says_it_for_its_machines(kind):
    for template in ({"id": "lt-1"}, UNKNOWN):
        assert props("encrypted-storage", thing(kind, launchTemplate=template)) == []
        assert props("imdsv2", thing(kind, launchTemplate=template)) == []
        blocks = [data(**BAD)]
        assert props("encrypted-storage", thing(kind, launchTemplate=template, ebsBlockDevices=blocks)) == [
            "ebs_block_devices[0].encrypted"
        ]


@pytest.mark.parametrize(
    ("mappings", "refused"),
    [
        (None, [TEMPLATE_ROOT]),
        ([], [TEMPLATE_ROOT]),
        (UNKNOWN, []),
        ([UNKNOWN], []),
        ([{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}}], []),
        ([{"deviceName": "/dev/sda1", "ebs": {"encrypted": "true"}}], []),
        ([{"deviceName": "/dev/sdf", "ebs": {"encrypted": "true"}}], [TEMPLATE_ROOT]),
        ([{"deviceName": "/dev/xvdba", "ebs": {"encrypted": "true"}}], [TEMPLATE_ROOT]),
        ([{"deviceName": "/dev/xvda"}], ["block_device_mappings[0].ebs.encrypted"]),
        ([{"deviceName": "/dev/sdb", "virtualName": "ephemeral0"}], [TEMPLATE_ROOT]),
        ([{"deviceName": UNKNOWN, "ebs": {"encrypted": "true"}}], []),
        ([{"deviceName": "/dev/xvda", "ebs": {"snapshotId": "snap-1"}}], []),
    ],
)
def test_encrypted_disks_of_launch_templates(mappings, refused):
    inputs = {} if mappings is None else {"blockDeviceMappings": mappings}
    assert props("encrypted-storage", thing(TEMPLATE, **inputs)) == refused


def test_encrypted_disks_of_fleets_node_groups_and_batch():
    specifications = [{"rootBlockDevices": [GOOD]}, {"ebsBlockDevices": [data(**BAD)]}]
    assert props("encrypted-storage", thing(SPOT_FLEET, launchSpecifications=specifications)) == [
        "launch_specifications[1].ebs_block_devices[0].encrypted",
        "launch_specifications[1].root_block_devices[0].encrypted",
    ]
    assert props("encrypted-storage", thing(NODES)) == [f"launch_template.{TEMPLATE_ROOT}"]
    assert props("encrypted-storage", thing(NODES, launchTemplate={"id": "lt-1"})) == []
    for kind, templated, refused in (("SPOT", {}, 1), ("EC2", {"launchTemplate": {}}, 0), ("FARGATE", {}, 0)):
        environment = thing(BATCH, computeResources={"type": kind, **templated})
        assert len(props("encrypted-storage", environment)) == refused


BLOCKS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=4)


@MANY
@given(kind=st.sampled_from([INSTANCE, SPOT_REQUEST, CONFIGURATION]), root=st.none() | st.booleans(), blocks=BLOCKS)
def test_every_disk_is_judged_by_itself(kind, root, blocks):
    devices = [
        {"deviceName": f"/dev/sd{letter}", **({"encrypted": encrypted} if written else {})}
        for letter, (encrypted, written) in zip("fghi", blocks, strict=False)
    ]
    inputs = {"ebsBlockDevices": devices, **({} if root is None else {"rootBlockDevice": {"encrypted": root}})}
    refused = [f"ebs_block_devices[{n}].encrypted" for n, block in enumerate(devices) if not block.get("encrypted")]
    assert sorted(props("encrypted-storage", thing(kind, **inputs))) == sorted([*refused, *([] if root else [ROOT])])


@pytest.mark.parametrize(
    ("kind", "inputs", "refused"),
    [
        ("aws:opensearch/domain:Domain", {}, ["encrypt_at_rest.enabled"]),
        ("aws:opensearch/domain:Domain", {"encryptAtRest": {"enabled": True}}, []),
        ("aws:rds/globalCluster:GlobalCluster", {}, ["storage_encrypted"]),
        ("aws:rds/globalCluster:GlobalCluster", {"sourceDbClusterIdentifier": "arn"}, []),
        ("aws:rds/cluster:Cluster", {"engineMode": "serverless"}, []),
        ("aws:rds/cluster:Cluster", {"snapshotIdentifier": UNKNOWN}, []),
        ("aws:rds/cluster:Cluster", {"snapshotIdentifier": "snap", "storageEncrypted": False}, ["storage_encrypted"]),
        ("aws:redshift/cluster:Cluster", {}, []),
        ("aws:redshift/cluster:Cluster", {"encrypted": "false"}, ["encrypted"]),
        (
            "aws:workspaces/workspace:Workspace",
            {"rootVolumeEncryptionEnabled": True},
            ["user_volume_encryption_enabled"],
        ),
        ("aws:ecs/service:Service", {}, []),
        (
            "aws:ecs/service:Service",
            {"volumeConfiguration": {"managedEbsVolume": {"sizeInGb": 10}}},
            ["volume_configuration.managed_ebs_volume.encrypted"],
        ),
    ],
)
def test_encryption_of_what_else_stores_something(kind, inputs, refused):
    assert props("encrypted-storage", thing(kind, **inputs)) == refused


def test_gp3_looks_at_every_machine_and_at_what_aws_makes_of_no_type():
    rule = "gp3-volumes"
    for kind in (INSTANCE, SPOT_REQUEST, CONFIGURATION):
        blocks = {"rootBlockDevice": {"volumeType": "gp3"}, "ebsBlockDevices": [data(volumeType="gp2"), data()]}
        refused = props(rule, thing(kind, **blocks))
        assert refused[:1] == ["ebs_block_devices[0].volume_type"]
        assert (refused[1:] == ["ebs_block_devices[1].volume_type"]) is (kind != CONFIGURATION)
        assert props(rule, thing(kind)) == [], "as its image has it"
    fleet = thing(SPOT_FLEET, launchSpecifications=[{"rootBlockDevices": [{"volumeType": "io1"}]}])
    assert props(rule, fleet) == ["launch_specifications[0].root_block_devices[0].volume_type"]


@pytest.mark.parametrize("size", [1, 100, UNKNOWN])
def test_gp3_leaves_alone_what_costs_less(size):
    assert props("gp3-volumes", thing(VOLUME, type="standard", size=size)) == []
    assert props("gp3-volumes", thing(INSTANCE, rootBlockDevice={"volumeType": "standard", "volumeSize": size})) == []


@MANY
@given(
    kind=st.sampled_from(["standard", "gp2", "io1", "io2", "st1", "sc1", None]),
    size=st.integers(1, 4000),
    iops=st.none() | st.integers(100, 16000),
    database=st.booleans(),
)
def test_no_disk_is_refused_whose_mending_costs_more(kind, size, iops, database):
    inputs = {"iops": iops} if iops and kind == "io1" else {}
    if database:
        inputs |= {"engine": "postgres", "instanceClass": "db.t4g.micro", "storageType": kind, "allocatedStorage": size}
    else:
        inputs |= {"type": kind, "size": size}
    for violation in violations("gp3-volumes", thing(DATABASE if database else VOLUME, **inputs)):
        saving = re.search(r"(-?)\$[\d.,]+ a month saved", violation.cost)
        assert saving and not saving[1], violation.cost


def tag_problems(kind, **inputs):
    """Where a resource lacks tags."""
    for violation in violations("cost-tags", thing(kind, tags=TAGS, **inputs)):
        return [line.split(":")[0].strip() for line in violation.message.splitlines()[1:-1]]
    return []


@pytest.mark.parametrize("kind", [INSTANCE, SPOT_REQUEST])
@pytest.mark.parametrize(
    ("inputs", "places"),
    [
        ({}, ["volume_tags"]),
        ({"volumeTags": TAGS, "ebsBlockDevices": [data()]}, []),
        ({"rootBlockDevice": {"tags": TAGS}}, []),
        ({"rootBlockDevice": {"tags": TAGS}, "ebsBlockDevices": [data()]}, ["ebs_block_devices[0].tags"]),
        (
            {"rootBlockDevice": {"tags": TAGS}, "ebsBlockDevices": [data(tags=TAGS), data(tags={"Team": "ml"})]},
            ["ebs_block_devices[1].tags"],
        ),
        ({"ebsBlockDevices": [data(tags=TAGS)]}, ["root_block_device.tags"]),
        ({"rootBlockDevice": {"tags": UNKNOWN}, "ebsBlockDevices": [data(tags=UNKNOWN)]}, []),
        ({"launchTemplate": {"id": "lt-1"}}, []),
    ],
)
def test_every_disk_has_tags(kind, inputs, places):
    assert tag_problems(kind, **inputs) == places


@MANY
@given(root=st.booleans(), blocks=st.lists(st.booleans(), max_size=4))
def test_every_disks_tags_are_judged_by_themselves(root, blocks):
    devices = [data(**({"tags": TAGS} if tagged else {})) for tagged in blocks]
    places = tag_problems(
        INSTANCE, rootBlockDevice={"tags": TAGS} if root else {"volumeSize": 8}, ebsBlockDevices=devices
    )
    if root or any(blocks):
        untagged = [f"ebs_block_devices[{n}].tags" for n, tagged in enumerate(blocks) if not tagged]
        assert places == [*([] if root else ["root_block_device.tags"]), *untagged]
    else:
        assert places == ["volume_tags"], "one argument for all of them"


def test_what_node_groups_and_launch_configurations_start_has_tags():
    assert tag_problems(NODES) == ["launch_template with tag_specifications"]
    assert tag_problems(NODES, launchTemplate={"id": "lt-1"}) == []
    [violation] = violations("cost-tags", thing(CONFIGURATION))
    assert violation.level == "advisory" and "launch template" in violation.change
