"""Reads all that one report needs, and makes it: what the function and the command line share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from costs.book.prices import PriceBook
from costs.report import account, utilisation
from costs.report.account import Subject
from costs.report.explorer import Explorer
from costs.report.periods import Period
from costs.report.report import Report, make


def gather(client: Callable[..., Any], subject: Subject, period: Period, book: PriceBook, now: datetime) -> Report:
    """The report of a period.

    Args:
        client: makes a boto3 client; takes the service's name and keywords.
        now: the moment in UTC that days are told from.

    Raises:
        UserError: Cost Explorer or the account cannot be read, or amounts are not in dollars.
    """
    from botocore.config import Config  # heavy, and there where AWS is asked

    # One try for each call: the reader repeats them itself, and counts what AWS bills.
    one_try = Config(retries={"total_max_attempts": 1})
    readings = Explorer(client("ce", config=one_try)).read(subject.scope, period, now.date(), subject.monitor)
    regional = partial(client, region_name=subject.region)
    readings_of_account = account.read(regional, subject, period)
    sizings, notes = utilisation.measure(
        regional, subject.scope, now, readings_of_account.jobs, period, subject.region, book,
        functions=(subject.function,),
    )  # fmt: skip
    advice = tuple(sizing.advice for sizing in sizings if sizing.advice)
    return make(readings, readings_of_account, book, now, advice, notes)
