"""`shoestring doctor -e ENV` on the account's quotas."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from costs.book.quotas import Quota
from shoestring import quotas
from shoestring.environment import local_environment
from shoestring.setup.doctor import Check, render

SPOT = "ml.m5.large for spot training job usage"


def of(checks: list[Check], name: str) -> Check:
    (check,) = (check for check in checks if name in check.found)
    return check


@pytest.fixture
def account(cloud: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says what kind of account the running local cloud is."""
    for name, value in local_environment(cloud).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the keys that it was made with
    return Path(cloud["home"]) / "cloud" / "account.json"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from localcloud import supervisor

    home = tmp_path_factory.mktemp("home")
    yield {**supervisor.up(home), "home": str(home)}
    supervisor.down(home)


def test_a_new_local_account_has_what_the_demo_needs(account: Path) -> None:
    checks = quotas.examine_quotas("local")
    assert {check.name for check in checks} == {"quotas"} and all(check.good for check in checks)
    assert SPOT in checks[-1].found


def test_what_is_missing_is_named_and_its_command_mends_it(account: Path) -> None:
    account.write_text(json.dumps({"quotas": {SPOT: 0}}))
    check = of(quotas.examine_quotas("local"), SPOT)
    assert not check.good and check.needed
    words = shlex.split(check.mend)
    assert words[:3] == ["aws", "service-quotas", "request-service-quota-increase"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    boto3.client("service-quotas", region_name=given["--region"]).request_service_quota_increase(
        ServiceCode=given["--service-code"], QuotaCode=given["--quota-code"],
        DesiredValue=float(given["--desired-value"]),
    )  # fmt: skip
    assert of(quotas.examine_quotas("local"), SPOT).good


def test_what_may_not_be_read_is_unknown_and_never_a_tick(account: Path) -> None:
    account.write_text(json.dumps({"hide_quotas": True}))
    checks = quotas.examine_quotas("local")
    assert checks and not any(check.good or check.needed for check in checks)
    lines = render(checks).splitlines()
    assert lines[0].startswith("unknown quotas")
    assert not any(line.startswith("ok") for line in lines)


def test_a_stack_that_nobody_configured_is_asked_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "reader", lambda region: lambda quota: 0.0)
    checks = quotas.examine_quotas("prod")
    assert len(checks) == 3 and not any(check.good for check in checks)


def test_awss_default_counts_where_the_account_has_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        class exceptions:  # as botocore calls it
            NoSuchResourceException = ClientError

        def get_service_quota(self, **which: str) -> Any:
            raise ClientError({"Error": {"Code": "NoSuchResourceException", "Message": "none"}}, "GetServiceQuota")

        def get_aws_default_service_quota(self, **which: str) -> Any:
            return {"Quota": {"Value": 7.0}}

    monkeypatch.setattr(quotas.aws, "client", lambda *_, **__: Client())
    assert quotas.reader("us-east-1")(Quota("lambda", "L-1", "x", 0, 0)) == 7
