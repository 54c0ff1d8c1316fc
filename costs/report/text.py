"""The report in a few plain lines: for the terminal and for mail. The largest figures first, each with its source."""

from __future__ import annotations

from costs.report.analysis import dollars, percent, signed, span
from costs.report.report import Report

SUBJECT = "Shoestring costs"  # the budget's guard knows the platform's own messages by the first word


def subject(report: Report) -> str:
    """At most 100 ASCII characters, as SNS takes them."""
    scope = report.readings.scope
    return f"{SUBJECT}: {scope.environment} {report.readings.period.name} {dollars(report.usd)}"[:100]


def summary(report: Report, where: str = "") -> str:
    """`where` is the address of the whole report."""
    scope, period, month, p = report.readings.scope, report.readings.period, report.month, report.predictions
    lines = [f"{scope.project} {scope.environment}, {period.title}: {dollars(report.usd)} ({report.billed})"]
    lines += [f"! {note}" for note in report.notes]
    compared = report.comparison
    if compared.why_not:
        lines.append(f"against the period before: nothing to compare, {compared.why_not}")
    else:
        share = percent(compared.change_usd, compared.before_usd)
        lines.append(f"against the period before: {signed(compared.change_usd)} ({share}), {compared.days} whole days")
    limit = f", {percent(month.usd, month.limit.usd)} of {dollars(month.limit.usd)}" if month.limit.usd else ""
    lines.append(f"{month.start:%B} to date: {dollars(month.usd)}{limit} ({month.limit.source})")
    if month.expected_usd is not None:
        lines.append(f"{month.start:%B} expected: {dollars(month.expected_usd)} ({month.expected_source})")
    else:
        lines.append(f"{month.start:%B} expected: {month.expected_source}")
    lines.append("by service:")
    lines += [f"  {dollars(item.usd):>10}  {item.name}" for item in report.services if item.usd] or ["  nothing"]
    share = f" ({percent(report.spot.saved_usd, report.spot.on_demand_usd)})" if report.spot.on_demand_usd else ""
    lines.append(f"saved by spot: {dollars(report.spot.saved_usd)}{share}")
    for model in report.models:
        mean = dollars(model.mean_usd) if model.mean_usd is not None else "–"
        other = f", {model.not_completed} not completed for {dollars(model.wasted_usd)}" if model.not_completed else ""
        lines.append(f"retraining {model.name}: {model.completed} completed, {mean} each{other}")
    if not report.models:
        lines.append("retraining: no training job ended in this period")
    if p.per_thousand_usd is not None:
        lines.append(f"1,000 predictions: {dollars(p.per_thousand_usd)} ({p.predictions:,}, {p.source}; {p.counted})")
    else:
        lines.append(f"1,000 predictions: {p.why_not}")
    lines.append(f"unallocated in the account: {dollars(report.unallocated_usd)} of {dollars(report.account_usd)}")
    lines += [
        "surprises:",
        *(f"  {number}. {surprise.sentence}" for number, surprise in enumerate(report.surprises, 1)),
    ]
    if not report.surprises:
        lines.append("  none")
    if report.recommendations:
        lines.append("what to change:")
    for advice in report.recommendations:
        saves = f", saves {span(advice.saves)} a month" if advice.saves.high else ""
        lines += [f"  - {advice.what}{saves}: {advice.why} ({advice.source})", f"    {advice.how}"]
    price = "" if report.requests_usd is None else f", {dollars(report.requests_usd)} on AWS"
    lines.append(f"{report.readings.requests} requests to Cost Explorer{price}")
    return "\n".join([*lines, where] if where else lines)
