"""`shoestring doctor -e ENV`: whether the account's quotas are enough for what the environment's stacks need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from costs.book.quotas import Quota
from shoestring.base import aws
from shoestring.base.errors import UserError
from shoestring.base.names import window
from shoestring.environment import program_configuration
from shoestring.setup.doctor import Check
from stacks.needs import needs, request, shortage
from stacks.settings import read


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
            settings = read(stack, program_configuration(stack))
            value = reader(settings.region)
            needed = needs(settings)
        except UserError as error:
            checks.append(Check("quotas", False, error.found, error.mend or "what the lines above say"))
            continue
        for need in needed:
            if need.quota is None:
                found = f"not known: which quota AWS has for {need.purpose}"
                mend = "see Service Quotas in AWS's console"
                checks.append(Check("quotas", False, found, mend, needed=False, unknown=True))
                continue
            try:
                current = value(need.quota)
            except (ClientError, BotoCoreError) as error:
                found = f'not known: whether "{need.quota.name}" is {need.amount:.0f}: {error}'
                mend = "the right servicequotas:GetServiceQuota, then: shoestring doctor -e " + environment
                checks.append(Check("quotas", False, found, mend, needed=False, unknown=True))
                continue
            if lacking := shortage(need, current):
                mend = request(need.quota, need.amount, settings.region)
                checks.append(Check("quotas", False, lacking, mend))
            else:
                found = f'"{need.quota.name}" is {current:.0f}: {need.amount:.0f} for {need.purpose}'
                checks.append(Check("quotas", True, found))
    return checks
