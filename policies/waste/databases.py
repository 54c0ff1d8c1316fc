"""The rule `multi-az`: a standby costs as much as what it stands by for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.money import month, saving
from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.values import at, on, snake

RDS = "aws:rds/instance:Instance"
FLAGS = {
    RDS: "multiAz",
    "aws:elasticache/replicationGroup:ReplicationGroup": "multiAzEnabled",
    "aws:dms/replicationInstance:ReplicationInstance": "multiAz",
    "aws:redshift/cluster:Cluster": "multiAz",
}


def check(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for a standby outside the environments that may have one."""
    flag = FLAGS[resource.type]
    value = at(resource.props, flag)
    if on(value) and context.environment not in context.config["environments"]:
        cost = saving(resource, context, {flag: False}) if resource.type == RDS else month(resource, context)
        yield Violation(snake(flag), value, f"{snake(flag)}=False", cost)


def _database(**props: Any) -> Resource:
    return declare(
        RDS, "tracking", engine="postgres", instanceClass="db.t4g.micro", allocatedStorage=20,
        storageType="gp3", **props,
    )  # fmt: skip


MULTI_AZ = Rule(
    name="multi-az",
    group="waste",
    description="Databases have a standby in another zone in prod only.",
    why="Multi-AZ doubles the price of the database and of its storage; a backup restores dev in minutes for nothing.",
    change="Turn it off, or name the environment in `environments` of the policy configuration.",
    types=tuple(FLAGS),
    config={
        "environments": {
            "type": "array", "items": {"type": "string"}, "default": ["prod", "production"],
            "description": "Environments that may have a standby.",
        }
    },
    check=check,
    fails=Example((_database(multiAz=True),)),
    passes=Example((_database(multiAz=False),)),
)  # fmt: skip
