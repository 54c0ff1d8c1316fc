"""The network's zones: those that offer what runs there, chosen once."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from shoestring.base.errors import UserError
from tests.stacks.conftest import PLATFORM
from tests.stacks.test_programs import platform, training

UP = {"subnet_ids": ["subnet-0a"], "mlflow_instance_type": "t4g.nano"}
POSTGRES = {"database": "postgres"}


def zones(
    run: Any, own: dict[str, Any] | None = None, offered: Any = ("us-east-1b", "us-east-1a"), **values: Any
) -> Any:
    """The zones of the subnets, and what the stack says of them; `own` is what it said before."""
    world = run(platform(**values), stacks={"dev": own or {}}, offered=offered)
    subnets = [each.inputs["availabilityZone"] for each in world.of("Subnet")]
    assert world.exports["zones"] == subnets
    return subnets


def refused(run: Any, **words: Any) -> str:
    with pytest.raises(UserError) as caught:
        zones(run, **words)
    return str(caught.value)


def test_a_new_network_lies_where_the_servers_type_is_offered(run: Any) -> None:
    assert zones(run) == ["us-east-1a"]
    assert zones(run, offered=("us-east-1c", "us-east-1b")) == ["us-east-1b"]
    assert zones(run, offered=("us-east-1c", "us-east-1b"), mlflow=POSTGRES) == ["us-east-1b", "us-east-1c"]


def test_zones_that_an_account_must_opt_in_to_are_not_taken(run: Any) -> None:
    assert zones(run, offered=("us-east-1-bos-1a", "us-east-1b")) == ["us-east-1b"]


def test_a_network_that_is_up_does_not_move(run: Any) -> None:
    there = {**UP, "zones": ["us-east-1b"]}
    assert zones(run, there, offered=("us-east-1a", "us-east-1b")) == ["us-east-1b"]
    assert zones(run, there, offered=("us-east-1a", "us-east-1b"), mlflow=POSTGRES) == ["us-east-1b", "us-east-1a"]
    assert zones(run, UP, offered=("us-east-1b", "us-east-1c")) == ["us-east-1a"]  # of an older version: the first


def test_the_subnets_are_called_the_same_wherever_they_lie(run: Any) -> None:
    world = run(platform(mlflow=POSTGRES), stacks={"dev": {}}, offered=("us-east-1b", "us-east-1c"))
    assert [each.name for each in world.of("Subnet")] == ["shoestring-dev-a", "shoestring-dev-b"]


def test_configured_zones_are_taken(run: Any) -> None:
    assert zones(run, network={"zones": ["us-east-1b"]}) == ["us-east-1b"]
    assert zones(run, {**UP, "zones": ["us-east-1a"]}, network={"zones": ["us-east-1b"]}) == ["us-east-1b"]


def test_too_few_zones_are_said_before_anything_is_made(run: Any) -> None:
    seen: list[str] = []
    with pytest.raises(UserError, match=r"0 zone\(s\) of us-east-1 offer t4g\.nano to this account: none") as caught:
        run(platform(), stacks={"dev": {}}, offered=(), seen=seen)
    assert "pulumi config set --path shoestring:mlflow.instanceType" in caught.value.mend
    assert not [kind for kind in seen if kind.startswith("aws:")]
    assert "1 zone(s) of us-east-1 offer t4g.nano" in refused(run, offered=("us-east-1b",), mlflow=POSTGRES)


def test_configured_zones_that_cannot_be_are_said(run: Any) -> None:
    problem = refused(run, network={"zones": ["us-east-1c"]})
    assert "us-east-1c of shoestring:network.zones does not offer t4g.nano" in problem
    assert "pulumi config set --path 'shoestring:network.zones[0]' us-east-1a --stack dev" in problem
    problem = refused(run, network={"zones": ["us-east-1a"]}, mlflow=POSTGRES)
    assert "pulumi config set --path 'shoestring:network.zones[1]' us-east-1b --stack dev" in problem


def test_another_type_must_be_offered_where_the_network_lies(run: Any) -> None:
    words = {"own": {**UP, "zones": ["us-east-1a"]}, "offered": ("us-east-1b",)}
    problem = refused(run, **words, mlflow={"instanceType": "c7g.large"})
    assert "us-east-1a, where the network lies, does not offer c7g.large" in problem
    assert zones(run, **words) == ["us-east-1a"]  # the server that runs needs none


def test_without_the_right_to_ask_a_new_network_needs_named_zones(run: Any) -> None:
    assert "ec2:DescribeInstanceTypeOfferings" in refused(run, offered=None)
    assert zones(run, offered=None, network={"zones": ["us-east-1c"]}) == ["us-east-1c"]
    assert zones(run, {**UP, "zones": ["us-east-1b"]}, offered=None) == ["us-east-1b"]


def test_a_window_warns_of_types_that_its_platforms_zones_lack(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *words, **more: warnings.append(text))
    lies = {"dev": {**PLATFORM, "zones": ["us-east-1a"]}}
    run(training(), stack="dev-window", stacks=lies, offered=("us-east-1b",))
    assert any(
        "may not start in us-east-1a" in text and "EC2 offers that type in us-east-1b" in text for text in warnings
    )
    warnings.clear()
    run(training(), stack="dev-window", stacks=lies, offered=("us-east-1a",))
    run(training(), stack="dev-window", offered=("us-east-1b",))  # an older platform, which names no zones
    assert not any("may not start" in text for text in warnings)
