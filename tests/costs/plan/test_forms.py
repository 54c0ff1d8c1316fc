"""What no provider would take may stand in a preview all the same: it is said to be unpriced, and stops no plan."""

from __future__ import annotations

from typing import Any

import pytest

from costs.book.prices import PriceBook
from costs.plan.plan import price_resources
from costs.plan.preview import PlannedResource

BOOK = PriceBook.load()


def planned(kind: str, name: str, inputs: dict[str, Any]) -> PlannedResource:
    return PlannedResource(f"urn:pulumi:dev::shop::{kind}::{name}", kind, name, inputs)


@pytest.mark.parametrize("architectures", [{"Action": None}, True, 3, "arm64"])
def test_what_no_provider_would_take_stops_no_plan(architectures: Any) -> None:
    odd = planned("aws:lambda/function:Function", "odd", {"architectures": architectures})
    good = planned("aws:ec2/eip:Eip", "good", {})
    found = price_resources([odd, good], "us-east-1", BOOK)
    assert [cost.name for cost in found] == ["odd", "good"] and found[1].status == "priced"


def test_a_rule_that_meets_an_unknown_form_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(pricing: Any) -> None:
        pricing.add("something", 1, "vpc", "public-ipv4")
        raise KeyError("size")

    monkeypatch.setattr("costs.plan.plan.rule", lambda one: broken)
    (found,) = price_resources([planned("aws:x/y:Z", "a", {})], "us-east-1", BOOK)
    assert (found.status, found.charges) == ("unpriced", ())
    assert "a form that its rule does not know: KeyError" in found.reason
