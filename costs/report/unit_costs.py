"""What the money bought: spot savings, the cost of a retraining and of 1,000 predictions. Pure, and in decimals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from costs.amounts import MILLION, THOUSAND
from costs.book.price import HOURS_A_MONTH, LAMBDA_COMPUTE, SECONDS_AN_HOUR, UnknownPrice
from costs.book.prices import PriceBook
from costs.report.account import Job, Predictions
from costs.report.explorer import Row

ZERO = Decimal(0)
SPOT = "Spot Instances"  # Cost Explorer's word for the purchase type
NO_TYPE = "NoInstanceType"


@dataclass(frozen=True)
class Saving:
    """What spot capacity cost, and what the same hours cost on demand at list price."""

    name: str
    hours: Decimal
    usd: Decimal
    on_demand_usd: Decimal
    source: str

    @property
    def saved(self) -> Decimal:
        """Dollars; below 0 where spot was dearer."""
        return self.on_demand_usd - self.usd


@dataclass(frozen=True)
class Spot:
    """All spot capacity of the period; `unpriced` names what no list price is known for and is in no sum."""

    savings: tuple[Saving, ...]
    unpriced: tuple[str, ...] = ()

    @property
    def saved(self) -> Decimal:
        """Dollars."""
        return sum((each.saved for each in self.savings), ZERO)

    @property
    def on_demand(self) -> Decimal:
        """Dollars that it would have cost."""
        return sum((each.on_demand_usd for each in self.savings), ZERO)


@dataclass(frozen=True)
class Training:
    """One finished job, priced; None where its instance has no list price."""

    job: Job
    usd: Decimal | None
    on_demand_usd: Decimal | None
    source: str


@dataclass(frozen=True)
class Model:
    """A model's retrainings: those that completed, and what the others wasted."""

    name: str
    completed: int
    usd: Decimal
    other: int
    wasted_usd: Decimal

    @property
    def mean(self) -> Decimal | None:
        """Dollars for one completed retraining, the failed ones left out."""
        return self.usd / self.completed if self.completed else None


@dataclass(frozen=True)
class PerThousand:
    """What a thousand predictions cost: `usd` of the function at list price, and `billed_usd` of all Lambda functions
    of the environment, an upper bound. None: nobody can say, and `why` says why."""

    predictions: int
    requests: int
    usd: Decimal | None
    per_thousand: Decimal | None
    billed_usd: Decimal
    billed_per_thousand: Decimal | None
    source: str
    counted: str
    why: str = ""


def training(job: Job, region: str, book: PriceBook) -> Training:
    """A job at list price: its instances for the billable seconds, their disks for as long as it ran.

    Managed spot has no price of its own: AWS lowers the billable seconds, so that the saving on the instance is
    1 - billable / training seconds (`BillableTimeInSeconds`, `TrainingTimeInSeconds`).
    """
    try:
        instance = book.price("sagemaker-training", job.instance_type, region)
        stored = book.price("sagemaker", "training-storage", region)
    except UnknownPrice as error:
        return Training(job, None, None, str(error))
    ran = job.training_seconds / SECONDS_AN_HOUR
    disk = job.volume_gb * (ran / HOURS_A_MONTH) * stored.usd
    billed = min(job.billable_seconds, job.training_seconds) / SECONDS_AN_HOUR
    source = f"billable seconds at list price of {instance.as_of}"
    return Training(
        job, (billed * instance.usd + disk) * job.instances, (ran * instance.usd + disk) * job.instances, source
    )


def models(found: Sequence[Training]) -> tuple[Model, ...]:
    """By model, the dearest first. Jobs without a price are left out."""
    groups: dict[str, list[Training]] = defaultdict(list)
    for training in found:
        if training.usd is not None:
            groups[training.job.model].append(training)

    def summed(each: Iterable[Training]) -> Decimal:
        return sum((training.usd or ZERO for training in each), ZERO)

    made = []
    for name, group in groups.items():
        done = [training for training in group if training.job.status == "Completed"]
        rest = [training for training in group if training.job.status != "Completed"]
        made.append(Model(name, len(done), summed(done), len(rest), summed(rest)))
    return tuple(sorted(made, key=lambda model: (-model.usd - model.wasted_usd, model.name)))


def mean(found: Sequence[Model]) -> Decimal | None:
    """Dollars for one completed retraining over all models."""
    count = sum(model.completed for model in found)
    return sum((model.usd for model in found), ZERO) / count if count else None


def spot(found: Sequence[Training], rows: Sequence[Row], region: str, book: PriceBook) -> Spot:
    """Managed spot training by instance type, and EC2 instances that were bought as spot."""
    savings, unpriced = [], []
    groups: dict[str, list[Training]] = defaultdict(list)
    for training in found:
        if training.job.spot:
            groups[training.job.instance_type].append(training)
    for name, group in sorted(groups.items()):
        priced = [(each, each.usd, each.on_demand_usd) for each in group if each.usd is not None]
        if len(priced) < len(group):
            unpriced.append(f"{name}: {group[0].source}")
            continue
        seconds = sum(each.job.training_seconds * each.job.instances for each, _, _ in priced)
        usd = sum((usd or ZERO for _, usd, _ in priced), ZERO)
        full = sum((full or ZERO for _, _, full in priced), ZERO)
        savings.append(Saving(f"SageMaker {name}", seconds / SECONDS_AN_HOUR, usd, full, priced[0][0].source))
    hours: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.keys[0] == SPOT and row.keys[1] != NO_TYPE:
            hours[row.keys[1]].append(row)
    for name, group_rows in sorted(hours.items()):
        try:
            price = book.price("ec2", name, region)
        except UnknownPrice as error:
            unpriced.append(f"{name}: {error}")
            continue
        quantity = sum((row.quantity for row in group_rows), ZERO)
        usd = sum((row.billed for row in group_rows), ZERO)
        source = f"billed by Cost Explorer, against list price of {price.as_of}"
        savings.append(Saving(f"EC2 {name}", quantity, usd, quantity * price.usd, source))
    return Spot(tuple(savings), tuple(unpriced))


def per_thousand(found: Predictions | None, billed: Decimal, region: str, book: PriceBook) -> PerThousand:
    """What a thousand predictions cost; `billed` is what Cost Explorer shows for Lambda."""
    if found is None:
        return PerThousand(0, 0, None, None, billed, None, "", "", "the function's log and metrics cannot be read")
    requests, count = found.requests, found.requests if found.rows is None else found.rows
    if not count:
        return PerThousand(0, requests, None, None, billed, None, "", found.source, "nothing was predicted")
    bound = billed / count * THOUSAND if billed else None  # nothing: within the free tier, or not in yet
    try:
        compute = book.price("lambda", LAMBDA_COMPUTE[found.architecture], region)
        request = book.price("lambda", "requests", region)
    except (UnknownPrice, KeyError) as error:
        return PerThousand(count, requests, None, None, billed, bound, "", found.source, f"no list price: {error}")
    usd = found.gb_seconds * compute.usd + requests / MILLION * request.usd
    source = f"billed GB-seconds and requests at list price of {compute.as_of}"
    return PerThousand(count, requests, usd, usd / count * THOUSAND, billed, bound, source, found.source)
