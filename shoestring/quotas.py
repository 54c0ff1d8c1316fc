"""`shoestring doctor -e ENV`: whether the account's quotas are enough for what the environment's stacks need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from costs.book.quotas import Quota
from shoestring.base import aws
from shoestring.base.errors import UserError
from shoestring.base.names import window
from shoestring.base.paths import ROOT
from shoestring.environment import configuration
from shoestring.setup.doctor import Check
from stacks.needs import needs, request, shortage
from stacks.settings import Settings, read

OWNER = "shoestring:owner"  # each environment must set it, but no quota depends on it


def settings_of(stack: str) -> Settings:
    """The settings of a stack, also of one that nobody has made yet. Raises UserError for what they cannot be."""
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    defaults = {
        f"shoestring:{key}": described["default"] for key, described in declared.items() if "default" in described
    }
    values = {**defaults, **configuration(stack)}
    return read(stack, {**values, OWNER: values.get(OWNER) or "you@example.com"})


def reader(region: str) -> Callable[[Quota], float]:
    """What tells a quota's value in a region: the account's own, or AWS's default where it has none of its own."""
    client = aws.client("service-quotas", region_name=region)

    def value(quota: Quota) -> float:
        which = {"ServiceCode": quota.service, "QuotaCode": quota.code}
        try:
            answer: dict[str, Any] = client.get_service_quota(**which)
        except client.exceptions.NoSuchResourceException:
            answer = client.get_aws_default_service_quota(**which)
        return float(answer["Quota"]["Value"])

    return value


def examine_quotas(environment: str) -> list[Check]:
    """A check for each quota that the platform and the training window of an environment need."""
    checks: list[Check] = []
    for stack in (environment, window(environment)):
        try:
            settings = settings_of(stack)
            value = reader(settings.region)
            needed = needs(settings)
        except UserError as error:
            checks.append(Check("quotas", False, error.found, error.mend or "what the lines above say"))
            continue
        for need in needed:
            if need.quota is None:
                found = f"not known: which quota AWS has for {need.purpose}"
                checks.append(Check("quotas", False, found, "see Service Quotas in AWS's console", needed=False))
                continue
            try:
                current = value(need.quota)
            except (ClientError, BotoCoreError) as error:
                found = f'not known: whether "{need.quota.name}" is {need.amount:.0f}: {error}'
                mend = "the right servicequotas:GetServiceQuota, then: shoestring doctor -e " + environment
                checks.append(Check("quotas", False, found, mend, needed=False))
                continue
            if lacking := shortage(need, current):
                mend = request(need.quota, need.amount, settings.region)
                checks.append(Check("quotas", False, lacking, mend))
            else:
                found = f'"{need.quota.name}" is {current:.0f}: {need.amount:.0f} for {need.purpose}'
                checks.append(Check("quotas", True, found))
    return checks
