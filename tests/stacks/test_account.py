"""What the account must allow is asked before anything is made."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest

from costs.book.quotas import of_instances, of_training, quotas
from stacks import platform_stack, window
from stacks.needs import needs
from stacks.settings import read

VALUES: dict[str, object] = {"aws:region": "eu-west-1", "shoestring:owner": "me@example.com"}
MEMBER = "999999999999"


def start(run: Any, stack: str, values: dict[str, object] | None = None, **world: Any) -> Any:
    settings = read(stack, VALUES | (values or {}))
    build = window.build if stack.endswith("-window") else platform_stack.build
    return run(lambda: build(settings), stack=stack, **world)  # type: ignore[arg-type]


def refusal(run: Any, stack: str, values: dict[str, object] | None = None, **world: Any) -> str:
    seen: list[str] = []
    with pytest.raises(Exception) as caught:
        start(run, stack, values, seen=seen, **world)
    assert not [kind for kind in seen if kind.startswith("aws:")], "something was made"
    return str(caught.value)


def test_a_window_without_quota_is_refused_with_the_command_that_asks_for_it(run: Any) -> None:
    message = refusal(run, "dev-window", quota=0)
    assert 'the quota "ml.m5.large for spot training job usage" is 0, and 1 is needed: 1 job(s)' in message
    assert (
        "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-29688C85 "
        "--desired-value 1 --region eu-west-1"
    ) in message


def test_a_window_with_enough_is_not(run: Any) -> None:
    assert start(run, "dev-window", quota=1).of("TrainingJob")


def test_a_quota_that_may_not_be_read_is_not_known(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text, *_, **__: said.append(text))
    assert start(run, "dev-window", quota=None).of("TrainingJob")
    assert re.match(r'not known: whether the quota "ml\.m5\.large for spot .* AccessDenied', said[0])


def test_nothing_is_reserved_of_an_accounts_concurrency(run: Any) -> None:
    functions = start(run, "dev", quota=10).of("Function")
    assert functions and not any("reservedConcurrentExecutions" in each.inputs for each in functions)


def test_a_reservation_that_a_new_account_cannot_give_is_refused(run: Any) -> None:
    asked: dict[str, object] = {"shoestring:inference": {"reservedConcurrency": 5}}
    message = refusal(run, "dev", asked, quota=10)
    assert 'the quota "Concurrent executions" is 10, and 105 is needed: inference.reservedConcurrency 5' in message
    assert "--service-code lambda --quota-code L-B99A9384 --desired-value 105" in message
    assert (
        start(run, "dev", asked, quota=105)
        .named("Function", "shoestring-dev-inference")
        .inputs["reservedConcurrentExecutions"]
        == 5
    )


def test_a_member_account_is_told_of_the_setting(run: Any) -> None:
    message = refusal(run, "dev", payer=MEMBER)
    assert "member account of an organization, whose bills 999999999999 pays" in message
    assert "pulumi config set --path shoestring:budget.anomalies none --stack dev" in message


@pytest.mark.parametrize("payer", [MEMBER, ""])
def test_the_setting_decides_what_is_watched(run: Any, payer: str) -> None:
    services = start(run, "dev", {"shoestring:budget": {"anomalies": "services"}}, payer=payer).one("AnomalyMonitor")
    assert (services.inputs["monitorType"], services.inputs["monitorDimension"]) == ("DIMENSIONAL", "SERVICE")
    nothing = start(run, "dev", {"shoestring:budget": {"anomalies": "none"}}, payer=payer)
    assert not nothing.of("AnomalyMonitor") and not nothing.of("AnomalySubscription")


def test_the_account_that_pays_watches_a_tag(run: Any) -> None:
    assert start(run, "dev", payer="123456789012").one("AnomalyMonitor").inputs["monitorType"] == "CUSTOM"


def test_machines_fall_under_the_quotas_that_aws_has_for_them() -> None:
    def code(kind: str, spot: bool) -> str | None:
        quota = of_instances(kind, spot)
        return quota and quota.code

    assert [code(kind, False) for kind in ("t4g.nano", "g4dn.xlarge", "p3.2xlarge", "im4gn.large", "inf2.xlarge")] == [
        "L-1216C47A", "L-DB2E81BA", "L-417A185B", "L-1216C47A", None,
    ]  # fmt: skip
    assert [code(kind, True) for kind in ("m5.large", "g5.xlarge", "p3.2xlarge", "p5.48xlarge")] == [
        "L-34B43A08", "L-3819A6DF", "L-7212CCBC", None,
    ]  # fmt: skip


def test_every_quota_is_one_of_aws() -> None:
    assert all(re.fullmatch("L-[0-9A-F]{8}", code) for code in quotas())
    assert of_training("ml.g4dn.xlarge", spot=True) == quotas()["L-944F78BB"]
    assert of_training("ml.g4dn.xlarge", spot=False) == quotas()["L-3F53BF0F"]
    assert of_training("ml.unheard.of", spot=False) is None


def test_the_spot_machine_of_the_platform_needs_spot_vcpus() -> None:
    settings = read("dev", VALUES | {"shoestring:mlflow": {"spot": True, "instanceType": "t4g.small"}})
    first = needs(settings)[0]
    assert first.quota and (first.quota.code, first.amount) == ("L-34B43A08", 2)
