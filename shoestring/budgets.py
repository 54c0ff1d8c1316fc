"""An environment's budget as its account knows it, and the gate that the budget's guard closes."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from costs import gate
from costs.amounts import legible
from costs.function import guard
from costs.report.account import Attempts, Clients
from shoestring.base import names
from shoestring.base.errors import UserError

TAGS = tuple(tag for tag in names.COST_TAGS if tag != names.MANAGED_BY_TAG)  # what costs are told apart by
Facts = dict[str, Any]


def _value(client: Any, environment: str) -> str:
    """What the gate's parameter holds. Raises UserError where the platform has none."""
    name = names.window_gate(environment)
    try:
        return str(client.get_parameter(Name=name)["Parameter"]["Value"])
    except client.exceptions.ParameterNotFound as error:
        raise _missing(f"parameter {name}", "gate", environment) from error


def _gate(client: Any, environment: str) -> gate.Gate:
    try:
        return gate.read(_value(client, environment))
    except ValueError as error:
        mend = f'shoestring budget reopen -e {environment} --why "..."'
        raise UserError(f"the parameter {names.window_gate(environment)}: {error}", "", mend) from error


def _budget(clients: Clients, name: str, environment: str) -> Facts:
    account = clients("sts").get_caller_identity()["Account"]
    client = clients("budgets")
    try:
        answer = client.describe_budget(AccountId=account, BudgetName=name, ShowFilterExpression=True)
    except client.exceptions.NotFoundException as error:
        raise _missing(f"budget {name} in the account {account}", "budget", environment) from error
    return dict(answer["Budget"])


def _missing(what: str, role: str, environment: str) -> UserError:
    mend = f"pulumi up --refresh --stack {environment} --policy-pack policies"
    return UserError(f"there is no {what}", f"the {role} that the platform {environment} makes", mend)


def status(environment: str, name: str, clients: Clients, now: datetime) -> Facts:
    """Limit, what is spent and forecast in this month, each with who says so, and the gate. Money is text.

    Args:
        name: the budget's.

    Raises:
        UserError: there is no budget, or no gate.
    """
    budget = _budget(clients, name, environment)
    spend = budget.get("CalculatedSpend", {})
    spent, source = Decimal(spend.get("ActualSpend", {}).get("Amount", "0")), "AWS Budgets"
    forecast, foreseen = spend.get("ForecastedSpend", {}).get("Amount"), "AWS Budgets"
    attempts = Attempts()
    if not spent:  # nothing counted yet, or nothing spent
        reading = "what was spent", "ce:GetCostAndUsage"
        explored = attempts.of(*reading, lambda: guard.explored(clients("ce"), budget, now), None)
        if explored is not None:
            spent, source = explored, "Cost Explorer"
    if forecast is None:
        forecast, foreseen = _forecast(clients("ce"), budget, spent, now, attempts), "Cost Explorer"
    current, limit = _gate(clients("ssm"), environment), Decimal(budget["BudgetLimit"]["Amount"])
    return {
        "environment": environment,
        "budget": name,
        "period": gate.period(now),
        "limit_usd": f"{legible(limit):f}",
        "spent_usd": f"{legible(spent):f}",
        "spent_source": source,
        "spent_share": str((spent / limit).quantize(Decimal("0.001"))),
        "forecast_usd": None if forecast is None else f"{legible(Decimal(forecast)):f}",
        "forecast_source": None if forecast is None else foreseen,
        "gate": {
            "parameter": names.window_gate(environment),
            "open": not current.closed_at(now),
            **current.facts(),
        },
        "notes": attempts.notes,
    }


