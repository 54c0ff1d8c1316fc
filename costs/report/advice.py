"""What to change, with what it saves in a month and the line that does it: rules of thumb on what was billed. Pure.

A rule is a row of `RULES`: the usage types that it looks at, the share of their cost that goes, and how.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costs.amounts import NOTHING, Range, dollars
from costs.book.prices import PriceBook
from costs.report.analysis import Item
from costs.report.explorer import BilledRow
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
class RuleOfThumb:
    """`usage` is a part of the usage type; `share` of what it costs is saved."""

    usage: str
    share: Decimal
    what: str
    why: str
    how: str


RULES = (
    RuleOfThumb("NatGateway", Decimal(1), "Remove the NAT gateway",
        "it is paid by the hour, used or not; gateway endpoints (S3, DynamoDB) and public subnets cost nothing by the "
        "hour",
        "aws ec2 delete-nat-gateway --nat-gateway-id ID    (better: take it out of the program, then pulumi up)"),
    RuleOfThumb("IdleAddress", Decimal(1), "Release the idle public address",
        "an address that belongs to no running machine is paid like one in use",
        "aws ec2 release-address --allocation-id ID"),
    RuleOfThumb("VpcEndpoint-Hours", Decimal(1), "Question the interface endpoints",
        "each is paid by the hour and zone; S3 and DynamoDB have gateway endpoints for nothing",
        "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids ID    (better: take it out of the program, then pulumi up)"),
    RuleOfThumb("Lambda-Provisioned-Concurrency", Decimal(1), "Drop provisioned concurrency",
        "it is paid while nobody calls",
        "aws lambda delete-provisioned-concurrency-config --function-name NAME --qualifier live"),
    RuleOfThumb("Multi-AZUsage", Decimal("0.5"), "Single-AZ databases outside prod",
        "the second zone doubles the price",
        "pulumi config set --path shoestring:mlflow.database sqlite -s dev"),
)  # fmt: skip


def _rules(region: str, book: PriceBook) -> Iterator[RuleOfThumb]:
    """Those whose share is always the same, and those that have it from the price book."""
    yield from RULES
    old, new = (book.find("ebs", kind, region) for kind in ("gp2", "gp3"))
    if old and new:
        yield RuleOfThumb("EBS:VolumeUsage.gp2", 1 - new.usd / old.usd, "Turn gp2 volumes into gp3",
            f"gp3 lists at ${new.usd} for a GB a month, gp2 at ${old.usd}, and it is not slower",
            "aws ec2 modify-volume --volume-type gp3 --volume-id ID")  # fmt: skip


def by_rules(
    rows: Sequence[BilledRow], period: Period, comparable_days: set[date], source: str, region: str, book: PriceBook
) -> Iterator[Advice]:
    """What the rules of thumb say of the days that are whole, for a month of them."""
    whole = [row for row in rows if row.day in period and row.day in comparable_days]
    days = "1 day" if len(comparable_days) == 1 else f"{len(comparable_days)} days"
    for rule in _rules(region, book):
        usd = sum((row.billed for row in whole if rule.usage in row.keys[1]), ZERO)
        if usd > 0 and (saved := usd * rule.share / len(comparable_days) * DAYS_A_MONTH) >= WORTH:
            why, basis = f"{rule.why}; {dollars(usd)} on {days}", f"{source}, those days stretched to a month"
            yield Advice(rule.what, why, Range.of(saved), rule.how, basis)


def by_jobs(trainings: Sequence[Training], period: Period, region: str, book: PriceBook) -> Iterator[Advice]:
    """Jobs that ran without spot, and what jobs that failed have wasted."""

    def spent(group: Sequence[Training]) -> Decimal:
        return sum((training.usd or ZERO for training in group), ZERO)

    def a_month(group: Sequence[Training]) -> Decimal:
        return spent(group) * DAYS_A_MONTH / period.days

    paid = [training for training in trainings if training.usd]
    on_demand = [training for training in paid if not training.job.spot]
    for kind in sorted({training.job.instance_type for training in on_demand}):
        group = [training for training in on_demand if training.job.instance_type == kind]
        spot, usd = book.spot("sagemaker-training", kind, region), a_month(group)
        saves, share = Range(usd * (1 - spot.share.high), usd * (1 - spot.share.low)), spot.share.expected
        saves = saves.around(None if share is None else usd * (1 - share))
        if saves.high >= WORTH:
            models = ", ".join(sorted({training.job.model for training in group}))
            yield Advice(f"Train {models} on spot capacity", f"{len(group)} of its jobs ran on demand on {kind}", saves,
                         "spot: true    (in its job file)", f"{spot.source} ({spot.as_of})")  # fmt: skip
    failed = [training for training in paid if training.job.status == "Failed"]
    if (usd := a_month(failed)) >= WORTH:
        names = [training.job.name for training in failed[:3]]
        why = f"{dollars(spent(failed))} went into {len(failed)} of them: {', '.join(names)}"
        yield Advice("Look at the jobs that failed", why, Range.of(usd), f"shoestring jobs logs {names[0]}",
                     failed[0].source)  # fmt: skip


def unallocated(services: Sequence[Item], environment: str, source: str) -> Iterator[Advice]:
    """What to do about spend that carries no Project tag, where it could carry one."""
    taggable = [item for item in services if item.name not in UNTAGGABLE]
    usd = sum((item.usd for item in taggable), ZERO)
    if usd >= WORTH:
        names = ", ".join(f"{item.name} {dollars(item.usd)}" for item in taggable[:3])
        yield Advice(
            "Tag what has no Project, or activate the tag",
            f"{dollars(usd)} belong to nobody: {names}",
            NOTHING,
            f"shoestring budget activate-tags -e {environment}    (once; what has no Project yet needs the tag)",
            source,
        )
