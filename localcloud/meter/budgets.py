"""Budgets that count and warn: the account keeps them, the meter compares them with the bill.

Each notification is sent once for a period and a limit, as AWS does, to its SNS subscriber; e-mail subscribers are
named in the log. What is forecast is the period so far, going on as it went.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from localcloud import ACCOUNT
from localcloud.aws.budgets import NOTIFICATION, notifications_of
from localcloud.aws.row import Json
from localcloud.meter.expressions import DIMENSIONS, Test, matcher
from localcloud.meter.forecast import spent, to_the_end
from localcloud.meter.observe import moment
from localcloud.meter.rate import LineItem
from localcloud.protocol import ServiceError

MONTHS = {"MONTHLY": 1, "QUARTERLY": 3, "ANNUALLY": 12}
PERIODS = {"DAILY": "day", "MONTHLY": "month", "QUARTERLY": "quarter", "ANNUALLY": "year"}
COMPARISONS = {
    "GREATER_THAN": (operator.gt, ">", "greater than"),
    "LESS_THAN": (operator.lt, "<", "less than"),
    "EQUAL_TO": (operator.eq, "=", "equal to"),
}
FILTERS = {name.title().replace("_", ""): name for name in DIMENSIONS}  # the older filters' names of dimensions


def filter_of(budget: Json) -> Test:
    """What tells whether a line item counts for a budget. Raises ServiceError for a filter that is not played."""
    if expression := budget.get("FilterExpression"):
        return matcher(expression)
    parts = []
    for name, values in budget.get("CostFilters", {}).items():
        if name == "TagKeyValue":
            keys = [value.removeprefix("user:").partition("$") for value in values]
            options = [{"Tags": {"Key": key, "Values": [value]}} for key, _, value in keys]
        elif name in FILTERS:
            options = [{"Dimensions": {"Key": FILTERS[name], "Values": values}}]
        else:
            known = ", ".join(sorted([*FILTERS, "TagKeyValue"]))
            raise ServiceError("ValidationException", f"the cost filter {name} is not played; there are: {known}")
        parts.append(options[0] if len(options) == 1 else {"Or": options})
    return matcher({"And": parts} if len(parts) > 1 else parts[0] if parts else None)


def period_of(budget: Json, now: datetime) -> tuple[datetime, datetime] | None:
    """The period that a budget counts now, end exclusive; None outside its time, or for one of its own length."""
    unit, start = budget["TimeUnit"], now.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "DAILY":
        end = start + timedelta(days=1)
    elif step := MONTHS.get(unit):
        start = start.replace(day=1, month=(now.month - 1) // step * step + 1)
        end = (start + timedelta(days=31 * step)).replace(day=1)
    else:
        return None
    valid = budget.get("TimePeriod", {})
    first, last = moment(valid.get("Start")), moment(valid.get("End"))
    if (first and now.timestamp() < first) or (last and now.timestamp() >= last):
        return None
    return start, end


def limit_of(budget: Json, start: datetime) -> Decimal | None:
    """Dollars in a period; None for a budget that sets itself, or one of another unit."""
    planned = budget.get("PlannedBudgetLimits", {})
    amounts = {float(key): value for key, value in planned.items() if float(key) <= start.timestamp()}
    limit = amounts[max(amounts)] if amounts else budget.get("BudgetLimit")
    return Decimal(limit["Amount"]) if limit and limit["Unit"] == "USD" else None


@dataclass(frozen=True)
class Spend:
    """What a budget counts."""

    start: datetime
    actual: Decimal
    forecast: Decimal

    @classmethod
    def of(cls, budget: Json, lines: Sequence[LineItem], now: datetime) -> Spend | None:
        """None where the budget counts nothing now. Raises ServiceError."""
        period = period_of(budget, now)
        if budget["BudgetType"] != "COST" or period is None:
            return None
        fits = filter_of(budget)
        actual = spent([line for line in lines if fits(line)], *period)
        return cls(period[0], actual, to_the_end(actual, period[0], now, period[1]))

    def described(self) -> Json:
        """As CalculatedSpend."""
        amounts = {"ActualSpend": self.actual, "ForecastedSpend": self.forecast}
        return {name: {"Amount": format(amount, "f"), "Unit": "USD"} for name, amount in amounts.items()}


def money(usd: Decimal) -> str:
    """As AWS writes it in its messages; what would be no cent is written in full."""
    return f"${usd:,.2f}" if usd >= Decimal("0.01") or usd == 0 else f"${usd.normalize():f}"


def exceeded(notification: Json, limit: Decimal, amount: Decimal) -> tuple[bool, Decimal]:
    """Whether a notification's threshold is passed, and the threshold in dollars."""
    threshold = Decimal(str(notification["Threshold"]))
    if notification.get("ThresholdType", "PERCENTAGE") == "PERCENTAGE":
        threshold = threshold * limit / 100
    return COMPARISONS[notification["ComparisonOperator"]][0](amount, threshold), threshold


