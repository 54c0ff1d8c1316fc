"""Closes an environment to new training windows when its budget is spent: a Lambda function behind the budget's topic.

The alarm's text alone closes nothing while the account can be asked: what counts is what AWS Budgets has counted, and
where that is below the limit (it is renewed some three times a day), what Cost Explorer says. Where neither answers,
the alarm is believed, and the gate says so.

Environment: GUARD_BUDGET (name of the budget), GUARD_ACCOUNT, GUARD_GATE (name of the parameter).
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from costs import gate
from costs.amounts import legible
from shoestring.base import aws

FIELD = re.compile(r"^(Budget Name|Budgeted Amount|Alert Type|(?:ACTUAL|FORECASTED) Amount):\s*(.+?)\s*$", re.M)
MONEY = re.compile(r"\$?([\d,]+(?:\.\d+)?)")


class Unreadable(ValueError):
    """A message that is neither an alarm of a budget nor one of those that the topic is known to carry."""


@dataclass(frozen=True)
class Alarm:
    """What AWS Budgets wrote: the budget, ACTUAL or FORECASTED, the budgeted amount, and what was or will be spent."""

    budget: str
    kind: str
    limit: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Spent:
    """How much of which limit, and who says so."""

    usd: Decimal
    limit: Decimal
    source: str


def _money(text: str) -> Decimal:
    amount = MONEY.fullmatch(text)
    if not amount:
        raise Unreadable(f"{text!r} is no amount in dollars")
    return Decimal(amount[1].replace(",", ""))


def alarm(message: str) -> Alarm:
    """An alarm from the text that AWS Budgets sends. Raises Unreadable."""
    fields = dict(FIELD.findall(message))
    kind = fields.get("Alert Type", "").upper()
    try:
        return Alarm(fields["Budget Name"], kind, _money(fields["Budgeted Amount"]), _money(fields[f"{kind} Amount"]))
    except KeyError as error:
        raise Unreadable(f"no {error} in the message {message[:300]!r}") from error


def _of_others(subject: str, message: str) -> bool:
    """Whether a message is one of the others on the topic: the platform's own reports, anomalies of costs."""
    if subject.startswith(gate.OWN_SUBJECT):
        return True
    try:
        body = json.loads(message)
    except ValueError:
        return False
    return isinstance(body, dict) and "anomalyId" in body


def month_to_date(now: datetime) -> dict[str, str]:
    """Cost Explorer's period from the first of the month; its end is the first day that is left out."""
    return {"Start": now.strftime("%Y-%m-01"), "End": (now + timedelta(days=1)).strftime("%Y-%m-%d")}


def explored(client: Any, budget: dict[str, Any], now: datetime) -> Decimal:
    """What Cost Explorer says was spent in this month under the budget's own filter. 0.01 $ a request."""
    query = {"TimePeriod": month_to_date(now), "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"]}
    if budget.get("FilterExpression"):
        query["Filter"] = budget["FilterExpression"]
    months = client.get_cost_and_usage(**query)["ResultsByTime"]
    return sum((Decimal(month["Total"]["UnblendedCost"]["Amount"]) for month in months), Decimal(0))


def spent(clients: Any, account: str, alarm: Alarm, now: datetime) -> Spent:
    """What was really spent; the alarm's own figures where nobody else can be asked.

    Args:
        clients: a boto3 client by the service's name.
    """
    import botocore.exceptions  # heavy, and there where AWS is asked

    try:
        query = {"AccountId": account, "BudgetName": alarm.budget, "ShowFilterExpression": True}
        budget = clients("budgets").describe_budget(**query)["Budget"]
        limit = Decimal(budget["BudgetLimit"]["Amount"])
        counted = Decimal(budget.get("CalculatedSpend", {}).get("ActualSpend", {}).get("Amount", "0"))
        if counted >= limit:
            return Spent(counted, limit, "AWS Budgets")
        return Spent(max(counted, explored(clients("ce"), budget, now)), limit, "Cost Explorer")
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        _say(f"the account cannot be asked ({error}): the alarm is believed")
        return Spent(alarm.amount, alarm.limit, "the alarm alone")


def take(record: dict[str, Any], clients: Any, now: datetime) -> gate.Gate | None:
    """Does what one SNS record asks for; returns the gate where it was closed by it.

    Raises:
        Unreadable: a message of no known kind; Lambda tries again, and the function's errors are counted.
    """
    message, subject, sent = (record["Sns"].get(key) or "" for key in ("Message", "Subject", "Timestamp"))
    if _of_others(subject, message):
        _say(f"not about the budget: {subject or message[:80]}")
        return None
    received = alarm(message)
    if received.budget != os.environ["GUARD_BUDGET"] or received.kind != "ACTUAL":
        _say(f"{received.kind} alarm of {received.budget}: nothing to close")
        return None
    if sent and not sent.startswith(gate.period(now)):
        _say(f"an alarm of {sent}: that month is over")
        return None
    counted = spent(clients, os.environ["GUARD_ACCOUNT"], received, now)
    usd, limit = legible(counted.usd), legible(counted.limit)
    sums = f"{usd:f} of {limit:f} dollars in {gate.period(now)}, says {counted.source}"
    if counted.usd < counted.limit:
        _say(f"{sums}: the gate stays as it is")
        return None
    ssm, name = clients("ssm"), os.environ["GUARD_GATE"]
    before = _before(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    if before.closed_at(now):
        _say(f"{sums}: closed already, since {before.at}")
        return None
    if before.at and before.at[:19] >= (sent or "9999")[:19]:
        _say(f"{sums}: reopened at {before.at}, after this alarm")
        return None
    why = f"{received.kind} alarm of {received.budget}; figure of {counted.source}"
    closed = gate.Gate("closed", usd, limit, gate.period(now), gate.stamp(now), why)
    ssm.put_parameter(Name=name, Value=closed.text(), Type="String", Overwrite=True)
    _say(f"{sums}: closed")
    return closed


def _say(text: str) -> None:
    print(f"guard: {text}", flush=True)


def _before(text: str) -> gate.Gate:
    """The gate as it was; one that cannot be read is in nobody's way of being closed."""
    try:
        return gate.read(text)
    except ValueError as error:
        _say(str(error))
        return gate.Gate()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point: the records of one SNS delivery."""
    gates = [take(record, aws.client, datetime.now(UTC)) for record in event["Records"]]
    return {"closed": [closed.text() for closed in gates if closed]}
