"""The report in a few plain lines: for the terminal and for mail. The largest figures first, each with its source."""

from __future__ import annotations

from costs.amounts import dollars
from costs.report.report import Report
from costs.report.template import fill

SUBJECT = "Shoestring costs"  # the budget's guard knows the platform's own messages by the first word


def subject(report: Report) -> str:
    """At most 100 ASCII characters, as SNS takes them."""
    scope = report.readings.scope
    return f"{SUBJECT}: {scope.environment} {report.readings.period.name} {dollars(report.usd)}"[:100]


def summary(report: Report, where: str = "") -> str:
    """`where` is the address of the whole report."""
    return fill("summary.txt.j2", r=report, where=where).rstrip()
