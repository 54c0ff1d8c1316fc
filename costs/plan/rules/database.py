"""Databases and caches."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.book.price import UnknownPrice
from costs.plan.charges import Basis, Charge
from costs.plan.rules.base import HOURS, MILLION, UNKNOWN, Pricing

SIZES, IOPS = (20, 65536), (1000, 80000)  # GB, and operations a second, as RDS allows
STORAGE = ("gp2", "gp3", "io1", "io2", "standard")
INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
TWICE = "Multi-AZ bills two of each"
PROVISIONED = "io1", "io2"
TWO = Range.of(2)


def _engine(p: Pricing, settings: Any = None) -> Any:
    engine = p.get("engine", None, settings)
    return engine.partition("-")[0] if isinstance(engine, str) and not engine.startswith("aurora") else engine


def _source(p: Pricing) -> dict[str, Any]:
    """What a replica has from its source."""
    if p.get("replicateSourceDb") is None:
        return {}
    return next((dict(each.inputs) for each in p.referred("replicateSourceDb", INSTANCE) if each is not p.resource), {})


def instance(p: Pricing) -> None:
    """An RDS instance: its hours, its storage; all of it twice with Multi-AZ."""
    source = _source(p)
    engine, kind = _engine(p) or _engine(p, source), p.get("instanceClass", UNKNOWN)
    multi = p.flag("multiAz")
    copies = Range.of(1, 2) if multi is None else Range.of(2 if multi else 1)
    if multi is not False:
        p.note(TWICE if multi else "whether it is Multi-AZ is unknown")
    if not isinstance(engine, str) and isinstance(kind, str):
        _of_any_engine(p, kind, copies)
    elif not isinstance(engine, str) or not isinstance(kind, str):
        p.machines("rds", [UNKNOWN], HOURS * copies, prefix="db.")
    elif multi and p.known("rds", f"{kind}-{engine}-multi-az"):
        p.machines("rds", [f"{kind}-{engine}-multi-az"], HOURS)
    else:
        p.machines("rds", [f"{kind}-{engine}"], HOURS * copies)
    _storage(p, source, copies)
    _managed_password(p)


def _managed_password(p: Pricing) -> None:
    """The charge of the secret that RDS makes for the password of the master user, where it is asked to keep that."""
    if p.flag("manageMasterUserPassword") is not False:
        p.add("secret of the master user", ONE, "secretsmanager", "secret")


def _of_any_engine(p: Pricing, kind: str, copies: Range) -> None:
    """The charge of an instance class whose engine is unknown: between the cheapest and the dearest engine's."""
    single = [item for item in p.world.items("rds", p.region) if item.startswith(f"{kind}-")]
    if not single:
        p.lacking.append(UnknownPrice("rds", f"{kind}-*", p.region))
        return
    p.note("its engine is unknown")
    prices = [p.world.price("rds", item, p.region) for item in single]
    hours = [price.usd * count for price in prices for count in (copies.low, copies.high)]
    if copies.high > 1:
        twice = [f"{item}-multi-az" for item in single]
        hours += [p.world.price("rds", item, p.region).usd for item in twice if p.known("rds", item)]
    dearest = max(prices, key=lambda price: price.usd)
    quantity = HOURS * Range(min(hours) / dearest.usd, max(hours) / dearest.usd)
    p.charges.append(Charge(f"{kind} of any engine", quantity, dearest))


def _storage(p: Pricing, source: dict[str, Any], copies: Range) -> None:
    size = p.get("allocatedStorage", p.get("allocatedStorage", None, source))
    gigabytes = p.amount("allocatedStorage", 20, SIZES, {"allocatedStorage": size} if size is not None else {})
    default = "io1" if p.get("iops") is not None else "gp2"
    kind = p.get("storageType", p.get("storageType", default, source))
    if kind is UNKNOWN:
        known = [f"storage-{each}" for each in STORAGE if p.known("rds", f"storage-{each}")]
        p.any_of("storage", gigabytes * copies, "rds", known)
        p.note("its storage type is unknown")
        operations = Range(Decimal(0), p.amount("iops", 0, (0, IOPS[1])).high)
        p.add("operations, if they are paid for", operations * copies, "rds", "iops-io1")
        return
    both = f"storage-{kind}-multi-az"
    if copies == TWO and p.known("rds", both):
        p.add(f"{kind} storage", gigabytes, "rds", both)
    else:
        p.add(f"{kind} storage", gigabytes * copies, "rds", f"storage-{kind}")
    if kind in PROVISIONED:
        p.add(f"{kind} operations", p.amount("iops", 1000, IOPS) * copies, "rds", f"iops-{kind}")
    most = p.get("maxAllocatedStorage")
    if most is not None:
        p.note(f"its storage may grow to {most} GB")
    if p.get("performanceInsightsRetentionPeriod", 7) not in (7, 0):
        p.note("Performance Insights beyond 7 days come on top")
    backup = p.use("rds", "backup_gb")
    p.add("backups", backup, "rds", "backup-storage", Basis.USAGE)


