"""AWS's clients, for whatever asks an account."""

from __future__ import annotations

from typing import Any

from shoestring.base.names import REGION


def client(service: str, **settings: Any) -> Any:
    """`boto3.client` with the same words; what answers about money for all regions is asked where it does."""
    import boto3  # here, for it is heavy: most commands, and every `--help`, do without

    if service in ("budgets", "ce"):
        settings["region_name"] = REGION
    return boto3.client(service, **settings)
