"""Databases and caches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from costs.amounts import ONE, Range
from costs.book.price import UnknownPrice
from costs.plan.rules.base import HOURS, UNKNOWN, Pricing
from costs.plan.rules.support import SUPPORT

SIZES = (20, 65536)  # GB, as RDS allows
STORAGE = ("gp2", "gp3", "io1", "io2", "standard")
# What else of a disk is paid for: as the price book calls it, what gp3 includes below and above a size, and the bounds.
PAID = {"iops": ("iops", 3000, 12000, 1000, 80000), "storageThroughput": ("throughput", 125, 500, 0, 4000)}
LARGE = {"sqlserver": 65537, "oracle": 200}  # that size in GB, where it is not 400
RESTORED = ("snapshotIdentifier", "restoreToPointInTime", "s3Import")  # where the size of a disk may come from
INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
MEMBER = "aws:rds/clusterInstance:ClusterInstance"
LICENSED = ("oracle", "sqlserver", "db2", "custom")
MULTI, OPTIMISED = "-multi-az", "-iopt1"  # how items of the price book end
CAPACITY = "minCapacity", "maxCapacity", (0, 256)  # Aurora's units
NODES = 1, 80  # of a domain


def _support(p: Pricing, engine: Any, version: Any = None) -> None:
    """Names the extended support of a version that is past its standard one."""
    version = p.get("engineVersion", version)
    if str(p.get("engineLifecycleSupport", "")).endswith("disabled") or not isinstance(engine, str):
        return
    for old, end in SUPPORT.get(engine, {}).items():
        if f"{version}.".startswith(f"{old}.") and p.world.now.date() > end:
            p.at_least(f"extended support of {engine} {old} is billed on top since {end}")


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
    """An RDS instance: its hours, its storage; all of it with Multi-AZ at the price of two."""
    source, multi = _source(p), p.flag("multiAz")
    engine, kind = p.get("engine") or source.get("engine", UNKNOWN), p.get("instanceClass", UNKNOWN)
    endings = [MULTI] if multi else [""] if multi is False else ["", MULTI]
    if multi is not False:
        p.note("Multi-AZ bills two of each" if multi else "whether it is Multi-AZ is unknown")
    if isinstance(engine, str) and engine.startswith(LICENSED):
        p.at_least(f"{kind} with the licence of {engine} is not in the price book")
    else:
        _hours(p, kind, engine, HOURS, endings, aurora=str(engine).startswith("aurora"))
    _support(p, engine)
    p.public_addresses(ONE, p.get("publiclyAccessible", False))
    _managed_password(p)
    if str(engine).startswith("aurora"):
        p.at_least("the storage of Aurora is billed with its cluster")
    else:
        _storage(p, source, engine, endings)


def _hours(
    p: Pricing, kind: Any, engine: Any, hours: Range, endings: Sequence[str] = ("",), aurora: bool = True
) -> None:
    """The charge for hours of an instance class with an engine, of Aurora or not: of all that they may be where one of
    them is unknown."""
    items = [f"{kind}-{engine}"]
    if not isinstance(kind, str) or not isinstance(engine, str):
        prefix, ending = f"{kind}-" if isinstance(kind, str) else "db.", f"-{engine}" if isinstance(engine, str) else ""
        items = [item for item in p.world.items("rds", p.region) if ("-aurora-" in item) is aurora]
        items = [item for item in items if item.startswith(prefix) and item.endswith(ending)]
        p.note(f"its {'engine' if isinstance(kind, str) else 'instance type'} is unknown")
        if not items:
            p.lacking.append(UnknownPrice("rds", f"{prefix}*", p.region))
            return
    p.machines("rds", [item + more for item in items for more in endings], hours)


def _managed_password(p: Pricing) -> None:
    """The charge of the secret that RDS makes for the password of the master user, where it is asked to keep that."""
    if p.flag("manageMasterUserPassword") is not False:
        p.add("secret of the master user", ONE, "secretsmanager", "secret")


def _storage(p: Pricing, source: Mapping[str, Any], engine: Any, endings: Sequence[str]) -> None:
    """Storage, with the operations and MB a second that are paid for: with gp3 those above what its size includes."""

    def charge(name: str, quantity: Range, *items: str) -> None:
        known = [item + ending for item in items for ending in endings]
        p.any_of(name, quantity, "rds", known if len(items) == 1 else [item for item in known if p.known("rds", item)])

    gigabytes = p.amount("allocatedStorage", source.get("allocatedStorage", SIZES[0]), SIZES)
    if p.get("allocatedStorage", source.get("allocatedStorage")) is None and any(map(p.get, RESTORED)):
        p.at_least("its storage has the size of its snapshot, which the plan does not know; the least is counted")
    default = "io1" if p.get("iops", source.get("iops")) is not None else "gp2"
    kind = p.get("storageType", source.get("storageType", default))
    if kind is UNKNOWN:
        p.note("its storage type is unknown")
    charge("storage" if kind is UNKNOWN else f"{kind} storage", gigabytes,
           *(f"storage-{name}" for name in (STORAGE if kind is UNKNOWN else [kind])))  # fmt: skip
    large = LARGE.get(str(engine).partition("-")[0], 400)
    for path, (item, small, big, least, most) in PAID.items():
        amount = p.amount(path, source.get(path, 0), (least, most))
        included = Range.of(*(big if size >= large else small for size in (gigabytes.low, gigabytes.high)))
        if kind == "gp3":
            charge(f"gp3 {path} above those included", amount.above(included), f"{item}-gp3")
        elif kind in ("io1", "io2") and item == "iops":
            charge(f"{kind} {path}", amount if amount.high else Range.of(least), f"{item}-{kind}")
        elif kind is UNKNOWN:
            charge(f"{path}, if they are paid for", amount.maybe, f"{item}-io1", f"{item}-gp3")
    if kind == "standard":
        p.at_least("requests to magnetic storage are billed by the million (0.10)")
    if (grown := p.get("maxAllocatedStorage")) is not None:
        p.note(f"its storage may grow to {grown} GB")
    p.traffic("backups", "rds", "backup_gb", "rds", "backup-storage")


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
        p.add("Aurora capacity units", HOURS * p.span(*CAPACITY, units, (1, 16)), "rds", "aurora-serverless-v1")
        p.note("nothing while it is paused")
        _support(p, engine)
    else:
        _added_replicas(p, engine)
    p.traffic("Aurora storage", "aurora", "stored_gb", "rds", *(f"aurora-storage{kind}" for kind in kinds))
    if "" in kinds:
        p.traffic("Aurora requests", "aurora", "requests", "rds", "aurora-requests", certain=OPTIMISED not in kinds)
    p.traffic("backups", "aurora", "backup_gb", "rds", "aurora-backup-storage")


def _optimised(storage_type: Any) -> list[str]:
    """The ends of Aurora's items in the price book for a kind of storage; of both kinds where it is unknown."""
    return ["", OPTIMISED] if storage_type is UNKNOWN else [OPTIMISED if storage_type == "aurora-iopt1" else ""]


