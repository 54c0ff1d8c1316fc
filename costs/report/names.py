"""What AWS calls its services and regions on a bill, and what others call them.

`services.csv`: a service as Cost Explorer names it, its category and subcategory in FOCUS, whether its charges have a
region, how a chart calls it, and the price book's services that are billed under it. `regions.csv`: what a usage type
begins with, the region, and its name.
"""

from __future__ import annotations

from pathlib import Path

from shoestring.base.paths import rows

SERVICES = {row["service"]: row for row in rows(Path(__file__).with_name("services.csv"))}
OF_BOOK = {service: row["service"] for row in SERVICES.values() for service in row["book"].split()}
PREFIXES = rows(Path(__file__).with_name("regions.csv"))
REGIONS = {row["prefix"]: row["region"] for row in PREFIXES}
REGION_NAMES = {row["region"]: row["name"] for row in PREFIXES}
OLDEST = "us-east-1"  # whose usage types begin with no region
OTHER = {"category": "Other", "subcategory": "Other (Other)", "regional": "yes", "brief": ""}


def region(service: str, usage_type: str) -> str:
    """Where a charge comes from, or nothing for a service without regions."""
    regional = SERVICES.get(service, OTHER)["regional"] == "yes"
    return REGIONS.get(usage_type.partition("-")[0], OLDEST) if regional else ""


def short(service: str) -> str:
    """A service's name without the words that all of them begin with."""
    brief = SERVICES.get(service, OTHER)["brief"] or service.removeprefix("Amazon ").removeprefix("AWS ")
    return brief if len(brief) <= 34 else f"{brief[:33]}…"
