"""What a stack needs of the account's quotas, and what to do about one that is too small."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from costs.book.quotas import CONCURRENCY, UNRESERVED, Quota, of_instances, of_training, quotas
from costs.book.shapes import vcpus
from shoestring.base.errors import MEND
from stacks.settings import PlatformSettings, Settings

FUNCTIONS = 3  # of a platform: inference, the guard of its budget, the weekly report


@dataclass(frozen=True)
class Need:
    """So much of a quota, and what for; `quota` is None where none is known for it."""

    quota: Quota | None
    amount: float
    purpose: str


def needs(settings: Settings) -> list[Need]:
    """What a stack with these settings needs at the same time. Reads the job files of a window."""
    if not isinstance(settings, PlatformSettings):
        from training.prepare import jobfile  # here, for it is heavy: a platform does without

        jobs = [jobfile.load(jobfile.find(name)) for name in settings.jobs]
        counted = Counter((job.instance_type, job.spot) for job in jobs)
        return [
            Need(of_training(kind, spot), count, f"{count} job(s) on {kind}{' spot' if spot else ''}")
            for (kind, spot), count in counted.items()
        ]
    kind, spot = settings.mlflow.instance_type, settings.mlflow.spot
    machine = Need(of_instances(kind, spot), float(vcpus(kind) or 1), f"vCPUs of the MLflow server's {kind}")
    reserved, concurrency = settings.inference.reserved_concurrency, quotas()[CONCURRENCY]
    if reserved is None:
        return [machine, Need(concurrency, FUNCTIONS, "functions at the same time")]
    purpose = f"inference.reservedConcurrency {reserved}, and the {UNRESERVED} that AWS keeps unreserved"
    return [machine, Need(concurrency, reserved + UNRESERVED, purpose)]


def request(quota: Quota, amount: float, region: str) -> str:
    """The command that asks AWS for more of a quota."""
    return (
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} "
        f"--quota-code {quota.code} --desired-value {amount:.0f} --region {region}"
    )


def shortage(need: Need, value: float) -> str:
    """What is missing of a quota; empty where it is enough."""
    if need.quota is None or value >= need.amount:
        return ""
    return f'the quota "{need.quota.name}" is {value:.0f}, and {need.amount:.0f} is needed: {need.purpose}'


def refusal(missing: list[tuple[Need, float]], region: str) -> str:
    """All that is missing, each with the command that asks for it."""
    lines = []
    for need, value in missing:
        assert need.quota
        lines += [shortage(need, value), MEND + request(need.quota, need.amount, region)]
    lines.append("  AWS answers small requests within minutes, and asks a person about others: hours, or days")
    return "\n".join(lines)
