"""What a job, an idle platform and a prediction cost: sums of priced lines, rounded only where they are shown.

Every line carries its price with unit, source and date. List prices without free tiers and taxes; a price that is not
in the book raises UnknownPrice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from costs.book.price import HOURS_A_MONTH, Price
from costs.book.prices import PriceBook

Number = int | float | Decimal
SECONDS_AN_HOUR = Decimal(3600)
MILLION = Decimal(1_000_000)
COMPUTE = {"arm64": "compute-arm64", "x86_64": "compute-x86"}


@dataclass(frozen=True)
class Line:
    """One item of an estimate: `quantity` of `price.unit`, and what that comes to."""

    name: str
    quantity: Decimal
    price: Price
    usd: Decimal


@dataclass(frozen=True)
class Estimate:
    """Lines and their sum."""

    usd: Decimal
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class JobCost(Estimate):
    """What a job was billed, and what it would have been without spot."""

    on_demand_usd: Decimal


@dataclass(frozen=True)
class InferenceCost(Estimate):
    """What predictions cost, and a thousand and a million of them."""

    per_thousand: Decimal
    per_million: Decimal


@dataclass(frozen=True)
class PlatformParts:
    """What stands in a platform while nothing happens, each in the unit of its name. What is free has no part here:
    standard SSM parameters, IAM, a function that nobody calls, gateway endpoints."""

    vm: str | None = None  # an EC2 instance type, running all month
    public_ipv4: Number = 0
    volume_gb: Number = 0  # gp3
    s3_gb: Number = 0
    log_storage_gb: Number = 0
    log_ingestion_gb: Number = 0  # a month
    alarms: Number = 0
    custom_metrics: Number = 0
    dashboards: Number = 0
    budgets: Number = 0
    secrets: Number = 0
    kms_keys: Number = 0
    ecr_gb: Number = 0
    databases: Number = 0  # db.t4g.micro with PostgreSQL, single-AZ, running all month
    database_gb: Number = 0  # their gp3 storage
    explorer_requests: Number = 0  # to Cost Explorer, a month


# Part → its name in the estimate, service and item in the price book, and how many units one has in a month.
MONTHLY = {
    "public_ipv4": ("public IPv4 address", "vpc", "public-ipv4", HOURS_A_MONTH),
    "volume_gb": ("gp3 volume", "ebs", "gp3", Decimal(1)),
    "s3_gb": ("S3 storage", "s3", "standard-storage", Decimal(1)),
    "log_storage_gb": ("log storage", "cloudwatch", "logs-storage", Decimal(1)),
    "log_ingestion_gb": ("log ingestion", "cloudwatch", "logs-ingestion", Decimal(1)),
    "alarms": ("alarms", "cloudwatch", "alarm", Decimal(1)),
    "custom_metrics": ("custom metrics", "cloudwatch", "custom-metric", Decimal(1)),
    "dashboards": ("dashboards", "cloudwatch", "dashboard", Decimal(1)),
    "budgets": ("budgets", "budgets", "budget", Decimal(1)),
    "secrets": ("secrets", "secretsmanager", "secret", Decimal(1)),
    "kms_keys": ("KMS keys", "kms", "key", Decimal(1)),
    "ecr_gb": ("images", "ecr", "storage", Decimal(1)),
    "databases": ("db.t4g.micro database", "rds", "db.t4g.micro-postgres", HOURS_A_MONTH),
    "database_gb": ("database storage", "rds", "storage-gp3", Decimal(1)),
    "explorer_requests": ("requests to Cost Explorer", "costexplorer", "request", Decimal(1)),
}


def _decimal(name: str, value: Number) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite() or number < 0:
        raise ValueError(f"{name} is {value}, expected a number of 0 or more")
    return number


def _line(name: str, quantity: Decimal, price: Price) -> Line:
    return Line(name, quantity, price, quantity * price.usd)


def _sum(lines: Iterable[Line]) -> Decimal:
    return sum((line.usd for line in lines), Decimal(0))


def job_cost(
    instance_type: str,
    training_seconds: Number,
    billable_seconds: Number,
    spot: bool,
    volume_gb: Number,
    region: str = "us-east-1",
    book: PriceBook | None = None,
) -> JobCost:
    """What SageMaker bills for a job on one instance: billable seconds at the on-demand price, and its volume.

    Managed spot has no price of its own: AWS lowers the billable seconds, so that the saving is
    1 - billable / training seconds (`BillableTimeInSeconds`, `TrainingTimeInSeconds`).

    Raises:
        UnknownPrice: no price for the instance type in the region.
        ValueError: a negative number, or more billable than training seconds.
    """
    book = PriceBook.current() if book is None else book
    training, billable = _decimal("training_seconds", training_seconds), _decimal("billable_seconds", billable_seconds)
    if billable > training:
        raise ValueError(f"billable_seconds is {billable}, expected training_seconds ({training}) at most")
    instance = book.price("sagemaker-training", instance_type, region)
    months = training / SECONDS_AN_HOUR / HOURS_A_MONTH
    stored = book.price("sagemaker", "training-storage", region)
    volume = _line("training volume", _decimal("volume_gb", volume_gb) * months, stored)
    name = f"{instance_type} {'spot' if spot else 'on demand'}"
    lines = (_line(name, billable / SECONDS_AN_HOUR, instance), volume)
    return JobCost(_sum(lines), lines, on_demand_usd=training / SECONDS_AN_HOUR * instance.usd + volume.usd)


def platform_month(parts: PlatformParts, region: str = "us-east-1", book: PriceBook | None = None) -> Estimate:
    """What a platform costs in a month of 730 hours in which nothing happens; a line for each part that it has.

    Raises:
        UnknownPrice: a part has no price in the region.
        ValueError: a negative number.
    """
    book = PriceBook.current() if book is None else book
    lines = [_line(f"{parts.vm} VM", HOURS_A_MONTH, book.price("ec2", parts.vm, region))] if parts.vm else []
    for part, (name, service, item, units) in MONTHLY.items():
        if amount := _decimal(part, getattr(parts, part)):
            lines.append(_line(name, amount * units, book.price(service, item, region)))
    return Estimate(_sum(lines), tuple(lines))


def inference_cost(
    requests: int,
    memory_mb: int,
    mean_ms: Number,
    architecture: str,
    region: str = "us-east-1",
    book: PriceBook | None = None,
) -> InferenceCost:
    """What Lambda bills for `requests` predictions of one request each, which take `mean_ms`, billed in whole ms.

    Raises:
        UnknownPrice: no price for the architecture in the region.
        ValueError: a negative number.
    """
    book = PriceBook.current() if book is None else book
    count, milliseconds = _decimal("requests", requests), math.ceil(_decimal("mean_ms", mean_ms))
    gb_seconds = _decimal("memory_mb", memory_mb) / 1024 * milliseconds / 1000
    compute = book.price("lambda", COMPUTE.get(architecture, f"compute-{architecture}"), region)
    request = book.price("lambda", "requests", region)
    lines = (
        _line(f"{memory_mb} MB for {milliseconds} ms, {architecture}", count * gb_seconds, compute),
        _line("requests", count / MILLION, request),
    )
    per_million = gb_seconds * MILLION * compute.usd + request.usd
    return InferenceCost(_sum(lines), lines, per_thousand=per_million / 1000, per_million=per_million)
