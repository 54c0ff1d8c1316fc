"""Reads Cost Explorer: few requests (each costs 0.01 $), counted, retried when throttled, and in dollars alone.

Only `Explorer` speaks to AWS; what comes back are plain rows of decimals for `analysis.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from costs.amounts import decimal
from costs.report.periods import DAY, Period, month_of
from shoestring.base.errors import UserError

BILLED, AMORTIZED, USAGE = "UnblendedCost", "AmortizedCost", "UsageQuantity"
PROJECT, SERVICE, USAGE_TYPE = ("TAG", "Project"), ("DIMENSION", "SERVICE"), ("DIMENSION", "USAGE_TYPE")
PURCHASE_TYPE, INSTANCE_TYPE = ("DIMENSION", "PURCHASE_TYPE"), ("DIMENSION", "INSTANCE_TYPE")
INSTANCES = "Amazon Elastic Compute Cloud - Compute"  # the service of EC2's instances
CURRENCY = "USD"
THROTTLED = ("LimitExceededException", "ThrottlingException", "Throttling", "TooManyRequestsException",
             "InternalServerError", "InternalFailure", "ServiceUnavailable", "RequestTimeout")  # fmt: skip
DENIED = ("AccessDeniedException", "AccessDenied", "UnauthorizedOperation")
UNKNOWN = ("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId")
TRIES, FIRST_WAIT = 5, 1.0  # seconds before the second try; doubled for each further one
WAITED = FIRST_WAIT * (2 ** (TRIES - 1) - 1)
Answer = Mapping[str, Any]


@dataclass(frozen=True)
class BilledRow:
    """A day's sum of one pair of groups. `quantity` counts `unit`s, where the group has one unit."""

    day: date
    keys: tuple[str, ...]
    billed: Decimal
    amortized: Decimal
    quantity: Decimal
    unit: str
    estimated: bool


@dataclass(frozen=True)
class Forecast:
    """What the rest of a month will cost, as Cost Explorer sees it, or why it says nothing."""

    usd: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None
    why: str = ""


@dataclass(frozen=True)
class Anomaly:
    """What AWS Cost Anomaly Detection found: `impact` in dollars above what it expected."""

    service: str
    start: str
    end: str
    impact: Decimal
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scope:
    """Whose costs: the tags that tell them apart."""

    project: str
    environment: str

    @property
    def tags(self) -> dict[str, str]:
        """Each with its value."""
        return {"Project": self.project, "Environment": self.environment}

    @property
    def filter(self) -> dict[str, Any]:
        """As Cost Explorer wants it."""
        return {"And": [{"Tags": {"Key": key, "Values": [value]}} for key, value in self.tags.items()]}

    def has(self, tags: Mapping[str, str]) -> bool:
        """Whether something with these tags belongs to it."""
        return self.tags.items() <= tags.items()


@dataclass
class Readings:
    """All that Cost Explorer said for one report."""

    scope: Scope
    period: Period
    today: date
    rows: tuple[BilledRow, ...] = ()  # (service, usage type): the scope, from the earlier of month and period before
    projects: tuple[BilledRow, ...] = ()  # (Project's value or "", service): the whole account, this period and before
    spot: tuple[BilledRow, ...] = ()  # (purchase type, instance type): the scope's EC2 instances in the period
    forecast: Forecast = field(default_factory=lambda: Forecast(None, why="not asked"))
    anomalies: tuple[Anomaly, ...] = ()
    notes: tuple[str, ...] = ()  # what could not be read, and why
    requests: int = 0


def money(amount: Mapping[str, Any], where: str) -> Decimal:
    """An amount in US dollars. Raises UserError for any other currency, or for what is no number."""
    if amount.get("Unit") != CURRENCY:
        raise UserError(
            f"{where} is in {amount.get('Unit')!r}",
            f"{CURRENCY}: prices, limits and sums are in dollars, and no exchange rate is guessed",
            "an account that AWS bills in US dollars: Billing console, Payment preferences, Currency",
        )
    return _number(amount.get("Amount"), where)


def _number(text: object, where: str) -> Decimal:
    try:
        return decimal(str(text))
    except (InvalidOperation, ValueError):
        raise UserError(f"{where} is {text!r}", "a decimal number, as Cost Explorer answers") from None