def cluster(p: Pricing) -> None:
    """A cluster: Aurora's storage by usage; its instances are resources of their own."""
    _managed_password(p)
    if str(p.get("engine", "")).startswith("aurora"):
        if p.get("serverlessv2ScalingConfiguration") is not None:
            units = p.get("serverlessv2ScalingConfiguration", {})
            low = p.amount("minCapacity", "0.5", (0, 256), units)
            high = p.amount("maxCapacity", 1, (0, 256), units)
            hours = HOURS * Range(low.low, max(high.high, low.low))
            p.add("Aurora capacity units", hours, "rds", "aurora-serverless-v2")
        p.traffic("Aurora storage", "aurora", "stored_gb", "rds", "aurora-storage")
        if p.get("storageType") != "aurora-iopt1":
            p.traffic("Aurora requests", "aurora", "requests", "rds", "aurora-requests", MILLION)
        return
    p.unpriced("Multi-AZ clusters of RDS are not in the price book")


def cluster_instance(p: Pricing) -> None:
    """An instance of Aurora."""
    kind, engine = p.get("instanceClass", UNKNOWN), p.get("engine", UNKNOWN)
    if kind == "db.serverless":
        p.free("its capacity is billed by its cluster")
        return
    known = isinstance(kind, str) and isinstance(engine, str)
    p.machines("rds", [f"{kind}-{engine}" if known else UNKNOWN], HOURS, prefix="db.")


def table(p: Pricing) -> None:
    """A table of DynamoDB: by requests, or by provisioned capacity; and what lies in it."""
    mode = p.get("billingMode", "PROVISIONED")
    replicas = ONE + p.count("replicas", (0, 5))
    if mode == "PAY_PER_REQUEST":
        p.traffic("reads", "dynamodb", "reads", "dynamodb", "read-requests", MILLION)
        writes = replicas * p.use("dynamodb", "writes") / MILLION
        p.add("writes", writes, "dynamodb", "write-requests", Basis.USAGE)
    else:
        for what, path, item in (
            ("read", "readCapacity", "read-capacity"),
            ("write", "writeCapacity", "write-capacity"),
        ):
            units = p.amount(path, 1, (1, 40000))
            for index in p.items("globalSecondaryIndexes"):
                units += p.amount(path, 1, (1, 40000), index)
            low = units.low if mode != UNKNOWN else units.low * 0
            p.add(f"{what} capacity", HOURS * Range(low, units.high) * replicas, "dynamodb", item)
    p.add("table storage", replicas * p.use("dynamodb", "stored_gb"), "dynamodb", "storage", Basis.USAGE)
    if p.flag("pointInTimeRecovery.enabled"):
        p.traffic("point-in-time recovery", "dynamodb", "stored_gb", "dynamodb", "point-in-time-recovery")


def cache(p: Pricing) -> None:
    """Nodes of ElastiCache."""
    kind = p.get("nodeType", UNKNOWN)
    shards = p.amount("numNodeGroups", 1, (1, 90))
    nodes = p.amount("numCacheNodes", p.get("numCacheClusters", 1), (1, 90))
    if p.get("replicasPerNodeGroup") is not None:
        nodes = shards * (p.amount("replicasPerNodeGroup", 0, (0, 5)) + ONE)
    if p.get("replicationGroupId") is not None:
        p.free("a node of its replication group, which is billed")
        return
    p.machines("elasticache", [kind], HOURS * nodes)


def domain(p: Pricing) -> None:
    """An OpenSearch domain."""
    settings = p.get("clusterConfig", {})
    kind = p.get("instanceType", "m4.large.search", settings)
    p.machines("opensearch", [kind], HOURS * p.amount("instanceCount", 1, (1, 80), settings))
    storage = p.get("ebsOptions", {})
    if p.flag("ebsEnabled", of=storage):
        size = p.amount("volumeSize", 10, (10, 16384), storage) * p.amount("instanceCount", 1, (1, 80), settings)
        p.add("domain storage", size, "opensearch", f"storage-{p.get('volumeType', 'gp2', storage)}")


TABLE = {
    "aws:dynamodb/table:Table": table,
    "aws:elasticache/cluster:Cluster": cache,
    "aws:elasticache/replicationGroup:ReplicationGroup": cache,
    "aws:elasticsearch/domain:Domain": domain,
    "aws:opensearch/domain:Domain": domain,
    "aws:rds/cluster:Cluster": cluster,
    "aws:rds/clusterInstance:ClusterInstance": cluster_instance,
    INSTANCE: instance,
}
