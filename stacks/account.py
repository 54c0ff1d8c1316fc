"""What the account must allow, asked before anything is made: its quotas, and its place in an organization.

The provider is asked, so that the answer is of the account and region that the stack goes to. What may not be read is a
warning: AWS then decides when the resource is made.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_aws import _utilities

from shoestring.base.errors import UserError
from stacks.needs import Need, needs, refusal, shortage
from stacks.settings import PlatformSettings, Settings

READS, PAUSE = 20, 0.1  # of the stack's own state, and seconds between two
NO_ORGANIZATION = "AWSOrganizationsNotInUse"
INVOKED = re.compile(r"^invoke of (\S+) failed: (\1: )?")


def ask(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The answer of one of the provider's functions. Raises Exception, for the SDK knows nothing narrower."""
    options = _utilities.get_invoke_opts_defaults()  # the version: without it, the engine starts a second provider
    return dict(pulumi.runtime.invoke(function, arguments, options).value or {})


def outputs_before(reads: int = READS) -> Mapping[str, Any]:
    """The outputs of this very stack, as its last update left them.

    The engine writes the stack's state while its program runs. A StackReference that meets half a file fails the whole
    update; a function can be called again.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    try:
        answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name}).value or {}
    except Exception as error:  # the SDK raises nothing narrower
        if reads == 1 or "failed to load checkpoint" not in str(error):
            raise
        time.sleep(PAUSE)
        return outputs_before(reads - 1)
    return dict(answer["outputs"])


def not_known(what: str, error: Exception) -> None:
    """Warns of what the account did not say, without the engine's words around its reason."""
    reason = INVOKED.sub("", " ".join(str(error).split()))
    pulumi.log.warn(f"not known: {what}; {reason[:300]}")


def check_quotas(settings: Settings) -> None:
    """Raises UserError where a quota is too small for the stack."""
    missing: list[tuple[Need, float]] = []
    for need in needs(settings):
        if need.quota is None:
            pulumi.log.warn(f"not known: which quota AWS has for {need.purpose}")
            continue
        asked = {"serviceCode": need.quota.service, "quotaCode": need.quota.code}
        try:
            value = float(str(ask("aws:servicequotas/getServiceQuota:getServiceQuota", asked)["value"]))
        except Exception as error:
            not_known(f'whether the quota "{need.quota.name}" is enough', error)
            continue
        if shortage(need, value):
            missing.append((need, value))
    if missing:
        raise UserError(refusal(missing, settings.region))


def check_monitor(settings: PlatformSettings) -> None:
    """Raises UserError where AWS would refuse the anomaly monitor: by a tag, in a member account."""
    if settings.budget.anomalies != "tag":
        return
    try:
        payer = str(ask("aws:organizations/getOrganization:getOrganization", {})["masterAccountId"])
        account = str(ask("aws:index/getCallerIdentity:getCallerIdentity", {})["accountId"])
    except Exception as error:
        if NO_ORGANIZATION not in str(error):
            not_known("whether this is a member account of an organization, which may not watch a tag", error)
        return
    if payer != account:
        raise UserError(
            f"{account} is a member account of an organization, whose bills {payer} pays: AWS refuses it an anomaly "
            "monitor by a tag",
            "shoestring:budget.anomalies none, or services where the account has no such monitor yet (AWS makes one as "
            "Cost Explorer is enabled)",
            f"pulumi config set --path shoestring:budget.anomalies none --stack {settings.environment}",
        )
