"""The report for machines: one JSON object whose keys stay. Money is a string of a decimal number, in US dollars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
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


def _range(found: Range) -> dict[str, str | None]:
    return {"low": money(found.low), "high": money(found.high)}


def _items(items: tuple[Item, ...]) -> list[dict[str, Any]]:
    return [
        {
            "name": item.name,
            "usd": money(item.usd),
            "compared_usd": money(item.compared_usd),
            "before_usd": money(item.before_usd),
            "quantity": money(item.quantity),
            "unit": item.unit or None,
            **({"parts": _items(item.parts)} if item.parts else {}),
        }
        for item in items
    ]


def of(report: Report) -> Mapping[str, Any]:
    """The whole report."""
    readings, account, month, compared = report.readings, report.account, report.month, report.comparison
    period = readings.period
    return {
        "schema": SCHEMA,
        "made_at": report.made_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "currency": "USD",
        "period": {
            "name": period.name,
            "start": str(period.start),
            "end_exclusive": str(period.end),
            "days": period.days,
        },
        "scope": {
            "project": readings.scope.project,
            "environment": readings.scope.environment,
            "account": account.id,
            "region": account.region,
        },
        "total": {"usd": money(report.usd), "amortized_usd": money(report.amortized_usd), "source": report.billed},
        "comparison": {
            "days": compared.days,
            "usd": money(compared.usd),
            "before_usd": money(compared.before_usd),
            "change_usd": money(compared.change),
            "why_not": compared.why or None,
            "source": report.billed,
        },
        "days": [
            {"date": str(day.day), "usd": money(day.usd), "before_usd": money(day.before_usd), "state": day.state}
            for day in report.days
        ],
        "services": {"source": report.billed, "items": _items(report.services)},
        "projects": {
            "source": report.billed,
            "account_usd": money(report.account_usd),
            "items": [{**each, "name": each["name"] or None} for each in _items(report.projects)],
        },
        "unallocated": {
            "usd": money(report.unallocated_usd),
            "source": report.billed,
            "services": _items(report.untagged),
        },
        "month": {
            "start": str(month.start),
            "end_exclusive": str(month.end),
            "through": str(month.through),
            "usd": money(month.usd),
            "source": report.billed,
            "limit_usd": money(month.limit.usd),
            "limit_source": month.limit.source,
            "budget": month.limit.name or None,
            "budget_spent_usd": money(month.limit.spent),
            "expected_usd": money(month.expected),
            "expected_low_usd": money(month.low),
            "expected_high_usd": money(month.high),
            "expected_source": month.expected_source,
        },
        "spot": {
            "saved_usd": money(report.spot.saved),
            "on_demand_usd": money(report.spot.on_demand),
            "unpriced": list(report.spot.unpriced),
            "items": [
                {
                    "name": each.name,
                    "hours": money(each.hours),
                    "usd": money(each.usd),
                    "on_demand_usd": money(each.on_demand_usd),
                    "saved_usd": money(each.saved),
                    "source": each.source,
                }
                for each in report.spot.savings
            ],
        },
        "retraining": {
            "mean_usd": money(report.retraining_mean),
            "sagemaker_billed_usd": money(report.sagemaker_billed_usd),
            "models": [
                {
                    "name": model.name,
                    "completed": model.completed,
                    "usd": money(model.usd),
                    "mean_usd": money(model.mean),
                    "not_completed": model.other,
                    "wasted_usd": money(model.wasted_usd),
                }
                for model in report.models
            ],
            "jobs": [
                {
                    "name": each.job.name,
                    "model": each.job.model,
                    "status": each.job.status,
                    "ended": each.job.ended,
                    "instance_type": each.job.instance_type,
                    "instances": each.job.instances,
                    "spot": each.job.spot,
                    "training_seconds": each.job.training_seconds,
                    "billable_seconds": each.job.billable_seconds,
                    "usd": money(each.usd),
                    "on_demand_usd": money(each.on_demand_usd),
                    "source": each.source,
                }
                for each in report.trainings
            ],
        },
        "predictions": {
            "predictions": report.predictions.predictions,
            "requests": report.predictions.requests,
            "usd": money(report.predictions.usd),
            "per_thousand_usd": money(report.predictions.per_thousand),
            "source": report.predictions.source or None,
            "counted": report.predictions.counted or None,
            "lambda_billed_usd": money(report.predictions.billed_usd),
            "lambda_billed_per_thousand_usd": money(report.predictions.billed_per_thousand),
            "why_not": report.predictions.why or None,
        },
        "surprises": [
            {"usd": money(each.usd), "sentence": each.sentence, "source": each.source} for each in report.surprises
        ],
        "recommendations": [
            {
                "what": each.what,
                "why": each.why,
                "saves_usd_a_month": _range(each.saves),
                "how": each.how,
                "source": each.source,
            }
            for each in report.recommendations
        ],
        "reading": {"cost_explorer_requests": report.requests, "usd": money(report.requests_usd)},
        "notes": list(report.notes),
    }
