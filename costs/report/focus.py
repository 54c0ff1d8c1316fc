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

from costs.book.price import UnknownPrice
from costs.book.prices import PriceBook
from costs.report.document import money
from costs.report.explorer import BilledRow
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
# Service, as Cost Explorer names it → category and subcategory; what is not here is Other.
CATEGORIES = {
    "Amazon Elastic Compute Cloud - Compute": ("Compute", "Virtual Machines"),
    "EC2 - Other": ("Compute", "Other (Compute)"),
    "AWS Lambda": ("Compute", "Serverless Compute"),
    "AWS Batch": ("Compute", "Other (Compute)"),
    "Amazon Elastic Container Service for Kubernetes": ("Compute", "Containers"),
    "Amazon Elastic Kubernetes Service": ("Compute", "Containers"),
    "Amazon Elastic Container Service": ("Compute", "Containers"),
    "Amazon Elastic Container Registry": ("Compute", "Containers"),
    "Amazon EC2 Container Registry (ECR)": ("Compute", "Containers"),
    "Amazon SageMaker": ("AI and Machine Learning", "Machine Learning"),
    "Amazon SageMaker AI": ("AI and Machine Learning", "Machine Learning"),
    "Amazon Bedrock": ("AI and Machine Learning", "Generative AI"),
    "Amazon Simple Storage Service": ("Storage", "Object Storage"),
    "Amazon Elastic Block Store": ("Storage", "Block Storage"),
    "Amazon Elastic File System": ("Storage", "File Storage"),
    "AWS Backup": ("Storage", "Backup Storage"),
    "Amazon Relational Database Service": ("Databases", "Relational Databases"),
    "Amazon DynamoDB": ("Databases", "NoSQL Databases"),
    "Amazon ElastiCache": ("Databases", "Caching"),
    "Amazon Virtual Private Cloud": ("Networking", "Network Infrastructure"),
    "Amazon Elastic Load Balancing": ("Networking", "Application Networking"),
    "Amazon Route 53": ("Networking", "Network Infrastructure"),
    "Amazon CloudFront": ("Networking", "Content Delivery"),
    "AWS Data Transfer": ("Networking", "Network Connectivity"),
    "AmazonCloudWatch": ("Management and Governance", "Observability"),
    "AWS CloudTrail": ("Management and Governance", "Compliance"),
    "AWS Config": ("Management and Governance", "Compliance"),
    "AWS Cost Explorer": ("Management and Governance", "Cost Management"),
    "AWS Budgets": ("Management and Governance", "Cost Management"),
    "AWS Systems Manager": ("Management and Governance", "Other (Management and Governance)"),
    "CloudWatch Events": ("Integration", "Messaging"),
    "Amazon EventBridge": ("Integration", "Messaging"),
    "Amazon Simple Notification Service": ("Integration", "Messaging"),
    "Amazon Simple Queue Service": ("Integration", "Messaging"),
    "AWS Step Functions": ("Integration", "Workflow Orchestration"),
    "Amazon API Gateway": ("Integration", "API Management"),
    "AWS Key Management Service": ("Security", "Secret Management"),
    "AWS Secrets Manager": ("Security", "Secret Management"),
    "AWS CodeBuild": ("Developer Tools", "Continuous Integration and Deployment"),
    "AWS Glue": ("Analytics", "Data Processing"),
    "Amazon Athena": ("Analytics", "Data Processing"),
}  # fmt: skip
OTHER = ("Other", "Other (Other)")
GLOBAL = ("Amazon Route 53", "Amazon CloudFront", "AWS Cost Explorer", "AWS Budgets", "Tax")  # in no region
# What a usage type begins with → its region; without one of these it is us-east-1's, the oldest.
REGIONS = {
    "USE1": "us-east-1", "USE2": "us-east-2", "USW1": "us-west-1", "USW2": "us-west-2", "CAN1": "ca-central-1",
    "SAE1": "sa-east-1", "EU": "eu-west-1", "EUW1": "eu-west-1", "EUW2": "eu-west-2", "EUW3": "eu-west-3",
    "EUC1": "eu-central-1", "EUC2": "eu-central-2", "EUN1": "eu-north-1", "EUS1": "eu-south-1",
    "EUS2": "eu-south-2", "APN1": "ap-northeast-1", "APN2": "ap-northeast-2", "APN3": "ap-northeast-3",
    "APS1": "ap-southeast-1", "APS2": "ap-southeast-2", "APS3": "ap-south-1", "APE1": "ap-east-1",
    "AFS1": "af-south-1", "MES1": "me-south-1",
}  # fmt: skip
REGION_NAMES = {
    "us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)",
    "us-west-2": "US West (Oregon)", "ca-central-1": "Canada (Central)", "sa-east-1": "South America (Sao Paulo)",
    "eu-west-1": "Europe (Ireland)", "eu-west-2": "Europe (London)", "eu-west-3": "Europe (Paris)",
    "eu-central-1": "Europe (Frankfurt)", "eu-central-2": "Europe (Zurich)", "eu-north-1": "Europe (Stockholm)",
    "eu-south-1": "Europe (Milan)", "eu-south-2": "Europe (Spain)", "ap-northeast-1": "Asia Pacific (Tokyo)",
    "ap-northeast-2": "Asia Pacific (Seoul)", "ap-northeast-3": "Asia Pacific (Osaka)",
    "ap-southeast-1": "Asia Pacific (Singapore)", "ap-southeast-2": "Asia Pacific (Sydney)",
    "ap-south-1": "Asia Pacific (Mumbai)", "ap-east-1": "Asia Pacific (Hong Kong)",
    "af-south-1": "Africa (Cape Town)", "me-south-1": "Middle East (Bahrain)",
}  # fmt: skip
UNITS = {
    "Hrs": "Hours", "Hours": "Hours", "GB-Mo": "GB-Months", "GB-Month": "GB-Months", "GB": "GB",
    "Requests": "Requests", "Lambda-GB-Second": "GB-Seconds", "GB-Second": "GB-Seconds", "Second": "Seconds",
    "seconds": "Seconds", "Alarms": "Alarms", "Metrics": "Metrics", "Keys": "Keys", "Secrets": "Secrets",
}  # fmt: skip


