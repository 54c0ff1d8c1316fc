"""What to change, with what it saves in a month and the line that does it: rules of thumb on what was billed. Pure.

A rule is a row of `RULES`: the usage types that it looks at, the share of their cost that goes, and how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costs.amounts import NOTHING, Range
from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from costs.report.analysis import Item, dollars
from costs.report.explorer import Row
from costs.report.periods import Period
from costs.report.unit_costs import Training

ZERO = Decimal(0)
DAYS_A_MONTH = Decimal(365) / 12
WORTH = Decimal("0.05")  # dollars a month: less is not worth anybody's minute
# What no tag can be put on.
UNTAGGABLE = ("AWS Cost Explorer", "AWS Budgets", "Tax", "AWS Support (Developer)", "AWS Support (Business)")


@dataclass(frozen=True)
class Advice:
    """One recommendation. `saves` is dollars a month, or nothing; `how` is a command or configuration line."""

    what: str
    why: str
    saves: Range
    how: str
    source: str


@dataclass(frozen=True)
class Rule:
    """`usage` is a part of the usage type; `share` of what it costs is saved."""

    usage: str
    share: Decimal
    what: str
    why: str
    how: str


RULES = (
    Rule("NatGateway", Decimal(1), "Remove the NAT gateway",
         "it is paid by the hour, used or not; gateway endpoints (S3, DynamoDB) and public subnets cost nothing by the "
         "hour",
         "aws ec2 delete-nat-gateway --nat-gateway-id ID    (better: take it out of the program, then pulumi up)"),
    Rule("PublicIPv4:IdleAddress", Decimal(1), "Release the idle public address",
         "an address that belongs to no running machine is paid like one in use",
         "aws ec2 release-address --allocation-id ID"),
    Rule("ElasticIP:IdleAddress", Decimal(1), "Release the idle elastic address",
         "an address that belongs to no running machine is paid like one in use",
         "aws ec2 release-address --allocation-id ID"),
    Rule("EBS:VolumeUsage.gp2", Decimal("0.2"), "Turn gp2 volumes into gp3",
         "gp3 lists at 0.08 $ for a GB a month, gp2 at 0.10, and it is not slower",
         "aws ec2 modify-volume --volume-type gp3 --volume-id ID"),
    Rule("VpcEndpoint-Hours", Decimal(1), "Question the interface endpoints",
         "each is paid by the hour and zone; S3 and DynamoDB have gateway endpoints for nothing",
         "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids ID    (better: take it out of the program, then pulumi up)"),
    Rule("Lambda-Provisioned-Concurrency", Decimal(1), "Drop provisioned concurrency",
         "it is paid while nobody calls",
         "aws lambda delete-provisioned-concurrency-config --function-name NAME --qualifier live"),
    Rule("Multi-AZUsage", Decimal("0.5"), "Single-AZ databases outside prod",
         "the second zone doubles the price",
         "pulumi config set --path shoestring:mlflow.database sqlite -s dev"),
)  # fmt: skip


def by_rules(rows: Sequence[Row], period: Period, taken: set[date], source: str) -> tuple[Advice, ...]:
    """What the rules of thumb find on the days that are whole, for a month of them."""
    found = []
    whole = [row for row in rows if row.day in period and row.day in taken]
    for rule in RULES:
        usd = sum((row.billed for row in whole if rule.usage in row.keys[1]), ZERO)
        if usd <= 0:
            continue
        saved = usd * rule.share / len(taken) * DAYS_A_MONTH
        if saved >= WORTH:
            why = f"{rule.why}; {dollars(usd)} on {_days(len(taken))}"
            basis = f"{source}, those days stretched to a month"
            found.append(Advice(rule.what, why, Range.of(saved), rule.how, basis))
    return tuple(found)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def by_jobs(found: Sequence[Training], period: Period, region: str, book: PriceBook) -> tuple[Advice, ...]:
    """Jobs that ran without spot, and what jobs that failed have wasted."""
    made = []
    for kind in sorted({each.job.instance_type for each in found if not each.job.spot and each.usd}):
        group = [each for each in found if each.job.instance_type == kind and not each.job.spot and each.usd]
        usd = sum((each.usd or ZERO for each in group), ZERO) * DAYS_A_MONTH / period.days
        share, source = _spot_share(kind, region, book)
        saves = Range(usd * (1 - share.high), usd * (1 - share.low))
        if saves.high >= WORTH:
            models = ", ".join(sorted({each.job.model for each in group}))
            made.append(Advice(f"Train {models} on spot capacity", f"{len(group)} of its jobs ran on demand on {kind}",
                               saves, "spot: true    (in its job file)", source))  # fmt: skip
    failed = [each for each in found if each.job.status == "Failed" and each.usd]
    usd = sum((each.usd or ZERO for each in failed), ZERO)
    if usd * DAYS_A_MONTH / period.days >= WORTH:
        names = ", ".join(each.job.name for each in failed[:3])
        made.append(Advice("Look at the jobs that failed", f"{dollars(usd)} went into {len(failed)} of them: {names}",
                           Range.of(usd * DAYS_A_MONTH / period.days), f"shoestring jobs logs {failed[0].job.name}",
                           failed[0].source))  # fmt: skip
    return tuple(made)


def _spot_share(kind: str, region: str, book: PriceBook) -> tuple[Range, str]:
    """What spot costs of on demand. A book without spot prices gives what AWS advertises."""
    try:
        found = book.spot("sagemaker-training", kind, region)
    except UnknownPrice as error:
        return Range.of("0.1", 1), f"AWS advertises up to 90 % off, and is never above on demand ({error})"
    return found.share, f"{found.source} ({found.as_of})"


def unallocated(services: Sequence[Item], environment: str, source: str) -> tuple[Advice, ...]:
    """What to do about spend that carries no Project tag, where it could carry one."""
    taggable = [item for item in services if item.name not in UNTAGGABLE]
    usd = sum((item.usd for item in taggable), ZERO)
    if usd < WORTH:
        return ()
    names = ", ".join(f"{item.name} {dollars(item.usd)}" for item in taggable[:3])
    return (
        Advice(
            "Tag what has no Project, or activate the tag",
            f"{dollars(usd)} belong to nobody: {names}",
            NOTHING,
            f"shoestring budget activate-tags -e {environment}    (once; what has no Project yet needs the tag)",
            source,
        ),
    )
