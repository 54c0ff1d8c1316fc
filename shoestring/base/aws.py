"""AWS's clients, for whatever asks an account."""

from __future__ import annotations

from typing import Any

from shoestring.base.names import REGION

_entered: list[str] = []  # the region of the environment that this process works on; none in a function of its own


def use_region(region: str) -> None:
    """From now on AWS is asked in `region`, whatever profile and variables say: the environment lies there."""
    _entered[:] = [region]


def client(service: str, **settings: Any) -> Any:
    """`boto3.client` with the same words, in the region of the environment that was entered.

    What answers about money for all regions is asked where it does. A `region_name` counts before the environment's.
    """
    import boto3  # here, for it is heavy: most commands, and every `--help`, do without

    if service in ("budgets", "ce"):
        settings["region_name"] = REGION
    elif _entered and not settings.get("region_name"):
        settings["region_name"] = _entered[0]
    return boto3.client(service, **settings)
