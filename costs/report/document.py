"""The report for machines: one JSON object whose keys stay. Money is a string of a decimal number, in US dollars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from costs.amounts import Range
from costs.report.analysis import Item
from costs.report.report import Report

SCHEMA = "shoestring.cost-report/1"


def money(usd: Decimal | None) -> str | None:
    """Without exponent and without zeros that say nothing."""
    if usd is None:
        return None
    text = f"{usd:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def span(value: Range) -> dict[str, str | None]:
    """A range of dollars."""
    return {"low": money(value.low), "high": money(value.high)}


def facts(record: Any, *names: str) -> dict[str, Any]:
    """Attributes of a record under their own names: money and dates as texts, an empty text as null."""
    return {name: _plain(getattr(record, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return money(value)
    return str(value) if isinstance(value, date) else None if value == "" else value


def _items(items: tuple[Item, ...]) -> list[dict[str, Any]]:
    return [
        {
            "name": item.name,
            **facts(item, "usd", "compared_usd", "before_usd", "quantity", "unit"),
            **({"parts": _items(item.parts)} if item.parts else {}),
        }
        for item in items
    ]


def of(report: Report) -> Mapping[str, Any]:
    """The whole report."""
    readings, account, month = report.readings, report.account, report.month
    period, source = readings.period, {"source": report.billed}
    projects = [{**item, "name": item["name"] or None} for item in _items(report.projects)]
    return {
        "schema": SCHEMA,
        "made_at": report.made_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "currency": "USD",
        "period": {**facts(period, "name", "start"), "end_exclusive": str(period.end), "days": period.days},
        "scope": {**facts(readings.scope, "project", "environment"), "account": account.id, "region": account.region},
        "total": {**facts(report, "usd", "amortized_usd"), **source},
        "comparison": {**facts(report.comparison, "days", "usd", "before_usd", "change_usd", "why_not"), **source},
        "days": [{"date": str(day.day), **facts(day, "usd", "before_usd", "state")} for day in report.days],
        "services": {**source, "items": _items(report.services)},
        "projects": {**source, "account_usd": money(report.account_usd), "items": projects},
        "unallocated": {"usd": money(report.unallocated_usd), **source, "services": _items(report.untagged)},
        "month": {
            "start": str(month.start),
            "end_exclusive": str(month.end),
            **facts(month, "through", "usd"),
            **source,
            "limit_usd": money(month.limit.usd),
            "limit_source": month.limit.source,
            "budget": month.limit.name or None,
            "budget_spent_usd": money(month.limit.spent),
            **facts(month, "expected_usd", "expected_low_usd", "expected_high_usd", "expected_source"),
        },
        "spot": {
            **facts(report.spot, "saved_usd", "on_demand_usd"),
            "unpriced": list(report.spot.unpriced),
            "items": [
                facts(saving, "name", "hours", "usd", "on_demand_usd", "saved_usd", "source")
                for saving in report.spot.savings
            ],
        },
        "retraining": {
            "mean_usd": money(report.retraining_mean),
            "sagemaker_billed_usd": money(report.sagemaker_billed_usd),
            "models": [
                facts(model, "name", "completed", "usd", "mean_usd", "not_completed", "wasted_usd")
                for model in report.models
            ],
            "jobs": [
                {
                    **facts(training.job, "name", "model", "status", "ended", "instance_type", "instances", "spot"),
                    **facts(training.job, "training_seconds", "billable_seconds"),
                    **facts(training, "usd", "on_demand_usd", "source"),
                }
                for training in report.trainings
            ],
        },
        "predictions": {
            **facts(report.predictions, "predictions", "requests", "usd", "per_thousand_usd", "source", "counted"),
            **facts(report.predictions, "lambda_billed_usd", "lambda_billed_per_thousand_usd", "why_not"),
        },
        "surprises": [facts(surprise, "usd", "sentence", "source") for surprise in report.surprises],
        "recommendations": [
            {
                **facts(advice, "what", "why"),
                "saves_usd_a_month": span(advice.saves),
                **facts(advice, "how", "source"),
            }
            for advice in report.recommendations
        ],
        "reading": {"cost_explorer_requests": readings.requests, "usd": money(report.requests_usd)},
        "notes": list(report.notes),
    }
