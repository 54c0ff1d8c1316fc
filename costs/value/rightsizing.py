"""What is larger than it needs to be, from what was measured; the thresholds stand in `costs.report.sizing`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from costs.amounts import NOTHING, Range
from costs.book.prices import PriceBook
from costs.report import account, utilisation
from costs.report.account import Attempts
from costs.report.document import money
from costs.report.explorer import Scope
from costs.report.html import span as shown
from costs.report.periods import DAY, Period
from costs.report.sizing import Finding
from costs.report.utilisation import DAYS, Span

SCHEMA = "shoestring.rightsizing/1"
WORDS = {"smaller": "too large", "larger": "too small", "fits": "fits", "unknown": "not known"}


@dataclass(frozen=True)
class Rightsizing:
    """Everything that was measured in an environment, what can be smaller first; `notes`: what could not be read."""

    scope: Scope
    days: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def saves(self) -> Range:
        """Dollars a month, if all is done."""
        return sum((found.advice.saves for found in self.findings if found.advice), NOTHING)

    def facts(self) -> dict[str, Any]:
        """For machines; money as strings of decimals, in US dollars a month."""
        return {
            "schema": SCHEMA,
            "project": self.scope.project,
            "environment": self.scope.environment,
            "days": self.days,
            "saves_usd_a_month": {"low": money(self.saves.low), "high": money(self.saves.high)},
            "findings": [_facts(found) for found in self.findings],
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """For people."""
        lines = []
        for found in self.findings:
            lines.append(f"{found.kind} {found.name}, {found.now}: {WORDS[found.verdict]}")
            lines.append(f"  {found.measured}    ({found.source})")
            if found.advice:
                saves = f", saves {shown(found.advice.saves)} a month" if found.advice.saves.high else ""
                lines += [f"  {found.advice.what}{saves}    ({found.advice.source})", f"    {found.advice.how}"]
        lines += [f"! {note}" for note in self.notes]
        if not self.findings:
            scope = f"Project {self.scope.project}, Environment {self.scope.environment}"
            lines.append(f"nothing with the tags {scope} runs, and no job ended in {self.days} days")
        elif self.saves.high:
            lines.append(f"together: {shown(self.saves)} a month")
        return "\n".join(lines)


def _facts(found: Finding) -> dict[str, Any]:
    advice = found.advice
    return {
        "kind": found.kind,
        "name": found.name,
        "now": found.now,
        "verdict": found.verdict,
        "measured": found.measured,
        "source": found.source,
        "what": advice.what if advice else None,
        "saves_usd_a_month": {"low": money(advice.saves.low), "high": money(advice.saves.high)} if advice else None,
        "how": advice.how if advice else None,
        "price_source": advice.source if advice else None,
    }


def measure(
    client: Callable[..., Any], scope: Scope, region: str, book: PriceBook, now: datetime | None = None
) -> Rightsizing:
    """Measures all functions and machines of the scope, and the jobs that ended within the last two weeks.

    Args:
        client: makes a boto3 client; takes the service's name and keywords.
    """
    moment = now or datetime.now(UTC)

    def regional(service: str) -> Any:
        return client(service, region_name=region)

    period = Period(moment.date() - DAYS * DAY, moment.date() + DAY)
    jobs, note = account.jobs_or_note(regional, scope, period)
    attempts = Attempts()
    reading = "lambda:ListFunctions, lambda:ListTags"
    names = attempts.of("functions", reading, lambda: utilisation.functions(regional("lambda"), scope), [])
    span, jobs_span = Span.until(moment), Span.of(period)
    findings, notes = utilisation.measure(regional, scope, span, jobs, jobs_span, region, book, names, job_logs=True)
    ranked = sorted(findings, key=lambda found: -(found.advice.saves.high if found.advice else -1))
    return Rightsizing(scope, DAYS, tuple(ranked), (*note, *attempts.notes, *notes))
