"""Reads all that one report needs, and makes it: what the function and the command line share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from costs.book.prices import PriceBook
from costs.report import account, utilisation
from costs.report.explorer import Explorer, Scope
from costs.report.periods import Period
from costs.report.report import Report, make
from costs.report.utilisation import Span


@dataclass(frozen=True)
class Target:
    """Whose report it is. `monthly_usd` counts where there is no budget; `bucket` has the records of jobs, if any."""

    project: str
    environment: str
    region: str
    function: str
    budget: str = ""
    monthly_usd: str = ""
    bucket: str = ""


def gather(
    client: Callable[..., Any], target: Target, period: Period, book: PriceBook, now: datetime | None = None
) -> Report:
    """The report of a period.

    Args:
        client: makes a boto3 client; takes the service's name and keywords.
        now: the moment in UTC that days are told from.

    Raises:
        UserError: Cost Explorer or the account cannot be read, or amounts are not in dollars.
    """
    from botocore.config import Config

    moment = now or datetime.now(UTC)
    scope = Scope(target.project, target.environment)
    # One try for each call: the reader repeats them itself, and counts what AWS bills.
    once = Config(retries={"total_max_attempts": 1})
    readings = Explorer(client("ce", region_name="us-east-1", config=once)).read(scope, period, moment.date())

    def regional(service: str) -> Any:
        return client(service, region_name="us-east-1" if service == "budgets" else target.region)

    found = account.read(
        regional,
        scope,
        period,
        region=target.region,
        function=target.function,
        budget=target.budget,
        monthly_usd=target.monthly_usd,
        bucket=target.bucket,
    )
    sizes, size_notes = utilisation.measure(
        regional,
        scope,
        Span.until(moment),
        found.jobs,
        Span.of(period),
        target.region,
        book,
        functions=(target.function,),
    )
    advice = tuple(each.advice for each in sizes if each.advice)
    return make(readings, found, book, moment, advice, size_notes)
