"""The report in FOCUS's columns, against a validator that was written from the specification."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.book.prices import PriceBook
from costs.report import focus, names
from costs.report.account import Subject
from costs.report.explorer import BilledRow, Scope
from costs.report.gather import gather
from costs.report.periods import chosen
from costs.report.report import Report
from tests.costs.report import sample
from tests.costs.report.focus_validator import problems

BOOK = PriceBook.load()
SUBJECT = Subject(
    Scope(sample.PROJECT, sample.ENVIRONMENT), "us-east-1", "shoestring-dev-inference", "shoestring-dev-costs"
)
TAGS = {"Project": "shoestring", "Environment": "dev"}


@pytest.fixture(scope="module")
def report() -> Report:
    """The sample's week."""
    return gather(sample.clients(), SUBJECT, chosen(sample.TODAY), BOOK, sample.NOW)


def file_of(*rows: BilledRow) -> str:
    """A CSV file of these rows."""
    out = io.StringIO()
    writer = csv.DictWriter(out, focus.COLUMNS)
    writer.writeheader()
    writer.writerows(focus.row_of(row, "210987654321", TAGS, BOOK) for row in rows)
    return out.getvalue()


def row(
    service: str, usage: str, usd: str, quantity: str = "1", unit: str = "Hrs", day: date = date(2026, 11, 30)
) -> BilledRow:
    """A day's sum."""
    return BilledRow(day, (service, usage), Decimal(usd), Decimal(usd), Decimal(quantity), unit, False)


def test_the_sample_conforms(report: Report) -> None:
    """Every row, to every rule of the validator."""
    assert problems(focus.csv_of(report, BOOK)) == []


def test_the_rows_add_up_to_the_report(report: Report) -> None:
    """To the last digit."""
    rows = list(csv.DictReader(io.StringIO(focus.csv_of(report, BOOK))))
    assert sum(Decimal(each["BilledCost"]) for each in rows) == report.usd
    assert {each["ChargePeriodStart"][:10] for each in rows} == {str(day) for day in report.readings.period}
    assert {each["Tags"] for each in rows} == {'{"Environment": "dev", "Project": "shoestring"}'}


def test_a_spot_instance_lists_at_its_price_on_demand(report: Report) -> None:
    """5 hours of g4dn.xlarge: 0.789 billed, 2.63 on the list, pricing Dynamic."""
    rows = csv.DictReader(io.StringIO(focus.csv_of(report, BOOK)))
    (spot,) = [each for each in rows if each["x_UsageType"] == "SpotUsage:g4dn.xlarge"]
    assert (spot["PricingCategory"], spot["BilledCost"], spot["ListCost"]) == ("Dynamic", "0.789", "2.63")
    assert spot["x_ListCostSource"] == "list price of 2026-01-01 on demand"
    assert (spot["ConsumedQuantity"], spot["ConsumedUnit"]) == ("5", "Hours")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (row("Tax", "NoUsageType", "1.9", "0", "N/A"), {"ChargeCategory": "Tax", "PricingUnit": "", "RegionId": ""}),
        (row("AWS Lambda", "Request", "-0.4", "3"), {"ChargeCategory": "Adjustment", "ConsumedQuantity": "",
                                                     "ContractedUnitPrice": ""}),
        (row("AWS Lambda", "EUC1-Request", "1"), {"RegionId": "eu-central-1", "RegionName": "Europe (Frankfurt)"}),
        (row("AWS Lambda", "Request", "1"), {"RegionId": "us-east-1", "ServiceCategory": "Compute"}),
        (row("AWS Ground Station", "Minutes", "1", "2", "N/A"), {"ServiceCategory": "Other", "PricingUnit": "Units"}),
        (row("AWS Lambda", "Request", "1", "0"), {"ContractedUnitPrice": "", "PricingQuantity": "0"}),
        (row("AWS Lambda", "Request", "1", day=date(2026, 12, 31)), {"BillingPeriodEnd": "2027-01-01T00:00:00Z",
                                                                    "ChargePeriodEnd": "2027-01-01T00:00:00Z"}),
    ],
)  # fmt: skip
def test_what_is_special(made: BilledRow, expected: dict[str, str]) -> None:
    """Taxes, credits, other regions, unknown services, no quantity, the end of a year: all conform."""
    text = file_of(made)
    (found,) = csv.DictReader(io.StringIO(text))
    assert {key: found[key] for key in expected} == expected
    assert problems(text) == []


SERVICES = st.sampled_from([*names.SERVICES, "Something New"])
USAGES = st.sampled_from(
    ["BoxUsage:t4g.nano", "SpotUsage:t4g.nano", "SpotUsage:x9.huge", "EU-Requests-Tier1", "NoUsageType"]
)


@given(
    SERVICES, USAGES, st.decimals(-100, 10_000, places=10), st.decimals(0, 10_000, places=6),
    st.sampled_from(["Hrs", "GB-Mo", "N/A", "Requests", "Lambda-GB-Second", ""]), st.integers(0, 700),
)  # fmt: skip
def test_whatever_is_billed_conforms(
    service: str, usage: str, usd: Decimal, quantity: Decimal, unit: str, day: int
) -> None:
    """No shape of row breaks a rule."""
    made = BilledRow(date(2025, 1, 1) + timedelta(day), (service, usage), usd, usd, quantity, unit, True)
    assert problems(file_of(made)) == []


def test_the_validator_finds_what_is_wrong() -> None:
    """Else its silence would say nothing."""
    good = file_of(row("AWS Lambda", "Request", "1"))
    assert "no column BilledCost" in problems(good.replace("BilledCost", "x_Billed", 1))
    for old, new in (("Usage-Based", "Sometimes"), ("2026-12-01T00:00:00Z", "2026-12-01"), ("USD", "dollars"),
                     ("Serverless Compute", "Virtual Machinery"), ("2026-11-30T00:00:00Z", "2026-10-30T00:00:00Z"),
                     ("us-east-1,", ","), ('""dev""', "{}")):  # fmt: skip
        assert old in good and problems(good.replace(old, new)), old
