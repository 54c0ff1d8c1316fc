"""What `shoestring doctor` sees of killed updates and lost accounts, and what `shoestring repair` does about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.acceptance.conftest import Bed

pytestmark = pytest.mark.timeout(900)  # the last one makes two platforms
TAGS = {"Project": "shoestring", "Environment": "local"}


def client(bed: Bed, service: str) -> Any:
    variables = bed.variables
    return boto3.client(
        service, endpoint_url=variables["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"], aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip


def edit(bed: Bed, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the platform's state behind the engine's back."""
    path = bed.home / "state" / ".pulumi" / "stacks" / "shoestring" / "local.json"
    state = json.loads(path.read_text())
    change(state["checkpoint"]["latest"])
    path.write_text(json.dumps(state))


def of_type(deployment: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(item for item in deployment["resources"] if item["type"] == kind)


def pending(resource: dict[str, Any]) -> dict[str, Any]:
    """A creation of a resource whose end the engine did not see."""
    return {"type": "creating", "resource": {k: v for k, v in resource.items() if k not in ("id", "outputs")}}


def test_what_was_made_is_adopted_and_what_was_not_is_struck_out(bed: Bed) -> None:
    before = bed.resources("local")

    def forget(deployment: dict[str, Any]) -> None:
        made = of_type(deployment, "aws:scheduler/schedule:Schedule")
        deployment["resources"].remove(made)
        never = dict(of_type(deployment, "aws:ssm/parameter:Parameter"))
        never |= {"urn": never["urn"] + "-never", "inputs": {**never["inputs"], "name": "/never/made"}}
        deployment["pending_operations"] = [pending(made), pending(never)]

    edit(bed, forget)
    refused = bed.run("pulumi", "up", "-s", "local", "--yes", "--skip-preview", "--non-interactive", code=1)
    assert "was killed before 2 operations had ended" in refused and "mend it:  shoestring repair local" in refused
    seen = bed.shoestring("doctor", code=1)
    assert "creating Schedule shoestring-local-cost-report was not seen to end; it is in the account: default/" in seen
    assert "mend it:   shoestring repair local" in seen
    shown = bed.shoestring("repair", "local", "--yes")
    assert "to be adopted" in shown and "to be struck out" in shown
    assert bed.resources("local") == before
    assert "nothing of local is half-done" in bed.shoestring("doctor")
    assert "unchanged" in bed.pulumi("up", "-s", "local", "--expect-no-changes")


def test_what_was_made_twice_is_removed_once(bed: Bed) -> None:
    ec2, before = client(bed, "ec2"), bed.resources("local")
    tags: dict[str, str] = {}
    edit(bed, lambda deployment: tags.update(of_type(deployment, "aws:ec2/vpc:Vpc")["inputs"]["tags"]))
    specification = {"ResourceType": "vpc", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    second = ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=[specification])["Vpc"]["VpcId"]
    edit(
        bed, lambda deployment: deployment.update(pending_operations=[pending(of_type(deployment, "aws:ec2/vpc:Vpc"))])
    )
    assert f"it is in the account: {second}" in bed.shoestring("repair", "local", "--yes")
    mine = [vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]
    assert len(mine) == 1 and second not in mine
    assert bed.resources("local") == before


def test_what_has_the_environments_tags_and_is_in_no_state_is_removed(bed: Bed) -> None:
    parameters, before = client(bed, "ssm"), bed.resources("local")
    for name, tags in (("/lost", TAGS), ("/others", {**TAGS, "Environment": "dev"}), ("/untagged", {})):
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        parameters.put_parameter(Name=name, Value="x", Type="String", Tags=listed)
    ec2, listed = client(bed, "ec2"), [{"Key": key, "Value": value} for key, value in TAGS.items()]
    disk = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    card = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.create_tags(Resources=[disk, card], Tags=listed)
    seen = bed.shoestring("doctor", code=1)
    for lost in ("Parameter /lost", f"Volume {disk}", f"NetworkInterface {card}"):
        assert f"{lost} has the tags of local, and is in no state" in seen
    assert seen.count("is in no state") == 3  # and not the disk of the MLflow server's machine
    assert "/others" not in seen and "/untagged" not in seen
    bed.shoestring("repair", "local", "--yes")
    names = {item["Name"] for item in parameters.describe_parameters()["Parameters"]}
    assert disk not in [volume["VolumeId"] for volume in ec2.describe_volumes()["Volumes"]]
    assert card not in [item["NetworkInterfaceId"] for item in ec2.describe_network_interfaces()["NetworkInterfaces"]]
    assert "/lost" not in names and {"/others", "/untagged"} <= names
    assert bed.resources("local") == before
    parameters.delete_parameters(Names=["/others", "/untagged"])


def test_stacks_whose_account_is_gone_are_named_and_start_anew(bed: Bed) -> None:
    bed.shoestring("cloud", "down")
    shutil.rmtree(bed.home / "cloud" / "data")
    bed.enter()
    assert "resources of local are not in the account, such as" in bed.shoestring("doctor", code=1)
    assert "to be forgotten by the state" in bed.shoestring("repair", "local", "--yes")
    assert "nothing of local is half-done" in bed.shoestring("doctor")
    bed.pulumi("up", "-s", "local")
    bed.shoestring("cloud", "up", "--fresh")
    bed.enter()
    assert bed.resources("local") == [] and bed.shoestring("cloud", "account") == "the account is empty\n"
    assert "nothing of local is half-done" in bed.shoestring("doctor")
    bed.pulumi("up", "-s", "local")
