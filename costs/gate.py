"""The gate of an environment: a parameter that is open, or closed to new training windows until the month ends.

The budget's guard closes it (`costs.function.guard`), the window's program reads it, and `shoestring budget reopen`
opens it.
A gate that was closed in one month is open in the next: budgets count by calendar month in UTC.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

State = Literal["open", "closed"]
OPEN_TEXT = '{"state": "open"}'
OWN_SUBJECT = "Shoestring"  # how the subject of a message begins that the platform itself publishes


def period(moment: datetime) -> str:
    """The budget's month in which `moment` (UTC) lies, like 2026-11."""
    return moment.strftime("%Y-%m")


def stamp(moment: datetime) -> str:
    """A moment (UTC) as the gate writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Gate:
    """What the parameter says. Where it is closed: what was spent of which limit, in which month, when and why."""

    state: State = "open"
    spent_usd: Decimal | None = None
    limit_usd: Decimal | None = None
    period: str = ""
    at: str = ""
    why: str = ""

    def closed_at(self, moment: datetime) -> bool:
        """Whether no new window may come up at `moment`."""
        return self.state == "closed" and self.period == period(moment)

    def facts(self) -> dict[str, str | None]:
        """What it says, money as decimal strings."""
        return {key: f"{value:f}" if isinstance(value, Decimal) else value for key, value in asdict(self).items()}

    def text(self) -> str:
        """The parameter's value: JSON, without what is not known."""
        return json.dumps({key: value for key, value in self.facts().items() if value})


def read(text: str) -> Gate:
    """The gate from its parameter's value.

    Raises:
        ValueError: the value is no gate, and says so; never taken for an open one.
    """
    try:
        facts = json.loads(text)
        spent, limit = (Decimal(facts[key]) if key in facts else None for key in ("spent_usd", "limit_usd"))
        month, at, why = (str(facts.get(key, "")) for key in ("period", "at", "why"))
        if facts["state"] not in ("open", "closed") or (facts["state"] == "closed" and not month):
            raise ValueError("no state")
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation) as error:
        raise ValueError(f"{text[:120]!r} is not the value of a gate, which is like {OPEN_TEXT}") from error
    return Gate(facts["state"], spent, limit, month, at, why)
