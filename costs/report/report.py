"""The report: every figure that it shows, each with its source. Made once, then written as JSON, HTML, CSV or text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from costs.amounts import dollars
from costs.book.prices import PriceBook
from costs.report import advice, analysis, unit_costs
from costs.report.account import AccountReadings
from costs.report.advice import Advice
from costs.report.analysis import Comparison, Day, Item, Month, Surprise
from costs.report.explorer import Readings
from costs.report.unit_costs import PredictionCosts, Retrainings, SpotSavings, Training

LAMBDA = "AWS Lambda"
SAGEMAKER = "Amazon SageMaker"


@dataclass(frozen=True)
class Report:
    """Everything of one period. Money is in US dollars; `billed` is the source of what Cost Explorer says."""

    made_at: datetime
    readings: Readings
    account: AccountReadings
    billed: str
    days: tuple[Day, ...]
    usd: Decimal
    amortized_usd: Decimal
    comparison: Comparison
    services: tuple[Item, ...]
    projects: tuple[Item, ...]
    untagged: tuple[Item, ...]
    account_usd: Decimal
    month: Month
    trainings: tuple[Training, ...]
    models: tuple[Retrainings, ...]
    retraining_mean: Decimal | None
    sagemaker_billed_usd: Decimal
    spot: SpotSavings
    predictions: PredictionCosts
    surprises: tuple[Surprise, ...]
    recommendations: tuple[Advice, ...]
    requests_usd: Decimal | None  # None: the price book does not have it
    notes: tuple[str, ...]

    @property
    def unallocated_usd(self) -> Decimal:
        """What carries no Project tag in the whole account."""
        return sum((item.usd for item in self.untagged), Decimal(0))


def make(
    readings: Readings,
    account: AccountReadings,
    book: PriceBook,
    made_at: datetime,
    sizes: tuple[Advice, ...] = (),
    size_notes: tuple[str, ...] = (),
) -> Report:
    """The report from what was read. `sizes` are the recommendations of right-sizing.

    What has no price is named in the report, and is in no sum.
    """
    period, region = readings.period, account.region
    estimated = any(row.estimated for row in readings.rows if row.day in period)
    billed = f"billed by Cost Explorer as of {readings.today}" + (", still estimated by AWS" if estimated else "")
    days = analysis.days(readings)
    comparable_days = analysis.comparable(days)
    services = analysis.items(readings.rows, period, comparable_days)
    projects = analysis.items(readings.projects, period, comparable_days)
    without = [row for row in readings.projects if not row.keys[0]]
    untagged = analysis.items([replace(row, keys=(row.keys[1], "")) for row in without], period, comparable_days)
    inside = [row for row in readings.rows if row.day in period]
    trainings = tuple(unit_costs.training(job, region, book) for job in account.jobs)
    models, request = unit_costs.models(trainings), book.find("costexplorer", "request")
    recommendations = (
        *sizes,
        *advice.by_jobs(trainings, period, region, book),
        *advice.by_rules(readings.rows, period, comparable_days, billed, region, book),
        *advice.unallocated(untagged, readings.scope.environment, billed),
    )
    return Report(
        made_at=made_at,
        readings=readings,
        account=account,
        billed=billed,
        days=days,
        usd=analysis.total(inside),
        amortized_usd=sum((row.amortized for row in inside), Decimal(0)),
        comparison=analysis.comparison(days),
        services=services,
        projects=projects,
        untagged=untagged,
        account_usd=analysis.total(row for row in readings.projects if row.day in period),
        month=analysis.month(readings, account.limit),
        trainings=trainings,
        models=models,
        retraining_mean=unit_costs.mean(models),
        sagemaker_billed_usd=_of(services, SAGEMAKER),
        spot=unit_costs.spot(trainings, readings.spot, region, book),
        predictions=unit_costs.per_thousand(account.predictions, _of(services, LAMBDA), region, book),
        surprises=analysis.surprises(readings, days, services, billed),
        recommendations=tuple(sorted(recommendations, key=lambda advice: -advice.saves.high)),
        requests_usd=readings.requests * request.usd if request else None,
        notes=_notes(readings, account, days, trainings) + size_notes,
    )


def _of(services: tuple[Item, ...], name: str) -> Decimal:
    return sum((item.usd for item in services if item.name.startswith(name)), Decimal(0))


def _notes(
    readings: Readings, account: AccountReadings, days: tuple[Day, ...], trainings: tuple[Training, ...]
) -> tuple[str, ...]:
    """What a reader has to know before believing a figure."""
    notes = []
    for day in days:
        if day.state == "late":
            has, before = f"only {dollars(day.usd)}" if day.usd else "nothing", dollars(day.before_usd)
            notes.append(
                f"Cost Explorer has {has} for {day.day:%A %d %B} yet, and {before} for the same weekday before. It may "
                "be up to two days late: read this as missing, not as saved; it is in no comparison."
            )
    if any(day.state == "running" for day in days):
        notes.append(f"{readings.today:%A %d %B} is not over; it is in the sums, and in no comparison.")
    if not any(day.usd for day in days):
        scope = f"Project {readings.scope.project}, Environment {readings.scope.environment}"
        notes.append(
            f"Nothing was billed to {scope} in these days. If something ran, the cost allocation tags Project and "
            "Environment may not be active, or not for 24 hours yet: shoestring budget activate-tags -e "
            f"{readings.scope.environment}"
        )
    notes += [f"{training.job.name} is in no sum: {training.source}" for training in trainings if training.usd is None]
    return (*notes, *readings.notes, *account.notes)
