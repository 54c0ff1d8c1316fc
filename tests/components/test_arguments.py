"""Arguments of components: refused when they are constructed, in anybody's program, all problems at once."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.arguments import arguments
from components.champions import ChampionsArgs
from components.cost_guard import CostGuardArgs
from components.cost_report import CostReportArgs
from components.lambda_inference import LambdaInferenceArgs
from components.mlflow_server import MlflowServerArgs
from components.network import NetworkArgs
from components.spot_training_job import SpotTrainingJobArgs
from components.state_store import StateStoreArgs
from shoestring.base.errors import UserError
from tests.components.samples import RIGHT

every = pytest.mark.parametrize("kind", RIGHT, ids=lambda kind: kind.__name__)


def refused(kind: Any, **values: Any) -> str:
    with pytest.raises(UserError) as caught:
        kind(**values)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "field", "value", "allowed"),
    [
        (CostGuardArgs, "account", "12345", r"should match pattern '^\d{12}$', such as '123456789012'"),
        (CostGuardArgs, "gate", "gate", "should match pattern"),
        (CostGuardArgs, "limit_usd", 0, "should be greater than 0, such as 15"),
        (CostGuardArgs, "limit_usd", True, "expected dollars, such as 15 or 12.50"),
        (CostGuardArgs, "tags", {}, "at least 1 item"),
        (CostGuardArgs, "email", "me", "should match pattern"),
        (CostReportArgs, "topic", "costs", "should match pattern '^arn:aws:', such as 'arn:aws:sns:"),
        (LambdaInferenceArgs, "package", Path("/none.zip"), "path does not point to a file"),
        (LambdaInferenceArgs, "python", "3", "should match pattern"),
        (LambdaInferenceArgs, "architecture", "arm", "should be 'arm64' or 'x86_64', such as 'arm64'"),
        (LambdaInferenceArgs, "memory_mb", 64, "should be greater than or equal to 128, such as 512"),
        (LambdaInferenceArgs, "timeout_seconds", 901, "should be less than or equal to 900, such as 15"),
        (LambdaInferenceArgs, "reserved_concurrency", 0, "should be greater than or equal to 1, such as 5"),
        (LambdaInferenceArgs, "log_retention_days", 15, "should be 1, 3, 5, 7, 14, 30"),
        (LambdaInferenceArgs, "model", "Churn", "should match pattern"),
        (MlflowServerArgs, "vpc_id", "subnet-1", "should match pattern '^vpc-'"),
        (MlflowServerArgs, "subnet_ids", [], "should have at least 1 item"),
        (MlflowServerArgs, "private_ip", "10.20.0", "expected 4 octets in '10.20.0', such as '10.20.0.10'"),
        (MlflowServerArgs, "instance_type", "nano", "should match pattern"),
        (MlflowServerArgs, "volume_gb", 7, "should be greater than or equal to 8, such as 8"),
        (MlflowServerArgs, "database", "mysql", "should be 'sqlite' or 'postgres', such as 'sqlite'"),
        (ChampionsArgs, "parameter", "champions", "should match pattern"),
        (NetworkArgs, "region", "virginia", "should match pattern"),
        (NetworkArgs, "cidr", "8.8.0.0/16", "expected a private network of /16 to /20, such as '10.20.0.0/16'"),
        (NetworkArgs, "zones", (), "should have at least 1 item"),
        (SpotTrainingJobArgs, "data_uri", "/data", "should match pattern '^s3://'"),
        (SpotTrainingJobArgs, "instance_type", "m5.large", "should match pattern"),
        (SpotTrainingJobArgs, "volume_gb", 0, "should be greater than or equal to 1, such as 10"),
        (SpotTrainingJobArgs, "subnet_ids", [], "should have at least 1 item"),
        (StateStoreArgs, "checkpoint_days", 0, "should be greater than or equal to 1, such as 14"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(kind: type, field: str, value: object, allowed: str) -> None:
    problem = refused(kind, **{**RIGHT[kind], field: value})
    assert problem.startswith(f"1 problem(s) in {kind.__name__}:\n  {field} is {value!r}: ")
    assert allowed in problem


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        (MlflowServerArgs, {"database": "postgres"}, "subnet_ids holds 1: postgres needs two, in different zones"),
        (CostGuardArgs, {"anomaly_tag": "Team"}, "anomaly_tag is 'Team': expected one of Environment"),
        (SpotTrainingJobArgs, {"max_wait": None}, "max_wait is None: needed with spot and refused without it"),
        (SpotTrainingJobArgs, {"spot": False}, "max_wait is 7200: needed with spot and refused without it"),
        (SpotTrainingJobArgs, {"max_wait": 60}, "max_wait is 60: expected no less than max_run, 3600"),
    ],
)
def test_values_that_do_not_go_together_are_refused(kind: type, values: dict[str, Any], problem: str) -> None:
    assert refused(kind, **{**RIGHT[kind], **values}) == f"1 problem(s) in {kind.__name__}:\n  {problem}"


@every
def test_everything_that_is_missing_or_unknown_comes_at_once(kind: Any) -> None:
    needed = [field.name for field in dataclasses.fields(kind) if field.default is field.default_factory]
    assert needed
    last = needed[-1]
    lines = refused(kind, **{f"{last}x": 1}).splitlines()
    assert lines[0] == f"{len(needed) + 1} problem(s) in {kind.__name__}:"
    assert {line.split()[0] for line in lines[1:]} == {*needed, f"{last}x"}
    assert all(f"  {name} is not set" in line for name in needed for line in lines if line.split()[0] == name)
    assert f"  {last}x is unknown; did you mean {last}?" in lines


@every
def test_they_stay_as_they_were_constructed(kind: Any) -> None:
    args = kind(**RIGHT[kind])
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(args, next(iter(RIGHT[kind])), 1)
    assert dataclasses.replace(args) == args


@pytest.fixture
def loop() -> Iterator[None]:
    """What Pulumi's outputs need to be made."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    yield
    asyncio.set_event_loop(asyncio.new_event_loop())


@every
def test_what_is_not_known_yet_passes(kind: Any, loop: None) -> None:
    unknown = pulumi.Output.from_input("?")
    inputs = [field.name for field in dataclasses.fields(kind) if "Output" in str(kind.__pydantic_fields__[field.name])]
    values = {name: unknown for name in inputs if isinstance(RIGHT[kind].get(name), str)}
    args = kind(**{**RIGHT[kind], **values})
    assert all(getattr(args, name) is unknown for name in values)


@given(st.integers(), st.integers())
def test_bounds_hold_for_any_number(memory: int, seconds: int) -> None:
    values = {**RIGHT[LambdaInferenceArgs], "memory_mb": memory, "timeout_seconds": seconds}
    wrong = [
        name
        for name, right in (("memory_mb", 128 <= memory <= 10240), ("timeout_seconds", 1 <= seconds <= 900))
        if not right
    ]
    if wrong:
        assert refused(LambdaInferenceArgs, **values).startswith(f"{len(wrong)} problem(s)")
    else:
        assert LambdaInferenceArgs(**values).memory_mb == memory


def test_subclasses_take_the_fields_of_their_base() -> None:
    @arguments
    class Base:
        number: int = 1

    @arguments
    class Derived(Base):
        number: int = 2
        text: str

    assert (Derived(text="x").number, Base().number) == (2, 1)
    assert refused(Derived, number="one").splitlines()[0] == "2 problem(s) in Derived:"