def _forecast(client: Any, budget: Facts, spent: Decimal, now: datetime, attempts: Attempts) -> Decimal | None:
    """What the month will have cost: spent so far and Cost Explorer's forecast of its rest; None where it has none."""
    tomorrow = now + timedelta(days=1)
    if tomorrow.month != now.month:
        return spent
    end = (now.replace(day=1) + timedelta(days=32)).replace(day=1)
    query: Facts = {
        "TimePeriod": {"Start": tomorrow.strftime("%Y-%m-%d"), "End": end.strftime("%Y-%m-%d")},
        "Metric": "UNBLENDED_COST",
        "Granularity": "MONTHLY",
    }
    if budget.get("FilterExpression"):
        query["Filter"] = budget["FilterExpression"]
    reading = "the forecast", "ce:GetCostForecast"
    rest = attempts.of(*reading, lambda: client.get_cost_forecast(**query)["Total"]["Amount"], None)
    return None if rest is None else spent + Decimal(rest)


def text(facts: Facts) -> str:
    """The same for people."""
    current = facts["gate"]
    state = "open" if current["open"] else f"closed for {current['period']}"
    if current["at"] and (not current["open"] or current["state"] == "open"):
        state += f" (since {current['at']}: {current['why']})"
    foreseen = "unknown" if facts["forecast_usd"] is None else f"{facts['forecast_usd']} ({facts['forecast_source']})"
    lines = [
        f"{facts['environment']} in {facts['period']}, US dollars, billed",
        f"  limit     {facts['limit_usd']} (budget {facts['budget']})",
        f"  spent     {facts['spent_usd']} ({Decimal(facts['spent_share']):.0%}, {facts['spent_source']})",
        f"  forecast  {foreseen}",
        f"  new training windows: {state}",
    ]
    lines += [f"  note: {note}" for note in facts["notes"]]
    if not current["open"]:
        lines.append(f'  mend it:  shoestring budget reopen -e {facts["environment"]} --why "..."')
    return "\n".join(lines)


def move_gate(state: gate.State, environment: str, why: str, clients: Clients, now: datetime) -> gate.Gate:
    """Closes the gate until the month ends, or opens it until an alarm that is sent later closes it."""
    client, value = clients("ssm"), gate.Gate(state, period=gate.period(now), at=gate.stamp(now), why=why)
    _value(client, environment)  # the platform makes it: nobody else does
    client.put_parameter(Name=names.window_gate(environment), Value=value.text(), Type="String", Overwrite=True)
    return value


def activate_tags(clients: Clients) -> list[Facts]:
    """Makes the cost tags count in Cost Explorer and budgets; what is active already stays. `{"tag", "status"}` each.

    Raises:
        UserError: this account may not, or AWS has not seen a tag on anything that costs yet.
    """
    client = clients("ce")
    try:
        known = {
            tag["TagKey"]: tag["Status"]
            for tag in client.list_cost_allocation_tags(TagKeys=list(TAGS), Type="UserDefined")["CostAllocationTags"]
        }
        missing = [tag for tag in TAGS if tag not in known]
        waiting = [{"TagKey": tag, "Status": "Active"} for tag, state in known.items() if state != "Active"]
        refused = []
        if waiting:
            refused = client.update_cost_allocation_tags_status(CostAllocationTagsStatus=waiting).get("Errors", [])
    except client.exceptions.ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code not in ("AccessDeniedException", "ValidationException", "UnauthorizedOperation"):
            raise
        raise UserError(
            f"this account may not activate cost allocation tags: {message or code}",
            "the payer's account of the organization, and ce:ListCostAllocationTags and "
            "ce:UpdateCostAllocationTagsStatus for who asks",
            "AWS_PROFILE=payer shoestring budget activate-tags",
        ) from error
    if refused:
        reasons = "; ".join(f"{tag['TagKey']}: {tag.get('Message', tag.get('Code', ''))}" for tag in refused)
        raise UserError(f"AWS did not activate {reasons}", "", "shoestring budget activate-tags    (in 24 hours)")
    if missing:
        raise UserError(
            f"AWS does not know the tags {', '.join(missing)} yet",
            "tags that something carries which has cost money; AWS sees them within 24 hours, and takes another "
            "24 hours until they count",
            "shoestring budget activate-tags    (in 24 hours, after pulumi up)",
        )
    changed = {tag["TagKey"] for tag in waiting}
    return [{"tag": tag, "status": "activated now" if tag in changed else "active"} for tag in TAGS]