def message(budget: Json, notification: Json, limit: Decimal, threshold: Decimal, amount: Decimal) -> tuple[str, str]:
    """Subject and text, in the form in which AWS Budgets writes to a topic."""
    name, period, kind = budget["BudgetName"], PERIODS[budget["TimeUnit"]], notification["NotificationType"]
    _, sign, more = COMPARISONS[notification["ComparisonOperator"]]
    text = f"""AWS Budget Notification {datetime.now(UTC):%B %d, %Y}
AWS Account {ACCOUNT}

Dear AWS Customer,

You requested that we alert you when the {kind} Cost associated with your {name} budget is {more} {money(threshold)} \
for the current {period}. The {kind} Cost associated with this budget is {money(amount)}. You can find additional \
details below and by accessing the AWS Budgets dashboard [1].

Budget Name: {name}
Budget Type: Cost
Budgeted Amount: {money(limit)}
Alert Type: {kind}
Alert Threshold: {sign} {money(threshold)}
{kind} Amount: {money(amount)}

[1] https://console.aws.amazon.com/billing/home#/budgets
"""
    return f"AWS Budgets: {name} has exceeded your alert threshold"[:100], text


class Budgets:
    """The account's budgets. `sent` remembers what was sent, by budget and notification."""

    def __init__(self, client: Callable[[str], Any], sent: dict[str, Any], say: Callable[[str], None]) -> None:
        self.client, self.sent, self.say = client, sent, say
        self.kept: list[tuple[Json, list[tuple[Json, list[Json]]]]] = []

    def learn(self) -> None:
        """Reads the account's budgets with their notifications and subscribers. Raises botocore's errors."""
        client = self.client("budgets")
        budgets = []
        pages = client.get_paginator("describe_budgets").paginate(AccountId=ACCOUNT, ShowFilterExpression=True)
        for budget in [budget for page in pages for budget in page.get("Budgets", [])]:
            budgets.append((budget, list(notifications_of(client, ACCOUNT, budget["BudgetName"]))))
        self.kept = budgets
        for name in set(self.sent) - {budget["BudgetName"] for budget, _ in budgets}:
            del self.sent[name]

    def evaluate(self, lines: Sequence[LineItem]) -> bool:
        """Sends what is due; returns whether anything was. Raises botocore's errors."""
        now, sent = datetime.now(UTC), False
        for problem in sorted({line.problem for line in lines if line.problem}):
            self.say(f"not counted in any budget: {problem}")
        for budget, notifications in self.kept:
            try:
                spend = Spend.of(budget, lines, now)
            except ServiceError as error:
                self.say(f"the budget {budget['BudgetName']} cannot be evaluated: {error}")
                continue
            if spend and (limit := limit_of(budget, spend.start)) is not None:
                for notification, subscribers in notifications:
                    sent |= self._warn(budget, notification, subscribers, spend, limit)
        return sent

    def _warn(self, budget: Json, notification: Json, subscribers: list[Json], spend: Spend, limit: Decimal) -> bool:
        kind = notification["NotificationType"]
        amount = spend.actual if kind == "ACTUAL" else spend.forecast
        passed, threshold = exceeded(notification, limit, amount)
        self._state(budget, notification, "ALARM" if passed else "OK")
        key = " ".join(str(notification.get(name, "")) for name in NOTIFICATION)
        mark = f"{spend.start:%Y-%m-%d} {limit}"
        before = self.sent.setdefault(budget["BudgetName"], {})
        if not passed or before.get(key) == mark:
            return False
        subject, text = message(budget, notification, limit, threshold, amount)
        for subscriber in subscribers:
            if subscriber["SubscriptionType"] == "SNS":
                self.client("sns").publish(TopicArn=subscriber["Address"], Subject=subject, Message=text)
            else:
                self.say(f"{subject}: no mail is sent to {subscriber['Address']}")
        before[key] = mark
        sign = COMPARISONS[notification["ComparisonOperator"]][1]
        self.say(f"{subject}: {kind} {money(amount)}, threshold {sign} {money(threshold)}")
        return True

    def _state(self, budget: Json, notification: Json, state: str) -> None:
        """Notes in the account whether a notification is in alarm."""
        if notification.get("NotificationState", "OK") == state:
            return
        changed = {**notification, "NotificationState": state}
        self.client("budgets").update_notification(
            AccountId=ACCOUNT, BudgetName=budget["BudgetName"], OldNotification=notification, NewNotification=changed
        )
        notification["NotificationState"] = state

    def fill(self, budget: Json, lines: Sequence[LineItem]) -> None:
        """Puts what was spent into a budget as the account describes it, where it can be told."""
        whole = next((kept for kept, _ in self.kept if kept["BudgetName"] == budget["BudgetName"]), budget)
        try:
            spend = Spend.of(whole, lines, datetime.now(UTC))
        except ServiceError:
            return  # a filter that is not played: told where the budget is evaluated
        if spend:
            budget["CalculatedSpend"] = spend.described()
