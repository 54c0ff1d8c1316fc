"""Databases and caches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from costs.amounts import NOTHING, ONE, Range
from costs.book.price import UnknownPrice
from costs.plan.charges import Basis, Charge
from costs.plan.rules.base import HOURS, MILLION, UNKNOWN, Pricing

SIZES, IOPS, THROUGHPUT = (20, 65536), (1000, 80000), (0, 4000)  # GB, operations and MB a second, as RDS allows
STORAGE = ("gp2", "gp3", "io1", "io2", "standard")
INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
CLUSTER_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
LICENSED = ("oracle", "sqlserver", "db2", "custom")
TWICE = "Multi-AZ bills two of each"
LARGE = {"oracle": 200, "sqlserver": 65537}  # GB from which gp3 includes four times as much; 400 of the other engines
INCLUDED = {"iops": (3000, 12000), "storageThroughput": (125, 500)}  # of gp3, below and above that size
OPTIMISED = "-iopt1"
TWO = Range.of(2)
CAPACITY, NODES = (0, 256), (1, 80)  # Aurora's capacity units, and the nodes of a domain
# Engine → version → the month with which its standard support has ended: from then on AWS bills each processor more.
SUPPORTED = {
    "mysql": {"5.7": "2024-03", "8.0": "2026-08"},
    "postgres": {"11": "2024-04", "12": "2025-03", "13": "2026-03", "14": "2027-03"},
    "aurora-mysql": {"5.7": "2024-12", "8.0": "2028-05"},
    "aurora-postgresql": {"11": "2024-04", "12": "2025-03", "13": "2026-03", "14": "2027-03"},
    "redis": {"4": "2026-02", "5": "2026-02"},
}  # fmt: skip


def _beyond(amount: Range, included: Range) -> Range:
    """How much of an amount is more than what is included."""
    return Range(max(amount.low - included.high, Decimal(0)), max(amount.high - included.low, Decimal(0)))


def _engine(p: Pricing, settings: Any = None) -> Any:
    engine = p.get("engine", None, settings)
    return engine.partition("-")[0] if isinstance(engine, str) and not engine.startswith("aurora") else engine


def _support(p: Pricing, engine: Any, settings: Any = None) -> None:
    """Names the extended support of a version that is past its standard one."""
    version = p.get("engineVersion", "", settings)
    if str(p.get("engineLifecycleSupport", "", settings)).endswith("disabled") or not isinstance(engine, str):
        return
    for old, month in SUPPORTED.get(engine, {}).items():
        if f"{version}.".startswith(f"{old}.") and p.world.now >= datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC):
            p.at_least(f"extended support of {engine} {old} is billed on top")


def _source(p: Pricing) -> Mapping[str, Any]:
    """What a replica has from its source."""
    if p.get("replicateSourceDb") is None:
        return {}
    for source in p.referred("replicateSourceDb", INSTANCE):
        if source is not p.resource:
            return source.inputs
    p.at_least("its source is not in the plan: its engine and its storage are as little as they can be")
    return {}


def instance(p: Pricing) -> None:
    """An RDS instance: its hours, its storage; all of it twice with Multi-AZ."""
    source = _source(p)
    engine, kind = _engine(p) or _engine(p, source), p.get("instanceClass", UNKNOWN)
    multi = p.flag("multiAz")
    copies = Range.of(1, 2) if multi is None else Range.of(2 if multi else 1)
    if multi is not False:
        p.note(TWICE if multi else "whether it is Multi-AZ is unknown")
    if isinstance(engine, str) and engine.startswith(LICENSED):
        p.at_least(f"{kind} with the licence of {p.get('engine')} is not in the price book")
    elif not isinstance(engine, str) and isinstance(kind, str):
        _of_any_engine(p, kind, copies)
    elif not isinstance(engine, str) or not isinstance(kind, str):
        p.machines("rds", [UNKNOWN], HOURS * copies, prefix="db.")
    elif multi and p.known("rds", f"{kind}-{engine}-multi-az"):
        p.machines("rds", [f"{kind}-{engine}-multi-az"], HOURS)
    else:
        p.machines("rds", [f"{kind}-{engine}"], HOURS * copies)
    _support(p, engine)
    p.public_addresses(ONE, p.get("publiclyAccessible", False))
    _managed_password(p)
    if not str(engine).startswith("aurora"):
        _storage(p, source, engine, copies)


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


def _storage(p: Pricing, source: Mapping[str, Any], engine: Any, copies: Range) -> None:
    gigabytes = p.amount("allocatedStorage", source.get("allocatedStorage", SIZES[0]), SIZES)
    if p.get("allocatedStorage", source.get("allocatedStorage")) is None and _restored(p):
        p.at_least("its storage has the size of its snapshot, which the plan does not know; the least is counted")
    default = "io1" if p.get("iops", source.get("iops")) is not None else "gp2"
    kind = p.get("storageType", source.get("storageType", default))
    if kind is UNKNOWN:
        known = [f"storage-{name}" for name in STORAGE if p.known("rds", f"storage-{name}")]
        p.any_of("storage", gigabytes * copies, "rds", known)
        p.note("its storage type is unknown")
        operations = Range(Decimal(0), p.amount("iops", source.get("iops", 0), (0, IOPS[1])).high)
        p.add("operations, if they are paid for", operations * copies, "rds", "iops-io1")
        through = Range(Decimal(0), p.amount("storageThroughput", source.get("storageThroughput", 0), THROUGHPUT).high)
        p.add("MB/s, if they are paid for", through * copies, "rds", "throughput-gp3")
        return
    both = f"storage-{kind}-multi-az"
    if copies == TWO and p.known("rds", both):
        p.add(f"{kind} storage", gigabytes, "rds", both)
    else:
        p.add(f"{kind} storage", gigabytes * copies, "rds", f"storage-{kind}")
    if kind in ("io1", "io2"):
        p.add(f"{kind} operations", p.amount("iops", source.get("iops", 1000), IOPS) * copies, "rds", f"iops-{kind}")
    if kind == "gp3":
        _above_included(p, source, engine, gigabytes, copies)
    if kind == "standard":
        p.at_least("requests to magnetic storage are billed by the million (0.10)")
    most = p.get("maxAllocatedStorage")
    if most is not None:
        p.note(f"its storage may grow to {most} GB")
    p.traffic("backups", "rds", "backup_gb", "rds", "backup-storage")


def _restored(p: Pricing) -> bool:
    return any(p.get(path) is not None for path in ("snapshotIdentifier", "restoreToPointInTime", "s3Import"))


def _above_included(p: Pricing, source: Mapping[str, Any], engine: Any, gigabytes: Range, copies: Range) -> None:
    """The operations and MB a second of gp3 above those that its size includes."""
    large = LARGE.get(engine, 400) if isinstance(engine, str) else 400
    for path, item, bounds in (("iops", "iops-gp3", IOPS), ("storageThroughput", "throughput-gp3", THROUGHPUT)):
        small, big = INCLUDED[path]
        included = Range.of(*(big if size >= large else small for size in (gigabytes.low, gigabytes.high)))
        amount = p.amount(path, source.get(path, 0), bounds)
        p.add(
            f"gp3 {path} above {small if included.low < big else big}", _beyond(amount, included) * copies, "rds", item
        )


def cluster(p: Pricing) -> None:
    """A cluster of Aurora: its storage by usage, serverless capacity of the first version, and the replicas that a
    scaling target adds; its other instances are resources of their own."""
    _managed_password(p)
    engine, kinds = str(p.get("engine", "")), _optimised(p.get("storageType", ""))
    if not engine.startswith("aurora"):
        p.unpriced("Multi-AZ clusters of RDS are not in the price book")
        return
    if p.get("engineMode") == "serverless":
        units = p.get("scalingConfiguration", {})
        p.add("Aurora capacity units", HOURS * _capacity(p, units, 1, 16), "rds", "aurora-serverless-v1")
        p.note("nothing while it is paused")
    else:
        _added_replicas(p, engine)
        _support(p, engine)
    stored, requests = p.use("aurora", "stored_gb"), p.use("aurora", "requests") / MILLION
    p.any_of("Aurora storage", Range.of(stored), "rds", [f"aurora-storage{kind}" for kind in kinds], Basis.USAGE)
    least = 0 if OPTIMISED in kinds else 1
    if "" in kinds:
        p.add("Aurora requests", Range.of(least, 1) * requests, "rds", "aurora-requests", Basis.USAGE)
    p.traffic("backups", "aurora", "backup_gb", "rds", "aurora-backup-storage")


def _optimised(storage_type: Any) -> list[str]:
    """The ends of Aurora's items in the price book for a kind of storage; of both kinds where it is unknown."""
    return ["", OPTIMISED] if storage_type is UNKNOWN else [OPTIMISED if storage_type == "aurora-iopt1" else ""]


