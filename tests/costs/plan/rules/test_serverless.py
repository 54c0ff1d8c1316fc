"""What predictions cost on Lambda: their time and memory, by started milliseconds, and their number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from costs.book.prices import PriceBook
from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from costs.plan.preview import UNKNOWN, PlannedResource
from costs.plan.traffic import Usage

KIND = "aws:lambda/function:Function"


def cost(requests: str, mean_ms: str, **inputs: object) -> ResourceCost:
    """Of a month with so many requests."""
    function = PlannedResource(f"urn:pulumi:dev::shop::{KIND}::f", KIND, "f", inputs)
    usage = Usage(resources={"f": {"requests": Decimal(requests), "mean_ms": Decimal(mean_ms)}})
    return price_resources([function], "us-east-1", PriceBook.load(), usage)[0]


def test_predictions_cost_their_time_and_memory() -> None:
    month = cost("1000000", "100", memorySize=1024, architectures=["x86_64"])
    assert [charge.usd.high for charge in month.charges] == [Decimal("1.66667"), Decimal("0.20")]
    assert month.monthly.exact and month.monthly.high == Decimal("1.86667")
    for charge in month.charges:
        assert charge.name and charge.price.unit and charge.price.source and charge.price.as_of.year >= 2026
        assert charge.usd.high == charge.quantity.high * charge.price.usd > 0
    nothing = cost("0", "3", memorySize=512)
    assert (nothing.status, nothing.monthly.high) == ("priced", 0)


def test_a_started_millisecond_is_billed() -> None:
    two, started, three = (cost("1000", mean, architectures=["arm64"]).monthly.high for mean in ("2", "2.1", "3"))
    assert two < started == three


def test_an_architecture_without_a_price_is_named() -> None:
    month = cost("1", "1", architectures=["riscv"])
    assert month.status == "at least" and "riscv" in month.reason


@pytest.mark.parametrize("unknown", ["memorySize", "architectures"])
def test_what_is_unknown_lies_between_the_least_and_the_most(unknown: str) -> None:
    known = {"memorySize": 512, "architectures": ["arm64"]}
    month, exact = (cost("1000000", "100", **inputs) for inputs in (known | {unknown: UNKNOWN}, known))
    assert month.monthly.low <= exact.monthly.high < month.monthly.high
