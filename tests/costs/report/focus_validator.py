"""Checks rows against FOCUS 1.2: columns, nulls, allowed values, formats, and what columns demand of each other.

Written from the specification's text (version 1.2), independent of the code that makes the rows.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart",
    "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
    "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip
CONDITIONAL = (
    "BillingAccountType", "CapacityReservationId", "CapacityReservationStatus", "CommitmentDiscountCategory",
    "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountQuantity", "CommitmentDiscountStatus",
    "CommitmentDiscountType", "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice",
    "ListUnitPrice", "PricingCategory", "PricingCurrency", "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "RegionId", "RegionName", "ResourceId",
    "ResourceName", "ResourceType", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId",
    "SubAccountName", "SubAccountType", "Tags",
)  # fmt: skip
RECOMMENDED = ("AvailabilityZone", "ChargeFrequency", "InvoiceId", "ServiceSubcategory")
NOT_NULL = (
    *(set(MANDATORY) - {"BillingAccountName", "ChargeClass", "ChargeDescription", "PricingQuantity", "PricingUnit"}),
    "ChargeFrequency", "ServiceSubcategory",
)  # fmt: skip
NUMBERS = (
    "BilledCost", "CommitmentDiscountQuantity", "ConsumedQuantity", "ContractedCost", "ContractedUnitPrice",
    "EffectiveCost", "ListCost", "ListUnitPrice", "PricingQuantity",
)  # fmt: skip
TIMES = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
NUMBER = re.compile(r"-?\d+(\.\d+)?(E-?\d+)?")
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other"},
    "CommitmentDiscountCategory": {"Spend", "Usage"},
    "CommitmentDiscountStatus": {"Used", "Unused"},
}
SUBCATEGORIES = {
    "AI and Machine Learning": "AI Platforms|Bots|Generative AI|Machine Learning|Natural Language Processing",
    "Analytics": "Analytics Platforms|Business Intelligence|Data Processing|Search|Streaming Analytics",
    "Business Applications": "Productivity and Collaboration",
    "Compute": "Containers|End User Computing|Quantum Compute|Serverless Compute|Virtual Machines",
    "Databases": "Caching|Data Warehouses|Ledger Databases|NoSQL Databases|Relational Databases|Time Series Databases",
    "Developer Tools": "Developer Platforms|Continuous Integration and Deployment|Development Environments|"
    "Source Code Management|Quality Assurance",
    "Identity": "Identity and Access Management",
    "Integration": "API Management|Messaging|Workflow Orchestration",
    "Internet of Things": "IoT Analytics|IoT Platforms",
    "Management and Governance": "Architecture|Compliance|Cost Management|Data Governance|Disaster Recovery|"
    "Endpoint Management|Observability|Support",
    "Media": "Content Creation|Gaming|Media Streaming|Mixed Reality",
    "Migration": "Data Migration|Resource Migration",
    "Mobile": "",
    "Multicloud": "Multicloud Integration",
    "Networking": "Application Networking|Content Delivery|Network Connectivity|Network Infrastructure|"
    "Network Routing|Network Security",
    "Security": "Secret Management|Security Posture Management|Threat Detection and Response",
    "Storage": "Backup Storage|Block Storage|File Storage|Object Storage|Storage Platforms",
    "Web": "Application Platforms",
    "Other": "",
}
PRODUCTS = (("ContractedUnitPrice", "ContractedCost"), ("ListUnitPrice", "ListCost"))
TOLERANCE = Decimal("1E-15")  # of a product of a quotient


def columns(header: list[str]) -> Iterator[str]:
    """What is wrong with the columns."""
    known = {*MANDATORY, *CONDITIONAL, *RECOMMENDED}
    yield from (f"no column {name}" for name in MANDATORY if name not in header)
    yield from (f"{name} is no column of FOCUS 1.2, and has no x_" for name in header
                if name not in known and not name.startswith("x_"))  # fmt: skip
    if len(set(header)) != len(header):
        yield "a column twice"
    own = [name.startswith("x_") for name in header]
    if own != sorted(own):
        yield "custom columns stand between FOCUS columns"


def formats(row: dict[str, str]) -> Iterator[str]:
    """What is wrong with single values."""
    yield from (f"{name} is null" for name in NOT_NULL if name in row and not row[name])
    yield from (f"{name} is {row[name]}" for name in NUMBERS if row.get(name) and not NUMBER.fullmatch(row[name]))
    yield from (f"{name} is {row[name]}" for name in TIMES if not TIME.fullmatch(row[name]))
    for name, allowed in ALLOWED.items():
        if row.get(name) and row[name] not in allowed:
            yield f"{name} is {row[name]}"
    if not re.fullmatch(r"[A-Z]{3}", row["BillingCurrency"]):
        yield f"BillingCurrency is {row['BillingCurrency']}"
    category, subcategory = row["ServiceCategory"], row.get("ServiceSubcategory", "")
    if category not in SUBCATEGORIES:
        yield f"ServiceCategory is {category}"
    elif subcategory not in {*SUBCATEGORIES[category].split("|"), f"Other ({category})"} - {""}:
        yield f"ServiceSubcategory of {category} is {subcategory}"
    for name in ("Tags", "SkuPriceDetails"):
        if row.get(name):
            pairs = json.loads(row[name])
            if not isinstance(pairs, dict) or any(isinstance(value, dict | list) for value in pairs.values()):
                yield f"{name} is {row[name]}"
    yield from (f"{name} is the placeholder {value!r}" for name, value in row.items()
                if value.strip().casefold() in ("null", "n/a", "none", "not applicable", "nan"))  # fmt: skip


def rules(row: dict[str, str]) -> Iterator[str]:
    """What columns demand of each other."""
    times = {name: datetime.fromisoformat(row[name]) for name in TIMES}
    if not times["ChargePeriodStart"] < times["ChargePeriodEnd"]:
        yield "the charge period ends before it starts"
    if not times["BillingPeriodStart"] <= times["ChargePeriodStart"] < times["BillingPeriodEnd"]:
        yield "the charge lies outside its billing period"
    for one, other in (("PricingQuantity", "PricingUnit"), ("ConsumedQuantity", "ConsumedUnit"),
                       ("RegionId", "RegionName"), ("SubAccountId", "SubAccountName")):  # fmt: skip
        if bool(row.get(one)) != bool(row.get(other)):
            yield f"{one} and {other}: one is null"
    usage = row["ChargeCategory"] == "Usage"
    if usage != bool(row["ConsumedQuantity"]):
        yield "ConsumedQuantity is for usage, and for usage alone"
    if usage and not (row["PricingQuantity"] and row["PricingCategory"]):
        yield "usage without pricing quantity or category"
    if row["ChargeCategory"] == "Tax" and any(row[name] for name in ("PricingQuantity", "PricingCategory", "SkuId")):
        yield "a tax with a quantity, a category or a SKU"
    if row["ChargeFrequency"] == "Usage-Based" and row["ChargeCategory"] == "Purchase":
        yield "a purchase that is usage-based"
    for price, cost in PRODUCTS:
        if row[price]:
            if Decimal(row[price]) < 0:
                yield f"{price} is negative"
            if abs(Decimal(row[price]) * Decimal(row["PricingQuantity"]) - Decimal(row[cost])) > TOLERANCE:
                yield f"{price} times quantity is not {cost}"
    if not row["CommitmentDiscountId"] and any(
        row[name] for name in row if name.startswith("CommitmentDiscount") and name != "CommitmentDiscountId"
    ):
        yield "a commitment discount without an id"


def problems(text: str) -> list[str]:
    """All that a CSV file violates."""
    reader = csv.DictReader(io.StringIO(text))
    found = list(columns(list(reader.fieldnames or [])))
    for row in reader if not found else ():
        said = list(formats(row)) or list(rules(row))
        found += [f"line {reader.line_num}: {each}" for each in said]
    return found
