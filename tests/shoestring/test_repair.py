"""`shoestring repair` on an account that others share: what may be theirs stays, unless somebody says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from shoestring import engines, repair, updates
from shoestring.base.errors import UserError
from shoestring.commands import setup
from tests.conftest import client

TAGS = {"Project": "shoestring", "Environment": "dev"}


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@pytest.fixture(scope="module")
def made(cloud: dict[str, Any]) -> dict[str, str]:
    """Resources with the tags of `dev` in no state, by what they are; the ids of those that AWS names."""
    ssm, ec2, logs = (client(cloud, service) for service in ("ssm", "ec2", "logs"))
    ssm.put_parameter(Name="/shoestring/dev/window-gate", Value="x", Type="String", Tags=listed(TAGS))
    ssm.put_parameter(Name="/shoestring/development/x", Value="x", Type="String", Tags=listed(TAGS))
    logs.create_log_group(logGroupName="/aws/lambda/shoestring-dev-inference", tags=TAGS)
    logs.create_log_group(logGroupName="/aws/lambda/shoestring-devops", tags=TAGS)

    def volume(**more: str) -> str:
        tags = [{"ResourceType": "volume", "Tags": listed({**TAGS, **more})}]
        return str(ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=tags)["VolumeId"])

    subnet = ec2.describe_subnets()["Subnets"][0]
    group = ec2.create_security_group(
        GroupName="shoestring-dev-mlflow", Description="x", VpcId=subnet["VpcId"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": listed(TAGS)}],
    )["GroupId"]  # fmt: skip
    card = ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"]["NetworkInterfaceId"]
    ec2.create_tags(Resources=[card], Tags=listed(TAGS))
    used = volume()
    instance = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.attach_volume(VolumeId=used, InstanceId=instance, Device="/dev/sdf")
    return {"leased": volume(**{"shoestring:lease": "2030-01-31T12:00:00Z"}), "data": volume(), "used": used,
            "group": group, "card": card}  # fmt: skip


@pytest.fixture
def account(cloud: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[repair.Findings]]:
    """This process in `dev`, whose states hold nothing; what would be mended."""
    for name, value in cloud["variables"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(updates, "deployment", lambda stack: {"resources": []})
    monkeypatch.setattr(updates, "lock", lambda stack: None)
    monkeypatch.setattr(repair, "configuration", lambda environment: {})
    monkeypatch.setattr(engines, "strays", list)
    monkeypatch.setattr(setup, "enter", lambda *_: None)
    mended: list[repair.Findings] = []
    monkeypatch.setattr(setup, "mend", lambda findings, say: mended.append(findings))
    yield mended


def names(found: list[Any], made: dict[str, str]) -> set[str]:
    ids = {id: name for name, id in made.items()}
    return {ids.get(orphan.id, orphan.id) for orphan in found}


def ours(made: dict[str, str]) -> set[str]:
    return {"/shoestring/dev/window-gate", "/aws/lambda/shoestring-dev-inference", "leased", "group"}


def others(made: dict[str, str]) -> set[str]:
    return {"/shoestring/development/x", "/aws/lambda/shoestring-devops", "data", "card"}


def test_what_only_cost_tags_name_is_told_from_what_is_surely_ours(made, account) -> None:
    findings = repair.examine("dev")
    assert names(findings.orphans, made) == ours(made)
    assert names(findings.doubtful, made) == others(made)  # and not the volume that an instance has
    assert findings.due


def test_on_the_local_cloud_all_of_it_is_ours(made, account, cloud) -> None:
    ssm = client(cloud, "ssm")
    ssm.put_parameter(
        Name="/any", Value="x", Type="String", Tags=listed({"Project": "shoestring", "Environment": "local"})
    )
    findings = repair.examine("local")
    assert names(findings.orphans, made) == {"/any"} and findings.doubtful == []
    ssm.delete_parameter(Name="/any")


def test_yes_alone_leaves_what_may_be_anothers(made, account, capsys) -> None:
    setup.repair("dev", yes=True, as_json=True)
    (findings,) = account
    assert names(findings.orphans, made) == ours(made) and names(findings.doubtful, made) == others(made)
    cures = {line["found"].split()[1]: line["to_be"] for line in json.loads(capsys.readouterr().out)}
    assert cures["/shoestring/dev/window-gate"] == "removed"
    assert cures[made["card"]].startswith("left as it is") and "--also-unnamed" in cures[made["card"]]


def test_the_second_word_removes_it_too(made, account) -> None:
    setup.repair("dev", yes=True, also_unnamed=True)
    (findings,) = account
    assert names(findings.orphans, made) == ours(made) | others(made) and findings.doubtful == []


def test_who_is_there_is_asked_for_each(made, account, monkeypatch) -> None:
    asked: list[str] = []

    def confirm(text: str, **_: Any) -> bool:
        asked.append(text)
        return text == "Do this?" or made["data"] in text

    monkeypatch.setattr(setup.typer, "confirm", confirm)
    monkeypatch.setattr(setup.sys.stdin, "isatty", lambda: True, raising=False)
    setup.repair("dev")
    (findings,) = account
    assert len(asked) == 5 and asked[0] == "Do this?" and f"Remove Volume {made['data']} too?" in asked
    assert names(findings.orphans, made) == ours(made) | {"data"}
    assert names(findings.doubtful, made) == others(made) - {"data"}


def test_nobody_there_and_no_yes_changes_nothing(made, account, monkeypatch) -> None:
    monkeypatch.setattr(setup.sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(UserError, match="nothing was changed"):
        setup.repair("dev", also_unnamed=True)
    assert account == []