def _capacity(p: Pricing, units: Any, least: Any, most: Any) -> Range:
    low, high = p.amount("minCapacity", least, CAPACITY, units), p.amount("maxCapacity", most, CAPACITY, units)
    return Range(low.low, max(high.high, low.low))


def _added_replicas(p: Pricing, engine: str) -> None:
    """The replicas that a target adds to those that the plan has."""
    members = p.world.users(p.resource, CLUSTER_INSTANCE, "clusterIdentifier")
    readers = Range.of(max(len(members) - 1, 0))
    added = _beyond(p.scaled(readers, "rds:cluster:ReadReplicaCount"), readers)
    kinds = [p.get("instanceClass", UNKNOWN, member.inputs) for member in members]
    if "db.serverless" in kinds:
        units = _capacity(p, p.get("serverlessv2ScalingConfiguration", {}), UNKNOWN, UNKNOWN) if added.high else NOTHING
        p.add("capacity units of added replicas", HOURS * units * added, "rds", "aurora-serverless-v2")
    else:
        kinds = [f"{kind}-{engine}" if isinstance(kind, str) else UNKNOWN for kind in kinds]
        p.machines("rds", kinds, HOURS * added, prefix="db.")


def cluster_instance(p: Pricing) -> None:
    """An instance of Aurora, or what serverless capacity it takes: its cluster has the bounds, for each instance."""
    kind, clusters = p.get("instanceClass", UNKNOWN), p.referred("clusterIdentifier", CLUSTER)
    home = clusters[0].inputs if len(clusters) == 1 else {"engine": UNKNOWN, "storageType": UNKNOWN}
    engine = p.get("engine", UNKNOWN)
    engine = p.get("engine", UNKNOWN, home) if engine is UNKNOWN else engine
    kinds = _optimised(p.get("storageType", "", home))
    if kind == "db.serverless":
        units = p.get("serverlessv2ScalingConfiguration", None, home)
        if units is None:
            p.unpriced("the bounds of its capacity are those of its cluster, which the plan does not have")
            return
        items = [f"aurora-serverless-v2{kind}" for kind in kinds]
        p.any_of("Aurora capacity units", HOURS * _capacity(p, units, "0.5", 1), "rds", items)
    else:
        known = isinstance(kind, str) and isinstance(engine, str)
        p.machines("rds", [f"{kind}-{engine}" if known else UNKNOWN], HOURS, prefix="db.")
        if OPTIMISED in kinds:
            p.at_least("instances of an I/O-Optimized cluster cost some 30 % more")
    p.public_addresses(ONE, p.get("publiclyAccessible", False))


