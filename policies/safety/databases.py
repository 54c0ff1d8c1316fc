"""The rule `public-databases`: nobody reaches a database from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.money import now_and_mended, usd
from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.values import at, on

INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
REDSHIFT = "aws:redshift/cluster:Cluster"
PUBLIC = (
    INSTANCE, CLUSTER, "aws:rds/clusterInstance:ClusterInstance", "aws:rds/shardGroup:ShardGroup", REDSHIFT,
    "aws:redshiftserverless/workgroup:Workgroup", "aws:dms/replicationInstance:ReplicationInstance",
    "aws:neptune/clusterInstance:ClusterInstance", "aws:timestreaminfluxdb/dbInstance:DbInstance",
    "aws:timestreaminfluxdb/dbCluster:DbCluster", "aws:lightsail/database:Database", "aws:mq/broker:Broker",
)  # fmt: skip


def check_public(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for a database with an address in the internet."""
    value = at(resource.props, "publiclyAccessible")
    if on(value) or (value is None and resource.type == REDSHIFT):  # its default before version 6 of the provider
        yield Violation("publicly_accessible", value, "publicly_accessible=False", _address(resource, context))


def _address(resource: Resource, context: Context) -> str:
    """What may happen, and what its public address costs where the plan knows it."""
    now, then = now_and_mended(resource, context, {"publiclyAccessible": False})
    more = now.monthly.high - then.monthly.high
    return "strangers try it within minutes" + (f"; its public address: {usd(more)} a month" if more > 0 else "")


def _database(**props: Any) -> Resource:
    return declare(
        INSTANCE, "tracking", engine="postgres", instanceClass="db.t4g.micro", allocatedStorage=20, storageType="gp3",
        **props,
    )  # fmt: skip


PUBLIC_DATABASES = Rule(
    name="public-databases",
    group="safety",
    description="No database has a public address.",
    why="A database in the internet is tried by strangers within minutes; people reach it through Session Manager.",
    change="Set publicly_accessible to False.",
    types=PUBLIC,
    check=check_public,
    fails=Example((_database(publiclyAccessible=True),)),
    passes=Example((_database(publiclyAccessible=False),)),
)
