"""A stack's configuration: every problem at once, before anything is made."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.lambda_inference import LambdaInferenceArgs
from components.mlflow_server import MlflowServerArgs
from components.network import NetworkArgs
from components.state_store import StateStoreArgs
from policies.budget.growth import FORM
from shoestring.base.errors import UserError
from shoestring.base.names import ENVIRONMENTS
from stacks import settings
from stacks.settings import PlatformSettings, WindowSettings, read
from stacks.window import lease

ROOT = Path(__file__).parents[2]
LEAST: dict[str, object] = {"aws:region": "us-east-1", "shoestring:owner": "me@example.com"}
PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())


def defaults() -> dict[str, object]:
    """What the engine hands a program for what nobody set: text, objects as JSON."""
    own = {f"shoestring:{key}": item["default"] for key, item in PROJECT["config"].items() if "default" in item}
    found = {**own, **{key: item["value"] for key, item in PROJECT["config"].items() if "value" in item}}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}


def problems(stack: str, values: dict[str, object]) -> str:
    with pytest.raises(UserError) as caught:
        read(stack, values)
    return str(caught.value)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_name_of_the_stack_decides(environment: str) -> None:
    assert isinstance(read(environment, LEAST), PlatformSettings)
    assert isinstance(read(f"{environment}-window", LEAST), WindowSettings)


@pytest.mark.parametrize(
    ("section", "args"),
    [
        (settings.Mlflow, MlflowServerArgs),
        (settings.Inference, LambdaInferenceArgs),
        (settings.State, StateStoreArgs),
        (settings.Network, NetworkArgs),
    ],
)
def test_a_section_has_the_bounds_and_defaults_of_its_component(section: Any, args: Any) -> None:
    for name, field in section.model_fields.items():
        argument = args.__pydantic_fields__[name]
        if field.default is not None:  # which means that the environment chooses
            assert (field.annotation, field.metadata) == (argument.annotation, argument.metadata), name
            assert argument.is_required() or field.default == argument.default, name


@given(st.text(max_size=20))
def test_other_names_are_refused_with_the_known_ones(name: str) -> None:
    if name.removesuffix("-window") in ENVIRONMENTS:
        return
    assert "dev and dev-window" in problems(name, LEAST)


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eu-isoe-west-1"])
@pytest.mark.parametrize("stack", ["dev", "dev-window"])
def test_regions_of_other_partitions_are_refused_with_the_reason(stack: str, region: str) -> None:
    found = problems(stack, {**LEAST, "aws:region": region})
    assert f"aws:region is '{region}': expected a region of AWS's commercial partition" in found
    assert f"pulumi config set aws:region us-east-1 --stack {stack}" in found


@pytest.mark.parametrize("stack", ["local", "local-window"])
def test_the_local_cloud_has_one_region(stack: str) -> None:
    assert "the one region of the local cloud" in problems(stack, {**LEAST, "aws:region": "eu-west-1"})
    assert read(stack.replace("local", "dev"), {**LEAST, "aws:region": "eu-west-1"}).region == "eu-west-1"


@pytest.mark.parametrize("stack", ["dev", "dev-window"])
def test_the_projects_defaults_are_the_programs(stack: str) -> None:
    given = defaults() | LEAST
    assert read(stack, given) == read(stack, LEAST)


@pytest.mark.parametrize("stack", [f"{env}{end}" for env in ENVIRONMENTS for end in ("", "-window")])
def test_the_stacks_lack_nothing_but_an_owner(stack: str) -> None:
    path = ROOT / f"Pulumi.{stack}.yaml"
    values = yaml.safe_load(path.read_text())["config"] if path.exists() else {}
    assert read(stack, defaults() | {"shoestring:owner": "me@example.com"} | values)
    if "shoestring:owner" not in values:
        found = problems(stack, defaults() | values)
        assert found.startswith("1 problem")
        assert f"pulumi config set shoestring:owner you@example.com --stack {stack}" in found


@pytest.mark.parametrize("stack", ["local", "local-window"])
def test_the_local_stacks_work_as_they_are(stack: str) -> None:
    values = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    assert values["encryptionsalt"].startswith("v1:")
    assert read(stack, defaults() | values["config"])


def test_all_problems_come_at_once_each_with_a_command() -> None:
    found = problems(
        "dev",
        {
            "shoestring:tem": "x",
            "shoestring:jobs": '["churn"]',
            "shoestring:mlflow": '{"volumeGb": 4, "spt": true}',
            "shoestring:network": '{"cidr": "8.8.0.0/16"}',
            "shoestring:inference": "7",
        },
    )
    for part in (
        "8 problem(s)",
        "aws:region is not set\n      pulumi config set aws:region us-east-1",
        "shoestring:owner is not set",
        "shoestring:tem is unknown; did you mean team?",
        "shoestring:mlflow.volumeGb is 4: should be greater than or equal to 8",
        "pulumi config set --path shoestring:mlflow.volumeGb 8",
        "shoestring:mlflow.spt is unknown; did you mean spot?",
        "shoestring:network.cidr is '8.8.0.0/16': expected a private network of /16 to /20",
        "shoestring:inference is '7'",
        "shoestring:jobs means nothing here; it belongs to dev-window",
    ):
        assert part in found


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ({"monthlyUsd": 0}, "should be greater than 0"),
        ({"monthlyUsd": "fifteen"}, "should be a valid decimal"),
        ({"monthlyUsd": "NaN"}, "should be a finite number"),
        ({"monthlyUsd": 12.345}, "no more than 2 decimal places"),
        ({"windowUsd": True}, "expected dollars"),
        ({"windowUsd": 10**9}, "should be less than or equal to 1000000"),
        ({"email": "perhaps"}, "should be true or false"),
        ({"monthlyUSD": 15}, "did you mean monthlyUsd?"),
        ([15], "should be an object"),
    ],
)
@pytest.mark.parametrize("stack", ["dev", "dev-window"])
def test_a_bad_budget_is_refused_with_a_command(stack: str, budget: object, said: str) -> None:
    found = problems(stack, LEAST | {"shoestring:budget": json.dumps(budget)})
    assert said in found
    assert "shoestring:budget" in found and "pulumi config " in found


@pytest.mark.parametrize(("environment", "usd"), [("local", 15), ("dev", 15), ("staging", 25), ("prod", 60)])
def test_an_environment_has_a_budget_of_its_own(environment: str, usd: int) -> None:
    for stack in (environment, f"{environment}-window"):
        assert read(stack, LEAST).monthly_usd == usd
        assert read(stack, LEAST | {"shoestring:budget": '{"monthlyUsd": 0.1}'}).monthly_usd == Decimal("0.1")
    assert read(environment, LEAST).alarms_by_mail is (environment != "local")
    assert read(environment, LEAST | {"shoestring:budget": '{"email": true}'}).alarms_by_mail


@pytest.mark.parametrize("key", ["environment", "region", "mlflow.spot", "Team"])
def test_no_key_gets_past_the_declared_ones(key: str) -> None:
    assert f"shoestring:{key} is unknown" in problems("dev", LEAST | {f"shoestring:{key}": "dev"})


def test_keys_of_other_namespaces_are_not_ours() -> None:
    assert read("dev", LEAST | {"aws:profile": "me", "other:team": "x"}) == read("dev", LEAST)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "instanceType": st.sampled_from(["t4g.nano", "t3.micro"]),
            "spot": st.booleans(),
            "volumeGb": st.integers(8, 1000),
            "database": st.sampled_from(["sqlite", "postgres"]),
        },
    )
)
def test_an_object_is_read_from_json_as_from_values(mlflow: dict[str, Any]) -> None:
    text = read("dev", LEAST | {"shoestring:mlflow": json.dumps(mlflow)})
    assert isinstance(text, PlatformSettings)
    assert text == read("dev", LEAST | {"shoestring:mlflow": mlflow})
    assert text.mlflow.model_dump(by_alias=True).items() >= mlflow.items()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["dev", "prod-window"]), st.dictionaries(st.sampled_from([*PROJECT["config"], "x"]), VALUES))
def test_whatever_is_set_gives_settings_or_problems_with_commands(stack: str, values: dict[str, Any]) -> None:
    try:
        assert read(stack, LEAST | {f"shoestring:{key}": value for key, value in values.items()})
    except UserError as error:
        count = int(re.match(r"\d+", str(error))[0])  # type: ignore[index]
        assert str(error).count("pulumi config ") >= count


@pytest.mark.parametrize(("environment", "destroyed"), [("local", True), ("dev", True), ("prod", False)])
def test_prod_keeps_its_bucket(environment: str, destroyed: bool) -> None:
    settings = read(environment, LEAST)
    assert isinstance(settings, PlatformSettings)
    assert settings.force_destroy is destroyed
    chosen = read(environment, LEAST | {"shoestring:state": {"forceDestroy": not destroyed}})
    assert isinstance(chosen, PlatformSettings)
    assert chosen.force_destroy is not destroyed


NOW = datetime(2030, 1, 31, 12, 30, 15, tzinfo=UTC)


def window(**values: object) -> WindowSettings:
    settings = read("dev-window", LEAST | {f"shoestring:{key}": value for key, value in values.items()})
    assert isinstance(settings, WindowSettings)
    return settings


def test_a_lease_begins_now() -> None:
    assert lease(window(leaseHours="2"), None, NOW) == "2030-01-31T14:30:00Z"


def test_a_running_lease_stays_and_an_ended_one_is_renewed() -> None:
    assert lease(window(), "2030-01-31T12:31:00Z", NOW) == "2030-01-31T12:31:00Z"
    assert lease(window(), "2030-01-31T12:30:00Z", NOW) == "2030-01-31T16:30:00Z"


def test_a_set_end_counts_whatever_was_before() -> None:
    until = window(leaseUntil="2030-02-01T01:00:00+01:00")
    assert lease(until, "2030-01-31T12:31:00Z", NOW) == "2030-02-01T00:00:00Z"


def test_a_time_without_a_zone_is_refused() -> None:
    assert "should have timezone info" in problems("dev-window", LEAST | {"shoestring:leaseUntil": "2030-01-31T18:00"})


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.integers(1, 168))
def test_a_lease_is_what_the_tag_and_the_next_up_read(now: datetime, hours: int) -> None:
    settings = window(leaseHours=hours)
    until = lease(settings, None, now)
    end = datetime.fromisoformat(until)
    assert timedelta(hours=hours) - timedelta(minutes=1) < end - now <= timedelta(hours=hours)
    assert lease(settings, until, now) == until


@pytest.mark.parametrize("value", ["agreed by Ann", "40", "40 Ann", "4.123 ann@example.com", "40 ann@example.com *"])
def test_an_override_says_how_much_who_and_why(value: str) -> None:
    said = problems("dev", {**LEAST, "shoestring:costOverride": value})
    assert "shoestring:costOverride" in said and "40 you@example.com why" in said


@pytest.mark.parametrize("value", ["40 ann@example.com", "40.50 ann@example.com more users: 4"])
def test_what_is_taken_as_an_override_the_policy_takes_too(value: str) -> None:
    assert read("dev", {**LEAST, "shoestring:costOverride": value}).tags()["shoestring:cost-override"] == value
    assert FORM.fullmatch(value)