def rows_of(answer: Answer) -> list[BilledRow]:
    """The groups of one page of GetCostAndUsage. Raises UserError for amounts that are not dollars."""
    rows = []
    for result in answer.get("ResultsByTime", []):
        day = date.fromisoformat(result["TimePeriod"]["Start"][:10])
        for group in result.get("Groups", []):
            metrics, where = group["Metrics"], f"Cost Explorer's answer for {day}, {', '.join(group['Keys'])},"
            billed = money(metrics[BILLED], where)
            amortized = money(metrics[AMORTIZED], where) if AMORTIZED in metrics else billed
            usage = metrics.get(USAGE, {"Amount": "0", "Unit": "N/A"})
            quantity = _number(usage["Amount"], where)
            estimated = bool(result.get("Estimated"))
            rows.append(BilledRow(day, tuple(group["Keys"]), billed, amortized, quantity, usage["Unit"], estimated))
    return rows


class Explorer:
    """Cost Explorer's API for one report; `requests` counts what AWS bills, a retried one included."""

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        self.client, self.sleep, self.requests = client, sleep, 0

    def _ask(self, operation: str, **arguments: Any) -> Answer:
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectionClosedError,
            ReadTimeoutError,
        )  # heavy, and there where AWS is asked

        for attempt in range(1, TRIES + 1):
            self.requests += 1
            try:
                return dict(getattr(self.client, operation)(**arguments))
            except ClientError as error:
                code, failure = error.response["Error"]["Code"], error
                refusal = _explained(operation, code, error.response["Error"].get("Message", ""))
                passing = code in THROTTLED
            except BotoCoreError as error:
                failure, passing = error, isinstance(error, ReadTimeoutError | ConnectionClosedError)
                refusal = UserError(
                    f"Cost Explorer does not answer: {error}",
                    "credentials that work, and for local its cloud up",
                    "aws sts get-caller-identity    (for local: shoestring cloud up)",
                )
            if not passing or attempt == TRIES:
                raise refusal from failure
            self.sleep(FIRST_WAIT * 2 ** (attempt - 1))
        raise AssertionError("the last try returns or raises")

    def _pages(self, operation: str, **arguments: Any) -> Iterator[Answer]:
        answer = self._ask(operation, **arguments)
        yield answer
        while token := answer.get("NextPageToken"):
            answer = self._ask(operation, **arguments, NextPageToken=token)
            yield answer

    def _grouped(self, period: Period, *groups: tuple[str, str], **more: Any) -> tuple[BilledRow, ...]:
        pages = self._pages(
            "get_cost_and_usage",
            TimePeriod={"Start": period.start.isoformat(), "End": period.end.isoformat()},
            Granularity="DAILY",
            Metrics=[BILLED, AMORTIZED, USAGE],
            GroupBy=[{"Type": kind, "Key": key} for kind, key in groups],
            **more,
        )
        return tuple(row for page in pages for row in rows_of(page))

    def _forecast(self, scope: Scope, today: date) -> Forecast:
        end = month_of(today).end
        answer = self._ask(
            "get_cost_forecast",
            TimePeriod={"Start": today.isoformat(), "End": end.isoformat()},
            Metric="UNBLENDED_COST",
            Granularity="MONTHLY",
            Filter=scope.filter,
            PredictionIntervalLevel=80,
        )
        where = "Cost Explorer's forecast"

        def bound(key: str) -> Decimal | None:
            periods = [part[key] for part in answer.get("ForecastResultsByTime", []) if part.get(key) is not None]
            return sum((_number(text, where) for text in periods), Decimal(0)) if periods else None

        low, high = bound("PredictionIntervalLowerBound"), bound("PredictionIntervalUpperBound")
        return Forecast(money(answer["Total"], where), low, high)

    def _anomalies(self, period: Period, monitor: str) -> tuple[Anomaly, ...]:
        dates = {"StartDate": period.start.isoformat(), "EndDate": period.last.isoformat()}
        pages = self._pages("get_anomalies", MonitorArn=monitor, DateInterval=dates)
        return tuple(_anomaly(anomaly) for page in pages for anomaly in page.get("Anomalies", []))

    def read(self, scope: Scope, period: Period, today: date, monitor: str = "") -> Readings:
        """Everything for one report, in five requests (more only where Cost Explorer answers in pages, or throttles).

        Args:
            monitor: ARN of the anomaly monitor of this scope; without one no anomalies are read, for they would be the
                whole account's.

        Raises:
            UserError: costs cannot be read (denied, not enabled, throttled to the end), or are not in dollars.
        """
        month = month_of(period.last)
        start, end = min(period.before.start, month.start), max(period.end, min(month.end, today + DAY))
        readings = Readings(scope, period, today)
        readings.rows = self._grouped(Period(start, end), SERVICE, USAGE_TYPE, Filter=scope.filter)
        account = self._grouped(Period(period.before.start, period.end), PROJECT, SERVICE)
        readings.projects = tuple(
            replace(row, keys=(row.keys[0].partition("$")[2], *row.keys[1:])) for row in account
        )  # its key is Project$value
        notes: list[str] = []

        def optional(what: str, action: Callable[[], Any], otherwise: Any) -> Any:
            try:
                return action()
            except UserError as error:
                notes.append(f"{what} cannot be had: {error.found}" + (f" ({error.mend})" if error.mend else ""))
                return otherwise

        if any(row.day in period and row.keys[0] == INSTANCES for row in readings.rows):
            compute = {"Dimensions": {"Key": "SERVICE", "Values": [INSTANCES]}}
            narrowed = {"And": [*scope.filter["And"], compute]}
            readings.spot = optional(
                "how instances were bought",
                lambda: self._grouped(period, PURCHASE_TYPE, INSTANCE_TYPE, Filter=narrowed),
                (),
            )
        if today >= month.end:
            readings.forecast = Forecast(None, why=f"{month.start:%B %Y} is over")
        else:
            forecast = optional("the forecast", lambda: self._forecast(scope, today), None)
            readings.forecast = forecast or Forecast(None, why=notes[-1])
        if monitor:
            readings.anomalies = optional("anomalies", lambda: self._anomalies(period, monitor), ())
        else:
            notes.append("anomalies are left out: no anomaly monitor of this environment is known")
        readings.notes, readings.requests = tuple(notes), self.requests
        return readings