def _time(day: date) -> str:
    return f"{day}T00:00:00Z"


def region(service: str, usage_type: str) -> str:
    """Where a charge comes from, or nothing for a service without regions."""
    if service in GLOBAL:
        return ""
    return REGIONS.get(usage_type.partition("-")[0], "us-east-1")


def _category(row: BilledRow) -> str:
    if row.keys[0] == "Tax":
        return "Tax"
    return "Adjustment" if row.billed < 0 else "Usage"  # Cost Explorer does not say whether it is a credit


def _list_cost(row: BilledRow, where: str, book: PriceBook | None) -> tuple[Decimal, str]:
    """What a spot instance lists at on demand; all else is billed at list price, as far as Cost Explorer tells."""
    kind = row.keys[1].partition("SpotUsage:")[2]
    if kind and book:
        try:
            price = book.price("ec2", kind, where)
            return price.usd * row.quantity, f"list price of {price.as_of} on demand"
        except UnknownPrice:
            return row.billed, "billed; no list price is known"
    return row.billed, "billed"


def row_of(row: BilledRow, account: str, tags: Mapping[str, str], book: PriceBook | None = None) -> dict[str, str]:
    """One row; what is not known is left out."""
    service, usage_type = row.keys
    category, month, where = _category(row), month_of(row.day), region(service, usage_type)
    kind, subcategory = CATEGORIES.get(service, OTHER)
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
        "ServiceCategory": kind,
        "ServiceName": service,
        "ServiceSubcategory": subcategory,
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
