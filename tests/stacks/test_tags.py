"""Cost tags reach whatever a provider's SDK says is taggable."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.tags import tag_everything, tagged

COST = {"Project": "p", "Owner": "me@example.com"}
TAGS = st.none() | st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3)


@given(TAGS)
def test_what_a_resource_names_itself_stays(own: dict[str, str] | None) -> None:
    found = tagged({"tags": own}, COST)["tags"]
    assert found == {**COST, **(own or {})}


def test_what_takes_no_tags_gets_none() -> None:
    assert tagged({"role": "r", "policy": None}, COST) == {"role": "r", "policy": None}


@given(st.lists(st.sampled_from(["instance", "volume", "elastic-gpu"]), unique=True), st.booleans())
def test_launch_templates_tag_what_they_make(kinds: list[str], spot: bool) -> None:
    props: dict[str, Any] = {"tag_specifications": [{"resource_type": kind, "tags": {"Own": kind}} for kind in kinds]}
    props["instance_market_options"] = {"market_type": "spot"} if spot else None
    found = {each["resource_type"]: each["tags"] for each in tagged(props, COST)["tag_specifications"]}
    assert found.keys() >= {"instance", "volume", "network-interface", *kinds}
    assert ("spot-instances-request" in found) is spot
    for kind, tags in found.items():
        assert tags == {**COST, **({"Own": kind} if kind in kinds else {})}


@pytest.mark.parametrize("kind", ["Instance", "LaunchTemplate", "RolePolicy", "Route"])
def test_the_sdks_classes_say_whether_they_are_taggable(run: Any, kind: str) -> None:
    def program() -> None:
        from pulumi_aws.ec2.instance import Instance
        from pulumi_aws.ec2.launch_template import LaunchTemplate
        from pulumi_aws.ec2.route import Route
        from pulumi_aws.iam.role_policy import RolePolicy

        tag_everything(COST)
        Instance("i", tags={"Owner": "you@example.com"})
        LaunchTemplate("t")
        RolePolicy("p", role="r", policy="{}")
        Route("r", route_table_id="rtb-0a")
        pulumi.export("done", True)

    inputs = run(program).one(kind).inputs
    if kind in ("RolePolicy", "Route"):
        assert not [key for key in inputs if "tag" in key.lower()]
    if kind == "Instance":
        assert inputs["tags"] == {"Project": "p", "Owner": "you@example.com"}
        assert inputs["volumeTags"] == COST
    if kind == "LaunchTemplate":
        assert [each["resourceType"] for each in inputs["tagSpecifications"]] == [
            "instance",
            "volume",
            "network-interface",
        ]
