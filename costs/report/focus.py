"""The same costs in the columns of FOCUS 1.2, the FinOps Open Cost and Usage Specification, as CSV.

A row is what Cost Explorer knows of one day, service and usage type. What Cost Explorer does not know (SKU, resource,
negotiated prices, commitments) is null, as the specification asks: an empty field. Unit prices are the row's cost by
its quantity. `x_UsageType` and `x_ListCostSource` are columns of ours.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from costs.book.prices import PriceBook
from costs.report.document import money
from costs.report.explorer import BilledRow
from costs.report.names import OTHER, REGION_NAMES, SERVICES, region
from costs.report.periods import DAY, month_of
from costs.report.report import Report

VERSION = "1.2"
COLUMNS = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountQuantity", "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountUnit",
    "ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId",
    "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
    "ServiceCategory", "ServiceName", "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId",
    "SubAccountId", "SubAccountName", "Tags", "x_ListCostSource", "x_UsageType",
)  # fmt: skip
PROVIDER = "Amazon Web Services"
UNITS = {
    "Hrs": "Hours", "Hours": "Hours", "GB-Mo": "GB-Months", "GB-Month": "GB-Months", "GB": "GB",
    "Requests": "Requests", "Lambda-GB-Second": "GB-Seconds", "GB-Second": "GB-Seconds", "Second": "Seconds",
    "seconds": "Seconds", "Alarms": "Alarms", "Metrics": "Metrics", "Keys": "Keys", "Secrets": "Secrets",
}  # fmt: skip


def _time(day: date) -> str:
    return f"{day}T00:00:00Z"


def _category(row: BilledRow) -> str:
    if row.keys[0] == "Tax":
        return "Tax"
    return "Adjustment" if row.billed < 0 else "Usage"  # Cost Explorer does not say whether it is a credit


def _list_cost(row: BilledRow, where: str, book: PriceBook | None) -> tuple[Decimal, str]:
    """What a spot instance lists at on demand; all else is billed at list price, as far as Cost Explorer tells."""
    kind = row.keys[1].partition("SpotUsage:")[2]
    if kind and book:
        price = book.find("ec2", kind, where)
        if price is None:
            return row.billed, "billed; no list price is known"
        return price.usd * row.quantity, f"list price of {price.as_of} on demand"
    return row.billed, "billed"


def row_of(row: BilledRow, account: str, tags: Mapping[str, str], book: PriceBook | None = None) -> dict[str, str]:
    """One row; what is not known is left out."""
    service, usage_type = row.keys
    category, month, where = _category(row), month_of(row.day), region(service, usage_type)
    kind = SERVICES.get(service, OTHER)
    list_cost, source = _list_cost(row, where, book)
    columns = {
        "BilledCost": money(row.billed),
        "BillingAccountId": account,
        "BillingCurrency": "USD",
        "BillingPeriodEnd": _time(month.end),
        "BillingPeriodStart": _time(month.start),
        "ChargeCategory": category,
        "ChargeDescription": f"{service}, {usage_type}, sum of the day",
        "ChargeFrequency": "Usage-Based" if category == "Usage" else "One-Time",
        "ChargePeriodEnd": _time(row.day + DAY),
        "ChargePeriodStart": _time(row.day),
        "ContractedCost": money(row.billed),
        "EffectiveCost": money(row.amortized),
        "InvoiceIssuerName": PROVIDER,
        "ListCost": money(list_cost),
        "ProviderName": PROVIDER,
        "PublisherName": PROVIDER,
        "ServiceCategory": kind["category"],
        "ServiceName": service,
        "ServiceSubcategory": kind["subcategory"],
        "SubAccountId": account,
        "SubAccountName": account,
        "Tags": json.dumps(dict(tags), sort_keys=True),
        "x_ListCostSource": source,
        "x_UsageType": usage_type,
    }
    if where:
        columns |= {"RegionId": where, "RegionName": REGION_NAMES.get(where, where)}
    if category != "Tax":
        columns["PricingCategory"] = "Dynamic" if "Spot" in usage_type else "Standard"
        unit = "Units" if row.unit in ("", "N/A") else UNITS.get(row.unit, row.unit)
        columns |= {"PricingQuantity": money(row.quantity), "PricingUnit": unit}
        if category == "Usage":
            columns |= {"ConsumedQuantity": money(row.quantity), "ConsumedUnit": unit}
        if row.quantity > 0 and row.billed >= 0:
            columns["ContractedUnitPrice"] = money(row.billed / row.quantity)
            columns["ListUnitPrice"] = money(list_cost / row.quantity)
    return {key: value for key, value in columns.items() if value is not None}


def csv_of(report: Report, book: PriceBook | None = None) -> str:
    """The period's rows, sorted by day and service, with the specification's column names as header."""
    scope, period = report.readings.scope, report.readings.period
    rows = [row for row in report.readings.rows if row.day in period and (row.billed or row.quantity)]
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in sorted(rows, key=lambda row: (row.day, row.keys)):
        writer.writerow(row_of(row, report.account.id, scope.tags, book))
    return out.getvalue()
