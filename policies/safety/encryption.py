"""The rules `encrypted-storage` and `encrypted-buckets`: what lies on disks is encrypted; AWS's own keys are free."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policies.rule import Context, Example, Finding, Resource, Rule, Stack, resource
from policies.values import UNKNOWN, at, off, snake
from policies.waste.storage import BUCKETS, about
from policies.waste.volumes import DATABASE, INSTANCE, TEMPLATE, VOLUME, disks

FLAGS = {
    VOLUME: "encrypted",
    DATABASE: "storageEncrypted",
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:docdb/cluster:Cluster": "storageEncrypted",
    "aws:neptune/cluster:Cluster": "storageEncrypted",
    "aws:efs/fileSystem:FileSystem": "encrypted",
    "aws:redshift/cluster:Cluster": "encrypted",
    "aws:elasticache/replicationGroup:ReplicationGroup": "atRestEncryptionEnabled",
}
FREE = "nothing: AWS's own keys are free, and encryption costs no time"
CONFIGURATIONS = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)


def check_storage(found: Resource, context: Context) -> Iterator[Finding]:
    """A finding for each disk, database or file system that is not encrypted."""
    flag = FLAGS.get(found.type)
    if flag:
        copied = any(at(found.props, key) for key in ("replicateSourceDb", "snapshotId", "snapshotIdentifier"))
        value = at(found.props, flag)
        if off(value) and not (copied and value is None):
            yield Finding(snake(flag), value, f"{snake(flag)}=True", FREE)
        return
    blocks = list(disks(found))
    for path, _, block in blocks:
        value = at(block, "encrypted")
        if block is not UNKNOWN and off(value) and not (value is None and at(block, "snapshotId")):
            yield Finding(f"{path}encrypted", value, f"{path}encrypted=True", FREE)
    unsaid = not blocks and at(found.props, "rootBlockDevice") is None and not at(found.props, "launchTemplate")
    if found.type == INSTANCE and unsaid:
        yield Finding(
            "root_block_device.encrypted",
            None,
            "root_block_device.encrypted=True, or a launch template that says so",
            FREE,
        )


def check_buckets(stack: Stack, context: Context) -> Iterator[Finding]:
    """A finding for each bucket that does not say how it encrypts."""
    for bucket in stack.of(*BUCKETS):
        own = at(bucket.props, "serverSideEncryptionConfiguration")
        if not own and not about(stack, bucket, CONFIGURATIONS):
            change = 'a BucketServerSideEncryptionConfiguration for it, with sse_algorithm "AES256" or "aws:kms"'
            yield Finding("server_side_encryption_configuration", None, change, FREE, bucket)


def _volume(**props: Any) -> Resource:
    return resource(VOLUME, "data", availabilityZone="us-east-1a", size=100, type="gp3", **props)


ENCRYPTED_STORAGE = Rule(
    name="encrypted-storage",
    group="safety",
    description="Disks, databases and file systems are encrypted.",
    why="A disk that is thrown away, copied or shared by mistake must be of no use to who gets it. It cannot be "
    "turned on "
    "later: an unencrypted disk or database has to be made anew.",
    change="Set encrypted (storage_encrypted for databases); the account's own key costs nothing.",
    types=(*FLAGS, INSTANCE, TEMPLATE),
    check=check_storage,
    fails=Example((_volume(),)),
    passes=Example((_volume(encrypted=True),)),
)
ENCRYPTED_BUCKETS = Rule(
    name="encrypted-buckets",
    group="safety",
    level="advisory",
    description="Buckets say how they encrypt.",
    why="S3 encrypts everything with its own keys since 2023; saying so keeps it true, and shows who chose which key.",
    change="Add a BucketServerSideEncryptionConfiguration.",
    check_stack=check_buckets,
    fails=Example((resource(BUCKETS[0], "models", bucket="models"),)),
    passes=Example(
        (
            resource(BUCKETS[0], "models", bucket="models"),
            resource(
                CONFIGURATIONS[0],
                "models-encryption",
                needs={"bucket": "models"},
                rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
            ),
        )
    ),
)
