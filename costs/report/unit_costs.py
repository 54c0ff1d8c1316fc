"""What the money bought: spot savings, the cost of a retraining and of 1,000 predictions. Pure, and in decimals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from costs.amounts import MILLION, THOUSAND
from costs.book.price import HOURS_A_MONTH, LAMBDA_COMPUTE, SECONDS_AN_HOUR, UnknownPrice
from costs.book.prices import PriceBook
from costs.report.account import Job, Predictions
from costs.report.explorer import BilledRow

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
    def saved_usd(self) -> Decimal:
        """Below 0 where spot was dearer."""
        return self.on_demand_usd - self.usd


@dataclass(frozen=True)
class SpotSavings:
    """All spot capacity of the period; `unpriced` names what no list price is known for and is in no sum."""

    savings: tuple[Saving, ...]
    unpriced: tuple[str, ...] = ()

    @property
    def saved_usd(self) -> Decimal:
        """Below 0 where spot was dearer."""
        return sum((saving.saved_usd for saving in self.savings), ZERO)

    @property
    def on_demand_usd(self) -> Decimal:
        """What it would have cost."""
        return sum((saving.on_demand_usd for saving in self.savings), ZERO)


@dataclass(frozen=True)
class Training:
    """One finished job, priced; None where its instance has no list price."""

    job: Job
    usd: Decimal | None
    on_demand_usd: Decimal | None
    source: str


@dataclass(frozen=True)
class Retrainings:
    """Those of one model: what completed, and what the others wasted."""

    name: str
    completed: int
    usd: Decimal
    not_completed: int
    wasted_usd: Decimal

    @property
    def mean_usd(self) -> Decimal | None:
        """For one completed retraining, the failed ones left out."""
        return self.usd / self.completed if self.completed else None


@dataclass(frozen=True)
class PredictionCosts:
    """What predictions cost: `usd` of the function at list price, and `lambda_billed_usd` of all Lambda functions of
    the environment, an upper bound. None: nobody can say, and `why_not` says why."""

    lambda_billed_usd: Decimal
    predictions: int = 0
    requests: int = 0
    usd: Decimal | None = None
    per_thousand_usd: Decimal | None = None
    lambda_billed_per_thousand_usd: Decimal | None = None
    source: str = ""
    counted: str = ""
    why_not: str = ""


def training(job: Job, region: str, book: PriceBook) -> Training:
    """A job at the list price of the region in which it ran: its instances for the billable seconds, their disks for
    as long as it ran. `region` counts where the job's own is not known.

    Managed spot has no price of its own: AWS lowers the billable seconds, so that the saving on the instance is
    1 - billable / training seconds (`BillableTimeInSeconds`, `TrainingTimeInSeconds`).
    """
    region = job.region or region
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


def models(trainings: Sequence[Training]) -> tuple[Retrainings, ...]:
    """By model, the dearest first. Jobs without a price are left out."""
    priced = [(training.job, training.usd) for training in trainings if training.usd is not None]
    retrainings = []
    for name in {job.model for job, _ in priced}:
        done = [usd for job, usd in priced if job.model == name and job.status == "Completed"]
        other = [usd for job, usd in priced if job.model == name and job.status != "Completed"]
        retrainings.append(Retrainings(name, len(done), sum(done, ZERO), len(other), sum(other, ZERO)))
    return tuple(sorted(retrainings, key=lambda model: (-model.usd - model.wasted_usd, model.name)))


def mean(models: Sequence[Retrainings]) -> Decimal | None:
    """Dollars for one completed retraining of any model."""
    completed = sum(model.completed for model in models)
    return sum((model.usd for model in models), ZERO) / completed if completed else None


def spot(trainings: Sequence[Training], rows: Sequence[BilledRow], region: str, book: PriceBook) -> SpotSavings:
    """Managed spot training by instance type, and EC2 instances that were bought as spot."""
    savings, unpriced = [], []
    on_spot = [training for training in trainings if training.job.spot]
    for name in sorted({training.job.instance_type for training in on_spot}):
        group = [training for training in on_spot if training.job.instance_type == name]
        if any(training.usd is None for training in group):
            unpriced.append(f"{name}: {group[0].source}")
            continue
        seconds = sum(training.job.training_seconds * training.job.instances for training in group)
        usd = sum((training.usd or ZERO for training in group), ZERO)
        on_demand = sum((training.on_demand_usd or ZERO for training in group), ZERO)
        savings.append(Saving(f"SageMaker {name}", seconds / SECONDS_AN_HOUR, usd, on_demand, group[0].source))
    instances = [row for row in rows if row.keys[0] == SPOT and row.keys[1] != NO_TYPE]
    for name in sorted({row.keys[1] for row in instances}):
        bought = [row for row in instances if row.keys[1] == name]
        try:
            price = book.price("ec2", name, region)
        except UnknownPrice as error:
            unpriced.append(f"{name}: {error}")
            continue
        hours = sum((row.quantity for row in bought), ZERO)
        usd = sum((row.billed for row in bought), ZERO)
        source = f"billed by Cost Explorer, against list price of {price.as_of}"
        savings.append(Saving(f"EC2 {name}", hours, usd, hours * price.usd, source))
    return SpotSavings(tuple(savings), tuple(unpriced))


def per_thousand(used: Predictions | None, billed: Decimal, region: str, book: PriceBook) -> PredictionCosts:
    """What predictions cost; `billed` is what Cost Explorer shows for Lambda."""
    costs = PredictionCosts(billed)
    if used is None:
        return replace(costs, why_not="the function's log and metrics cannot be read")
    count = used.requests if used.rows is None else used.rows
    costs = replace(costs, predictions=count, requests=used.requests, counted=used.source)
    if not count:
        return replace(costs, why_not="nothing was predicted")
    if billed:  # nothing: within the free tier, or not in yet
        costs = replace(costs, lambda_billed_per_thousand_usd=billed / count * THOUSAND)
    try:
        compute = book.price("lambda", LAMBDA_COMPUTE[used.architecture], region)
        request = book.price("lambda", "requests", region)
    except (UnknownPrice, KeyError) as error:
        return replace(costs, why_not=f"no list price: {error}")
    usd = used.gb_seconds * compute.usd + used.requests / MILLION * request.usd
    source = f"billed GB-seconds and requests at list price of {compute.as_of}"
    return replace(costs, usd=usd, per_thousand_usd=usd / count * THOUSAND, source=source)
