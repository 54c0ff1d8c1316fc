"""The rules `public-databases` and `database-backups`: nobody reaches a database from outside, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from costs.amounts import dollars
from policies.money import now_and_mended
from policies.rule import Context, Example, Resource, Rule, Violation, declare
from policies.values import at, number, on, snake

INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
REDSHIFT = "aws:redshift/cluster:Cluster"
PUBLIC = (
    INSTANCE, CLUSTER, "aws:rds/clusterInstance:ClusterInstance", "aws:rds/shardGroup:ShardGroup", REDSHIFT,
    "aws:redshiftserverless/workgroup:Workgroup", "aws:dms/replicationInstance:ReplicationInstance",
    "aws:neptune/clusterInstance:ClusterInstance", "aws:timestreaminfluxdb/dbInstance:DbInstance",
    "aws:timestreaminfluxdb/dbCluster:DbCluster", "aws:lightsail/database:Database", "aws:mq/broker:Broker",
)  # fmt: skip
NONE = "no way back from a lost disk or a wrong statement"
RETENTION = {  # type → the property that says how many days backups are kept, and the provider's default
    INSTANCE: ("backupRetentionPeriod", 0),
    CLUSTER: ("backupRetentionPeriod", 1),
    "aws:docdb/cluster:Cluster": ("backupRetentionPeriod", 1),
    "aws:docdb/elasticCluster:ElasticCluster": ("backupRetentionPeriod", 1),
    "aws:neptune/cluster:Cluster": ("backupRetentionPeriod", 1),
    "aws:memorydb/cluster:Cluster": ("snapshotRetentionLimit", 0),
    REDSHIFT: ("automatedSnapshotRetentionPeriod", 1),
}


def check_public(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for a database with an address in the internet."""
    value = at(resource.props, "publiclyAccessible")
    if on(value):
        yield Violation("publicly_accessible", value, "publicly_accessible=False", _address(resource, context))


def _address(resource: Resource, context: Context) -> str:
    """What may happen, and what its public address costs where the plan knows it."""
    now, then = now_and_mended(resource, context, {"publiclyAccessible": False})
    more = now.monthly.high - then.monthly.high
    return "strangers try it within minutes" + (f"; its public address: {dollars(more)} a month" if more > 0 else "")


def check_backups(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for a database whose backups are kept for fewer days than the configuration says."""
    if resource.type == INSTANCE and at(resource.props, "replicateSourceDb"):
        return  # its source is backed up
    prop, default = RETENTION[resource.type]
    value, least = at(resource.props, prop), number(context.config["days"])
    days = number(default if value is None else value)
    if days is None or least is None or days >= least:
        return  # kept long enough, or nobody knows yet
    shown = f"{default} (the default)" if value is None else value
    lost = f"an error that is found later than {days:f} days after it was made is there to stay" if days else NONE
    yield Violation(snake(prop), shown, f"{snake(prop)}={least:f}", lost)


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
DATABASE_BACKUPS = Rule(
    name="database-backups",
    group="safety",
    description="Databases are backed up, and backups are kept for days.",
    why="The provider's default is no backup for an RDS instance, and one day for clusters: an error that is found "
    "after a weekend has then no way back. Backups up to the size of the database cost nothing.",
    change="Set backup_retention_period (automated_snapshot_retention_period for Redshift, "
    "snapshot_retention_limit for MemoryDB). Read replicas need none.",
    types=tuple(RETENTION),
    config={
        "days": {"type": "number", "minimum": 1, "default": 3, "description": "Days that backups are kept at least."}
    },
    check=check_backups,
    fails=Example((_database(),)),
    passes=Example((_database(backupRetentionPeriod=7),)),
)  # fmt: skip