def table(p: Pricing) -> None:
    """A table of DynamoDB: by requests, or by provisioned capacity; and what lies in it, in each of its regions."""
    _of_region(p)
    home = p.region
    for replica in p.items("replicas"):
        p.region = p.get("regionName", home, replica)
        if isinstance(p.region, str):
            _of_region(p, replica)
        else:
            p.at_least("the region of a replica is unknown")
        p.region = home
    if p.get("replicas") is UNKNOWN:
        p.at_least("its replicas are unknown")
    if p.flag("streamEnabled"):
        p.traffic("reads of its stream", "dynamodb", "stream_reads", "dynamodb", "stream-requests", MILLION)


def replica(p: Pricing) -> None:
    """A copy of a table in another region."""
    tables = p.referred("globalTableArn", "aws:dynamodb/table:Table")
    if len(tables) == 1:
        _of_region(p, p.resource.inputs, tables[0].inputs)
    else:
        p.unpriced("which table it copies is not in the plan")


def _of_region(p: Pricing, copy: Mapping[str, Any] | None = None, settings: Any = None) -> None:
    """What a table costs in one region; as `copy` of it, where that is not its own."""
    mode, kind = p.get("billingMode", "PROVISIONED", settings), p.get("tableClass", "STANDARD", settings)
    kind = kind if copy is None else p.get("tableClassOverride", kind, copy)
    kinds = ["", "-ia"] if kind is UNKNOWN else ["-ia" if kind == "STANDARD_INFREQUENT_ACCESS" else ""]
    where = "" if copy is None else f" in {p.region}"

    def charge(name: str, quantity: Range, item: str, basis: Basis) -> None:
        p.any_of(name + where, quantity, "dynamodb", [item + suffix for suffix in kinds], basis)

    for word in ("read", "write"):
        if mode != "PROVISIONED" and (word == "write" or copy is None):
            requests = Range.of(p.use("dynamodb", f"{word}s") / MILLION)
            charge(f"{word}s", requests if mode is not UNKNOWN else Range(Decimal(0), requests.high),
                   f"{word}-requests", Basis.USAGE)  # fmt: skip
        if mode != "PAY_PER_REQUEST":
            units = _units(p, word, settings)
            units = Range(Decimal(0), units.high) if mode is UNKNOWN else units
            charge(f"{word} capacity", HOURS * units, f"{word}-capacity", Basis.MONTH)
    charge("table storage", Range.of(p.use("dynamodb", "stored_gb")), "storage", Basis.USAGE)
    if p.flag("pointInTimeRecovery.enabled", of=settings) if copy is None else p.flag("pointInTimeRecovery", of=copy):
        p.traffic(f"point-in-time recovery{where}", "dynamodb", "stored_gb", "dynamodb", "point-in-time-recovery")


