"""What is larger than it needs to be, from what was measured; the thresholds stand in `costs.report.sizing`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from costs.amounts import NOTHING, Range
from costs.book.prices import PriceBook
from costs.report import account, utilisation
from costs.report.account import Attempts
from costs.report.analysis import span as shown
from costs.report.document import facts, span
from costs.report.explorer import Scope
from costs.report.periods import DAY, Period
from costs.report.sizing import Sizing
from costs.report.utilisation import DAYS

SCHEMA = "shoestring.rightsizing/1"
WORDS = {"smaller": "too large", "larger": "too small", "fits": "fits", "unknown": "not known"}


@dataclass(frozen=True)
class Rightsizing:
    """Everything that was measured in an environment, what can be smaller first; `notes`: what could not be read."""

    scope: Scope
    days: int
    sizings: tuple[Sizing, ...]
    notes: tuple[str, ...] = ()

    @property
    def saves(self) -> Range:
        """Dollars a month, if all is done."""
        return sum((sizing.advice.saves for sizing in self.sizings if sizing.advice), NOTHING)

    def facts(self) -> dict[str, Any]:
        """For machines; money as strings of decimals, in US dollars a month."""
        return {
            "schema": SCHEMA,
            "project": self.scope.project,
            "environment": self.scope.environment,
            "days": self.days,
            "saves_usd_a_month": span(self.saves),
            "findings": [_facts(sizing) for sizing in self.sizings],
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """For people."""
        lines = []
        for sizing in self.sizings:
            lines.append(f"{sizing.kind} {sizing.name}, {sizing.now}: {WORDS[sizing.verdict]}")
            lines.append(f"  {sizing.measured}    ({sizing.source})")
            if sizing.advice:
                saves = f", saves {shown(sizing.advice.saves)} a month" if sizing.advice.saves.high else ""
                lines += [f"  {sizing.advice.what}{saves}    ({sizing.advice.source})", f"    {sizing.advice.how}"]
        lines += [f"! {note}" for note in self.notes]
        if not self.sizings:
            scope = f"Project {self.scope.project}, Environment {self.scope.environment}"
            lines.append(f"nothing with the tags {scope} runs, and no job ended in {self.days} days")
        elif self.saves.high:
            lines.append(f"together: {shown(self.saves)} a month")
        return "\n".join(lines)


def _facts(sizing: Sizing) -> dict[str, Any]:
    advice = sizing.advice
    return {
        **facts(sizing, "kind", "name", "now", "verdict", "measured", "source"),
        "what": advice.what if advice else None,
        "saves_usd_a_month": span(advice.saves) if advice else None,
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
    regional = partial(client, region_name=region)
    period, attempts = Period(moment.date() - DAYS * DAY, moment.date() + DAY), Attempts()
    jobs = attempts.of(
        "training jobs", account.READ_JOBS, lambda: account.jobs(regional("sagemaker"), scope, period), ()
    )
    reading = "lambda:ListFunctions, lambda:ListTags"
    names = attempts.of("functions", reading, lambda: utilisation.functions(regional("lambda"), scope), [])
    sizings, notes = utilisation.measure(regional, scope, moment, jobs, period, region, book, names, job_logs=True)
    ranked = sorted(sizings, key=lambda sizing: -(sizing.advice.saves.high if sizing.advice else -1))
    return Rightsizing(scope, DAYS, tuple(ranked), (*attempts.notes, *notes))
