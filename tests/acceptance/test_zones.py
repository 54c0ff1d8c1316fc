"""A real account's zones: the first may lack what runs in the network, and a network that is up never moves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import Bed


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    bed = Bed(tmp_path_factory.mktemp("zones"))
    yield bed
    bed.shoestring("cloud", "down")


def lacking(bed: Bed, **zones: list[str]) -> None:
    """Takes instance types out of zones, by their letters."""
    types = {f"us-east-1{letter}": kinds for letter, kinds in zones.items()}
    (bed.home / "cloud" / "account.json").write_text(json.dumps({"lacking_types": types}))


def steps(bed: Bed) -> dict[str, Any]:
    """What an update would do to the subnets, by name."""
    plan = json.loads(bed.run("pulumi", "preview", "--json", "--show-sames", "-s", "local", "--non-interactive"))
    subnets = (step for step in plan["steps"] if ":Subnet::" in step["urn"])
    return {step["urn"].rpartition("::")[2]: step for step in subnets}


def test_network_goes_where_its_server_can_and_stays_there(own: Bed) -> None:
    lacking(own, a=["t4g.nano"], b=["t4g.nano"], c=["t4g.nano"])
    shown = own.pulumi("preview", "-s", "local", code=1)
    assert "0 zone(s) of us-east-1 offer t4g.nano" in shown and "mend it:  pulumi config set" in shown

    lacking(own, a=["t4g.nano"])
    own.pulumi("up", "-s", "local")
    outputs = json.loads(own.run("pulumi", "stack", "output", "--json", "-s", "local"))
    assert outputs["zones"] == ["us-east-1b"]

    lacking(own)  # the zone before it offers the type now
    (subnet,) = steps(own).values()
    assert (subnet["op"], subnet["newState"]["inputs"]["availabilityZone"]) == ("same", "us-east-1b")
    own.pulumi("destroy", "-s", "local")