def _units(p: Pricing, word: str, settings: Any) -> Range:
    """Provisioned units of a table and its indexes, between the bounds of the targets that scale them."""
    path, part = f"{word}Capacity", f"{word.title()}CapacityUnits"
    indexes = p.items("globalSecondaryIndexes", settings)
    units = p.scaled(p.amount(path, 1, (1, 40000), settings), f"dynamodb:table:{part}")
    for index in indexes:
        name = p.get("name", "", index)
        name = name if isinstance(name, str) else ""
        count = p.amount(path, 1, (1, 40000), index)
        units += p.scaled(count, f"dynamodb:index:{part}", part=name, several=len(indexes) > 1)
    return units


def cache(p: Pricing) -> None:
    """Nodes of an ElastiCache cluster, unless they are those of a replication group, which is billed itself."""
    if p.get("replicationGroupId") is not None:
        p.free("a node of its replication group, which is billed")
        return
    _nodes(p, p.amount("numCacheNodes", 1, (1, 90)))


def replication_group(p: Pricing) -> None:
    """A replication group of ElastiCache: all of its nodes, a primary and its replicas in each shard."""
    mode = p.get("clusterMode")  # older providers have the shards in it
    shape = mode if isinstance(mode, Mapping) else p.resource.inputs
    groups = p.items("nodeGroupConfigurations")
    sharded = any(p.get(path, of=shape) is not None for path in ("numNodeGroups", "replicasPerNodeGroup"))
    if not sharded and not groups:
        _nodes(p, p.amount("numCacheClusters", p.get("numberCacheClusters", 1), (1, 90)))
        return
    shards = p.amount("numNodeGroups", len(groups) or 1, (1, 90), shape)
    most = max((p.amount("replicaCount", 0, (0, 5), group).high for group in groups), default=Decimal(0))
    replicas = p.amount("replicasPerNodeGroup", most, (0, 5), shape)
    shards = p.scaled(shards, "elasticache:replication-group:NodeGroups")
    _nodes(p, shards * (ONE + p.scaled(replicas, "elasticache:replication-group:Replicas")))


