"""What no plan can know: requests, gigabytes, milliseconds. Defaults of a small service; a usage file knows better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Key:
    """One figure of a kind of resource: its default, and its unit in words."""

    default: Decimal
    unit: str


def _keys(**keys: tuple[float | int | str, str]) -> dict[str, Key]:
    return {name: Key(Decimal(str(value)), unit) for name, (value, unit) in keys.items()}


KINDS: dict[str, dict[str, Key]] = {
    "apigateway": _keys(requests=(100_000, "a month")),
    "aurora": _keys(stored_gb=(10, "GB"), requests=(1_000_000, "a month")),
    "codebuild": _keys(minutes=(100, "a month")),
    "dynamodb": _keys(reads=(100_000, "a month"), writes=(100_000, "a month"), stored_gb=(1, "GB")),
    "ec2": _keys(root_gb=(8, "GB, where neither program nor template says")),
    "ecr": _keys(stored_gb=(1, "GB")),
    "efs": _keys(stored_gb=(1, "GB")),
    "endpoint": _keys(data_gb=(1, "GB a month")),
    "events": _keys(events=(100_000, "a month")),
    "firehose": _keys(ingested_gb=(1, "GB a month")),
    "kms": _keys(requests=(10_000, "a month")),
    "lambda": _keys(requests=(100_000, "a month"), mean_ms=(100, "ms each")),
    "loadbalancer": _keys(capacity_units=(1, "on average")),
    "logs": _keys(ingested_gb=("0.1", "GB a month"), stored_gb=("0.1", "GB")),
    "nat": _keys(data_gb=(10, "GB a month")),
    "predictions": _keys(predictions=(100_000, "a month"), mean_ms=(100, "ms each")),
    "rds": _keys(backup_gb=(0, "GB beyond the size of the database")),
    "s3": _keys(stored_gb=(1, "GB"), puts=(1000, "a month"), gets=(10_000, "a month")),
    "scheduler": _keys(invocations=(10_000, "a month")),
    "secrets": _keys(requests=(1000, "a month")),
    "sns": _keys(publishes=(1000, "a month")),
    "sqs": _keys(requests=(100_000, "a month")),
    "statemachine": _keys(transitions=(10_000, "a month")),
    "training": _keys(run_seconds=(0, "s that a run takes at the least")),
}


@dataclass(frozen=True)
class Usage:
    """What a usage file says.

    Args:
        defaults: kind → key → value, for all resources of a kind.
        resources: name or URN → key → value, for one of them.
        assume: name or URN → property → value, in the place of what a preview does not know.
        source: the file's name.
    """

    defaults: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    resources: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    assume: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    source: str = ""

    def value(self, urn: str, name: str, kind: str, key: str) -> tuple[Decimal, bool]:
        """The figure for one resource, and whether the file gives it."""
        for given in (self.resources.get(urn), self.resources.get(name), self.defaults.get(kind)):
            if given is not None and key in given:
                return given[key], True
        return KINDS[kind][key].default, False
