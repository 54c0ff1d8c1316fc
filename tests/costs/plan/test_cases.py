"""Small plans whose price is known from elsewhere: each gives that figure, a range that holds it, or says why not.

`tests/costs/data/cases/NAME.json` is a saved preview, `NAME.usage.yaml` its usage, or `no-traffic.usage.yaml` where it
has none of its own. Sources in brackets are published test results of Infracost (AWS list prices of us-east-1), files
below `internal/providers/terraform/aws/testdata/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from costs.amounts import Range, cents
from costs.book.prices import PriceBook
from costs.plan.plan import Plan, price_plan
from costs.plan.preview import read
from costs.plan.usage import load

DATA = Path(__file__).parent.parent / "data" / "cases"
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Right:
    """US dollars a month, from `low` to `high` or `low` alone, by hand; `says` stands in the reason of a resource.

    `status` is that of the totals: "at least" where a part is in no figure, "unpriced" where nothing is in one.
    """

    low: str
    high: str = ""
    expected: str = ""
    status: str = "priced"
    says: str = ""


CASES = {
    # the target's own bounds, and one task as it is declared: 730 x (1 x 0.04048 + 2 x 0.004445)
    "ecs-autoscaling-target": Right("36.04", "360.40", expected="36.04", says="it scales between 1 and 10"),
}


def priced(name: str) -> Plan:
    usage = DATA / f"{name}.usage.yaml"
    given = load(usage if usage.exists() else DATA / "no-traffic.usage.yaml")
    return price_plan(read((DATA / f"{name}.json").read_text(), name), PriceBook.load(), given, now=NOW)


@pytest.mark.parametrize("name", CASES)
def test_the_price_is_the_one_that_is_known(name: str) -> None:
    right, plan = CASES[name], priced(name)
    month: Range = plan.after.monthly
    reasons = [change.resource.reason for change in plan.changes]
    assert (str(cents(month.low)), str(cents(month.high))) == (right.low, right.high or right.low), reasons
    expected = right.expected or ("" if right.high else right.low)
    assert ("" if month.expected is None else str(cents(month.expected))) == expected
    assert (plan.after.status, plan.complete) == (right.status, right.status == "priced"), reasons
    assert any(right.says in reason for reason in reasons), reasons


def test_every_case_has_its_figure() -> None:
    assert {path.stem for path in DATA.glob("*.json")} == set(CASES)