def _nodes(p: Pricing, nodes: Range) -> None:
    engine, kind = p.get("engine", "redis"), p.get("nodeType", UNKNOWN)
    known = isinstance(engine, str) and isinstance(kind, str)
    item = f"{kind}-valkey" if engine == "valkey" else kind
    p.machines("elasticache", [item if known else UNKNOWN], HOURS * nodes)
    _support(p, engine)
    if p.get("snapshotRetentionLimit", 0) != 0:
        p.traffic("backups", "elasticache", "backup_gb", "elasticache", "backup-storage")


def domain(p: Pricing) -> None:
    """An OpenSearch domain: its data nodes with their disks, its masters and its warm nodes."""
    settings = p.get("clusterConfig", {})
    nodes = p.amount("instanceCount", 1, NODES, settings)
    kinds = [(p.get("instanceType", "m4.large.search", settings), nodes)]
    for role, usual in (("dedicatedMaster", 3), ("warm", 2)):
        enabled = p.flag(f"{role}Enabled", of=settings)
        if enabled is not False:
            count = p.amount(f"{role}Count", usual, NODES, settings)
            count = count if enabled else Range(Decimal(0), count.high)
            kinds.append((p.get(f"{role}Type", UNKNOWN, settings), count))
            if role == "warm":
                p.at_least("data on warm nodes is billed by the GB (0.024)")
    for kind, count in kinds:
        name = (
            f"{kind.removesuffix('.elasticsearch').removesuffix('.search')}.search" if isinstance(kind, str) else kind
        )
        p.machines("opensearch", [name], HOURS * count)
    disks = p.get("ebsOptions", {})
    enabled = p.flag("ebsEnabled", of=disks)
    if enabled is not False:
        _disks(p, disks, nodes if enabled else Range(Decimal(0), nodes.high))


def _disks(p: Pricing, disks: Any, nodes: Range) -> None:
    size = p.amount("volumeSize", 10, (10, 16384), disks)
    kind = p.get("volumeType", "gp2", disks)
    if not isinstance(kind, str):
        p.at_least("the type of its disks is unknown")
        return
    p.add("domain storage", size * nodes, "opensearch", f"storage-{kind}")
    iops, through = p.amount("iops", 0, (0, 64000), disks), p.amount("throughput", 0, (0, 1000), disks)
    if kind == "io1":
        p.add("io1 operations", iops * nodes, "opensearch", "iops-io1")
    if kind == "gp3":
        steps = [1 + int(gigabytes - 1) // 3072 for gigabytes in (size.low, size.high)]
        included = [min(250 * step, 1000) if gigabytes >= 170 else 125 for step, gigabytes in zip(
            steps, (size.low, size.high), strict=True)]  # fmt: skip
        p.add("gp3 MB/s above those included", _beyond(through, Range.of(*included)) * nodes,
              "opensearch", "throughput-gp3")  # fmt: skip
        free = Range(max(Decimal(3000), 3 * size.low), max(Decimal(3000), 3 * size.high))
        p.add("gp3 operations above those included", _beyond(iops, free) * nodes, "opensearch", "iops-gp3")


TABLE = {
    "aws:dynamodb/table:Table": table,
    "aws:dynamodb/tableReplica:TableReplica": replica,
    "aws:elasticache/cluster:Cluster": cache,
    "aws:elasticache/replicationGroup:ReplicationGroup": replication_group,
    "aws:elasticsearch/domain:Domain": domain,
    "aws:opensearch/domain:Domain": domain,
    CLUSTER: cluster,
    CLUSTER_INSTANCE: cluster_instance,
    INSTANCE: instance,
}
