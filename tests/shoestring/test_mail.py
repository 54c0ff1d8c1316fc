"""`shoestring doctor -e ENV` on the owner's subscription to the alarms."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from shoestring import mail
from shoestring.setup.doctor import Check, render

OWNER, ACCOUNT = "ann@example.com", "123456789012"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:shoestring-dev-costs"
OWN = f"{TOPIC}:0b5b4b0e-0000-4000-8000-000000000000"


def listed(*arns: str, endpoint: str = OWNER) -> list[dict[str, str]]:
    function = {"SubscriptionArn": f"{TOPIC}:1", "Protocol": "lambda", "Endpoint": "arn:aws:lambda:us-east-1:1:f"}
    return [function, *({"SubscriptionArn": arn, "Protocol": "email", "Endpoint": endpoint} for arn in arns)]


def examine(
    monkeypatch: pytest.MonkeyPatch, subscriptions: list[dict[str, str]] | str, **configured: str
) -> list[Check]:
    """What is said where AWS lists these subscriptions, or refuses with this code."""
    clients = {name: boto3.client(name, region_name="us-east-1") for name in ("sns", "sts")}
    values = {"aws:region": "us-east-1", "shoestring:owner": OWNER, **configured}
    monkeypatch.setattr(mail, "program_configuration", lambda stack: values)
    monkeypatch.setattr(mail.aws, "client", lambda service, **_: clients[service])
    with Stubber(clients["sts"]) as sts, Stubber(clients["sns"]) as sns:
        sts.add_response("get_caller_identity", {"Account": ACCOUNT})
        if isinstance(subscriptions, str):
            sns.add_client_error("list_subscriptions_by_topic", subscriptions, "no")
        else:
            sns.add_response("list_subscriptions_by_topic", {"Subscriptions": subscriptions}, {"TopicArn": TOPIC})
            sns.add_response("get_subscription_attributes", {"Attributes": {"PendingConfirmation": "false"}})
        return mail.examine_mail("dev")


def one(checks: list[Check]) -> Check:
    (check,) = checks
    return check


def test_a_confirmed_subscription_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(examine(monkeypatch, listed(OWN))) == Check("mail", True, f"{OWNER} gets the alarms")


def test_a_pending_one_is_named_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    check = one(examine(monkeypatch, listed("PendingConfirmation")))
    assert not check.good and not check.needed  # the guard closes the gate without it
    assert f"{OWNER} has not confirmed the alarms: 48 hours" in check.found
    assert "AWS Notification - Subscription Confirmation" in check.mend
    assert render([check]).startswith("absent mail")


@pytest.mark.parametrize("subscriptions", [listed(), listed("Deleted"), listed(OWN, endpoint="eve@example.com")])
def test_one_that_is_not_there_is_made_by_an_update(
    monkeypatch: pytest.MonkeyPatch, subscriptions: list[dict[str, str]]
) -> None:
    check = one(examine(monkeypatch, subscriptions))
    assert not check.good and "there is no subscription" in check.found
    assert check.mend == "pulumi up --refresh --stack dev --policy-pack policies"


def test_what_may_not_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    check = one(examine(monkeypatch, "AuthorizationError"))
    assert check.unknown and not check.good and "sns:List*" in check.mend


def test_nothing_is_said_where_nothing_is_mailed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert examine(monkeypatch, "NotFound") == []  # no platform is up
    assert examine(monkeypatch, "AuthorizationError", **{"shoestring:budget": '{"email": false}'}) == []
