"""In which availability zones the network lies: those that offer what runs in it, and the same for as long as it is up.

Zones differ from account to account: not all of them have all instance types, and a name is not the same place in two
accounts. AWS is asked before anything is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi

from shoestring.base.errors import UserError
from stacks.account import ask, not_known, outputs_before
from stacks.settings import PlatformSettings

OFFERINGS = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"
ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"


def available() -> list[str]:
    """The region's zones that take new resources, by name; none that an account must opt in to, as local zones."""
    every_account = {"name": "opt-in-status", "values": ["opt-in-not-required"]}
    names = ask(ZONES, {"state": "available", "filters": [every_account]})["names"]
    return sorted(str(name) for name in names)


def offering(instance_type: str) -> list[str]:
    """The available zones that offer an instance type."""
    asked = {"name": "instance-type", "values": [instance_type]}
    offers = ask(OFFERINGS, {"locationType": "availability-zone", "filters": [asked]})
    zones = set(offers["locations"])
    return [name for name in available() if name in zones]


def zones_before(outputs: Mapping[str, Any], region: str) -> list[str]:
    """The zones of the network that is up, as its last update left them; none where there is no network.

    A platform of an older version says nothing of zones: it took the region's first ones.
    """
    if outputs.get("zones"):
        return [str(zone) for zone in outputs["zones"]]
    return [f"{region}{letter}" for letter, _ in zip("ab", outputs.get("subnet_ids") or (), strict=False)]


def choose(settings: PlatformSettings, before: Sequence[str], offered: Sequence[str]) -> list[str]:
    """The zones of the network's subnets: as configured, as before, or the first that offer the server's type.

    Args:
        before: those of the network that is up.
        offered: those that offer the tracking server's instance type.

    Raises:
        UserError: fewer zones than needed offer it, or a configured zone does not.
    """
    kind, stack, needed = settings.mlflow.instance_type, settings.environment, 2 if settings.has_database else 1
    configured = settings.network.zones
    set_zone = f"pulumi config set --path 'shoestring:network.zones[0]' {{zone}} --stack {stack}"
    set_type = f"pulumi config set --path shoestring:mlflow.instanceType t4g.micro --stack {stack}"
    if len(offered) < needed:
        raise UserError(
            f"{len(offered)} zone(s) of {settings.region} offer {kind} to this account: {', '.join(offered) or 'none'}",
            f"{needed}: " + ("a database lies in two" if needed > 1 else "one for the MLflow server"),
            set_type,
        )
    if configured is None:
        return [*before, *(zone for zone in offered if zone not in before)][:needed]
    if len(set(configured)) < needed:
        raise UserError(
            f"shoestring:network.zones are {', '.join(configured)}",
            f"{needed} different ones: a database lies in two",
            set_zone.replace("[0]", "[1]").format(zone=next(zone for zone in offered if zone not in configured)),
        )
    if lacking := [zone for zone in configured[:needed] if zone not in offered]:
        raise UserError(
            f"{', '.join(lacking)} of shoestring:network.zones does not offer {kind}, or is no zone of this account",
            f"zones that do: {', '.join(offered)}",
            set_zone.format(zone=offered[0]),
        )
    return list(configured[:needed])


def of_network(settings: PlatformSettings) -> list[str]:
    """The zones of the platform's subnets. Raises UserError where they cannot hold it."""
    outputs = outputs_before()
    before, kind = zones_before(outputs, settings.region), settings.mlflow.instance_type
    try:
        offered = offering(kind)
    except Exception as error:  # the SDK raises nothing narrower
        if not before and settings.network.zones is None:
            raise UserError(
                f"which zones offer {kind} cannot be read: {' '.join(str(error).split())[:300]}",
                "ec2:DescribeAvailabilityZones and ec2:DescribeInstanceTypeOfferings for who asks, or named zones",
                f"pulumi config set --path 'shoestring:network.zones[0]' {settings.region}a --stack "
                f"{settings.environment}",
            ) from None
        not_known(f"whether the network's zones offer {kind}", error)
        return list(settings.network.zones or before)
    zones = choose(settings, before, offered)
    if zones[0] not in offered:
        _check_running(settings, zones[0], offered, outputs.get("mlflow_instance_type"))
    return zones


def offering_jobs(instance_types: Iterable[str]) -> dict[str, list[str]]:
    """The zones in which EC2 offers SageMaker's instance types, which has no list of its own; without those of which
    that cannot be read."""
    offers = {}
    for kind in sorted(set(instance_types)):
        try:
            offers[kind] = offering(kind.removeprefix("ml."))
        except Exception as error:  # the SDK raises nothing narrower
            not_known(f"whether the network's zones offer {kind}", error)
    return offers


def warn_of_jobs(offers: Mapping[str, Sequence[str]], zones: Sequence[str]) -> None:
    """Warns of types that none of the network's zones offers: AWS has the last word when the job starts."""
    for kind, offered in offers.items():
        if zones and not set(zones) & set(offered):
            pulumi.log.warn(
                f"{kind} may not start in {', '.join(zones)}, where the network lies: EC2 offers that type in "
                f"{', '.join(offered) or 'no zone'} (shoestring:network.zones)"
            )


def _check_running(settings: PlatformSettings, zone: str, offered: Sequence[str], type_before: str | None) -> None:
    """What a network that is up lies in does not offer the server's type: no matter until a new server is needed."""
    kind = settings.mlflow.instance_type
    if type_before in (None, kind):
        pulumi.log.warn(
            f"{zone} does not offer {kind} any more: the MLflow server runs on, and a new one would not start"
        )
        return
    raise UserError(
        f"{zone}, where the network lies, does not offer {kind}",
        f"a type that it offers, or another zone ({', '.join(offered)}), which replaces network and server",
        f"pulumi config set --path shoestring:mlflow.instanceType {type_before} --stack {settings.environment}",
    )
