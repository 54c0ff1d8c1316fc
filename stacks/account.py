"""What the account must allow, asked before anything is made: its quotas, and its place in an organization.

The provider is asked, so that the answer is of the account and region that the stack goes to. What may not be read is a
warning: AWS then decides when the resource is made.
"""

from __future__ import annotations

import pulumi
from pulumi_aws import _utilities

from shoestring.base.errors import UserError
from stacks.needs import Need, needs, refusal, shortage
from stacks.settings import PlatformSettings, Settings

NO_ORGANIZATION = "AWSOrganizationsNotInUse"


def _ask(function: str, arguments: dict[str, str]) -> dict[str, object]:
    """The answer of one of the provider's functions. Raises Exception, for the SDK knows nothing narrower."""
    options = _utilities.get_invoke_opts_defaults()  # the version: without it, the engine starts a second provider
    return dict(pulumi.runtime.invoke(function, arguments, options).value or {})


def _not_known(what: str, error: Exception) -> None:
    pulumi.log.warn(f"not known: {what}; {' '.join(str(error).split())[:300]}")


def check_quotas(settings: Settings) -> None:
    """Raises UserError where a quota is too small for the stack."""
    missing: list[tuple[Need, float]] = []
    for need in needs(settings):
        if need.quota is None:
            pulumi.log.warn(f"not known: which quota AWS has for {need.purpose}")
            continue
        asked = {"serviceCode": need.quota.service, "quotaCode": need.quota.code}
        try:
            value = float(str(_ask("aws:servicequotas/getServiceQuota:getServiceQuota", asked)["value"]))
        except Exception as error:
            _not_known(f'whether the quota "{need.quota.name}" is enough', error)
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
        payer = str(_ask("aws:organizations/getOrganization:getOrganization", {})["masterAccountId"])
        account = str(_ask("aws:index/getCallerIdentity:getCallerIdentity", {})["accountId"])
    except Exception as error:
        if NO_ORGANIZATION not in str(error):
            _not_known("whether this is a member account of an organization, which may not watch a tag", error)
        return
    if payer != account:
        raise UserError(
            f"{account} is a member account of an organization, whose bills {payer} pays: AWS refuses it an anomaly "
            "monitor by a tag",
            "shoestring:budget.anomalies services (of which an account may have one), or none",
            f"pulumi config set --path shoestring:budget.anomalies services --stack {settings.environment}",
        )