def _anomaly(answer: Answer) -> Anomaly:
    causes = answer.get("RootCauses", [])
    service = answer.get("DimensionValue") or next((cause["Service"] for cause in causes if cause.get("Service")), "")
    details = [" ".join(str(cause[key]) for key in ("Region", "UsageType") if cause.get(key)) for cause in causes]
    impact = _number(answer["Impact"].get("TotalImpact", answer["Impact"].get("MaxImpact")), "an anomaly's impact")
    start, end = str(answer.get("AnomalyStartDate", ""))[:10], str(answer.get("AnomalyEndDate", ""))[:10]
    return Anomaly(service, start, end, impact, tuple(filter(None, details)))


def _explained(operation: str, code: str, message: str) -> UserError:
    """An error of AWS in the words of who has to mend it."""
    action = f"ce:{operation.title().replace('_', '')}"
    if code in DENIED:
        return UserError(
            f"Cost Explorer is denied: {message or code}",
            f"{action} for who asks, on resource *, and «Activate IAM access» in the account's billing settings",
            f'aws iam put-role-policy --role-name ROLE --policy-name cost-report --policy-document \'{{"Version": '
            f'"2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}]}}\'',
        )
    if code == "DataUnavailableException":
        return UserError(
            f"Cost Explorer has no data for {action}: {message or code}",
            "Cost Explorer enabled, and a day of patience after that; forecasts need some weeks of history",
            "open the Billing and Cost Management console once, choose Cost Explorer, and come back in 24 hours",
        )
    if code in THROTTLED:
        return UserError(
            f"Cost Explorer throttles or fails: {TRIES} tries of {action} in {WAITED:.0f} s failed ({code})",
            "an answer; each try is billed, so no more were made",
            "the same command in a few minutes",
        )
    refusal = f"Cost Explorer refuses {action}: {code}: {message}"
    if code in UNKNOWN:
        return UserError(refusal, "credentials that work", "aws sts get-caller-identity    (who AWS takes you for)")
    if code == "ValidationException":
        return UserError(refusal, "days of the last 13 months, which Cost Explorer keeps", "--week or --since of later")
    return UserError(refusal, "an answer")