def _added_replicas(p: Pricing, engine: str) -> None:
    """The replicas that a target adds to those that the plan has, each of its writer's class."""
    members = p.world.users(p.resource, MEMBER, "clusterIdentifier")
    readers = Range.of(max(len(members) - 1, 0))
    added = p.scaled(readers, "rds:cluster:ReadReplicaCount").above(readers)
    if not added.high:
        return
    kinds = {p.get("instanceClass", UNKNOWN, member.inputs) for member in members}
    kind = kinds.pop() if len(kinds) == 1 else UNKNOWN
    if kind == "db.serverless":
        units = p.span(*CAPACITY, p.get("serverlessv2ScalingConfiguration", {}), (None, None))
        p.add("capacity units of added replicas", HOURS * units * added, "rds", "aurora-serverless-v2")
    else:
        _hours(p, kind, engine, HOURS * added)


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
        p.any_of("Aurora capacity units", HOURS * p.span(*CAPACITY, units, ("0.5", 1)), "rds", items)
    else:
        _hours(p, kind, engine, HOURS)
        if OPTIMISED in kinds:
            p.at_least("on I/O-Optimized storage its hours cost some 30 % more")
        _support(p, engine, home.get("engineVersion"))
    p.public_addresses(ONE, p.get("publiclyAccessible", False))


def table(p: Pricing) -> None:
    """A table of DynamoDB: by requests, or by provisioned capacity; and what lies in it, in each of its regions."""
    _of_region(p)
    for copy in p.replicas("replicas", "regionName"):
        _of_region(p, copy)
    if p.flag("streamEnabled"):
        p.traffic("reads of its stream", "dynamodb", "stream_reads", "dynamodb", "stream-requests")


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
    for word in ("read", "write"):
        if mode != "PROVISIONED" and (word == "write" or copy is None):
            requests = [f"{word}-requests{suffix}" for suffix in kinds]
            p.traffic(f"{word}s{where}", "dynamodb", f"{word}s", "dynamodb", *requests, certain=mode is not UNKNOWN)
        if mode != "PAY_PER_REQUEST":
            units = HOURS * _units(p, word, settings)
            capacity = [f"{word}-capacity{suffix}" for suffix in kinds]
            p.any_of(f"{word} capacity{where}", units.maybe if mode is UNKNOWN else units, "dynamodb", capacity)
    storage = [f"storage{suffix}" for suffix in kinds]
    p.traffic(f"table storage{where}", "dynamodb", "stored_gb", "dynamodb", *storage)
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
            kinds.append((p.get(f"{role}Type", UNKNOWN, settings), count if enabled else count.maybe))
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
        _disks(p, disks, nodes if enabled else nodes.maybe)


def _disks(p: Pricing, disks: Any, nodes: Range) -> None:
    size = p.amount("volumeSize", 10, (10, 16384), disks)
    kind = p.get("volumeType", "gp2", disks)
    if not isinstance(kind, str):
        p.at_least("the type of its disks is unknown")
        return
    p.add("domain storage", size * nodes, "opensearch", f"storage-{kind}")
    if kind == "io1":
        p.add("io1 operations", p.amount("iops", 100, (100, 64000), disks) * nodes, "opensearch", "iops-io1")


TABLE = {
    "aws:dynamodb/table:Table": table,
    "aws:dynamodb/tableReplica:TableReplica": replica,
    "aws:elasticache/cluster:Cluster": cache,
    "aws:elasticache/replicationGroup:ReplicationGroup": replication_group,
    "aws:elasticsearch/domain:Domain": domain,
    "aws:opensearch/domain:Domain": domain,
    CLUSTER: cluster,
    MEMBER: cluster_instance,
    INSTANCE: instance,
}
