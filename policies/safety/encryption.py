"""The rules `encrypted-storage` and `encrypted-buckets`: what lies on disks is encrypted; AWS's own keys are free."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Resource, Rule, Stack, Violation, declare
from policies.shapes.buckets import BUCKETS, about
from policies.shapes.disks import DATABASE, MACHINES, VOLUME, disks
from policies.shapes.machines import BATCH, NODES, TEMPLATE
from policies.values import UNKNOWN, at, off, on, snake

CLUSTER, REDSHIFT = "aws:rds/cluster:Cluster", "aws:redshift/cluster:Cluster"
CACHE, ACCOUNT = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:ebs/encryptionByDefault:EncryptionByDefault"
SERVICE = "aws:ecs/service:Service"
FLAGS: dict[str, tuple[str, ...]] = {  # the properties that say it
    VOLUME: ("encrypted",),
    "aws:ebs/snapshotImport:SnapshotImport": ("encrypted",),
    ACCOUNT: ("enabled",),
    DATABASE: ("storageEncrypted",),
    CLUSTER: ("storageEncrypted",),
    "aws:rds/globalCluster:GlobalCluster": ("storageEncrypted",),
    "aws:docdb/cluster:Cluster": ("storageEncrypted",),
    "aws:docdb/globalCluster:GlobalCluster": ("storageEncrypted",),
    "aws:neptune/cluster:Cluster": ("storageEncrypted",),
    "aws:neptune/globalCluster:GlobalCluster": ("storageEncrypted",),
    "aws:efs/fileSystem:FileSystem": ("encrypted",),
    REDSHIFT: ("encrypted",),
    CACHE: ("atRestEncryptionEnabled",),
    "aws:appsync/apiCache:ApiCache": ("atRestEncryptionEnabled",),
    "aws:opensearch/domain:Domain": ("encryptAtRest.enabled",),
    "aws:elasticsearch/domain:Domain": ("encryptAtRest.enabled",),
    "aws:dax/cluster:Cluster": ("serverSideEncryption.enabled",),
    "aws:workspaces/workspace:Workspace": ("rootVolumeEncryptionEnabled", "userVolumeEncryptionEnabled"),
    SERVICE: ("volumeConfiguration.managedEbsVolume.encrypted",),
}
COPIED = (  # what is made from these is encrypted as they are, where nothing else is said
    "replicateSourceDb", "replicationSourceIdentifier", "sourceDbClusterIdentifier", "globalReplicationGroupId",
    "snapshotId", "snapshotIdentifier", "restoreToPointInTime",
)  # fmt: skip
FREE = "who gets hold of a copy reads it; AWS's own keys are free, and encryption costs no time"
CONFIGURATIONS = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)
MAPPING = (
    'block_device_mappings=[{"device_name": the image\'s root, such as "/dev/xvda", "ebs": {"encrypted": "true"}}]'
)


def check_storage(resource: Resource, context: Context) -> Iterator[Violation]:
    """A violation for each disk, database or file system that is not encrypted."""
    account = on(context.config["encryptedByDefault"])
    if resource.type in FLAGS:
        yield from _flags(resource, account)
        return
    for disk in disks(resource):
        prop, value = f"{disk.path}encrypted", at(disk.block, "encrypted")
        if off(value) and not (value is None and (account or at(disk.block, "snapshotId"))):
            yield Violation(prop, value, _change(resource.type, prop, declared=disk.block is not None), FREE)


def _flags(resource: Resource, account: bool) -> Iterator[Violation]:
    copied = any(at(resource.props, key) for key in COPIED)
    by_default = (
        resource.type in (REDSHIFT, ACCOUNT)
        or (resource.type == VOLUME and account)
        or (resource.type == CACHE and at(resource.props, "engine") in ("valkey", UNKNOWN))
        or at(resource.props, "engineMode") == "serverless"
    )
    if resource.type == SERVICE and at(resource.props, "volumeConfiguration") is None:
        return  # its tasks have no disk of their own
    for flag in FLAGS[resource.type]:
        value = at(resource.props, *flag.split("."))
        if off(value) and not (value is None and (copied or by_default)):
            yield Violation(snake(flag), value, f"{snake(flag)}=True", FREE)


def _change(kind: str, prop: str, declared: bool) -> str:
    """What to write; for a root disk that nothing is said about, where to say it."""
    if declared:
        return f"{prop}=True"
    if kind in (NODES, BATCH):
        return f"a launch template with {MAPPING}"
    return MAPPING if kind == TEMPLATE else f"{prop}=True, or a launch template that says so"


def check_buckets(stack: Stack, context: Context) -> Iterator[Violation]:
    """A violation for each bucket that does not say how it encrypts."""
    for bucket in stack.of(*BUCKETS):
        own = at(bucket.props, "serverSideEncryptionConfiguration")
        if not own and not about(stack, bucket, CONFIGURATIONS):
            change = 'a BucketServerSideEncryptionConfiguration for it, with sse_algorithm "AES256" or "aws:kms"'
            yield Violation("server_side_encryption_configuration", None, change, FREE, bucket)


def _volume(**props: Any) -> Resource:
    return declare(VOLUME, "data", availabilityZone="us-east-1a", size=100, type="gp3", **props)


ENCRYPTED_STORAGE = Rule(
    name="encrypted-storage",
    group="safety",
    description="Disks, databases and file systems are encrypted.",
    why="A disk that is thrown away, copied or shared by mistake must be of no use to who gets it. It cannot be turned "
    "on later: an unencrypted disk or database has to be made anew. A root disk that a program says nothing about is "
    "as its image has it, which for AWS's own images is unencrypted.",
    change="Set encrypted (storage_encrypted for databases), for the root disk as well as for the others; the "
    "account's own key costs nothing.",
    types=(*FLAGS, *MACHINES, NODES, BATCH),
    config={
        "encryptedByDefault": {
            "type": "boolean", "default": False,
            "description": "Whether the account encrypts new EBS disks by itself (aws.ebs.EncryptionByDefault), so "
            "that a disk need not say so.",
        }
    },
    check=check_storage,
    fails=Example((_volume(),)),
    passes=Example((_volume(encrypted=True),)),
)  # fmt: skip
ENCRYPTED_BUCKETS = Rule(
    name="encrypted-buckets",
    group="safety",
    level="advisory",
    description="Buckets say how they encrypt.",
    why="S3 encrypts everything with its own keys since 2023; saying so keeps it true, and shows who chose which key.",
    change="Add a BucketServerSideEncryptionConfiguration.",
    check_stack=check_buckets,
    fails=Example((declare(BUCKETS[0], "models", bucket="models"),)),
    passes=Example(
        (
            declare(BUCKETS[0], "models", bucket="models"),
            declare(
                CONFIGURATIONS[0],
                "models-encryption",
                needs={"bucket": "models"},
                rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
            ),
        )
    ),
)
