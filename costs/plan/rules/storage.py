"""Objects and files."""

from __future__ import annotations

from costs.plan.rules.base import Pricing


def bucket(p: Pricing) -> None:
    """A bucket: what lies in it, and what asks for it."""
    p.traffic("S3 storage", "s3", "stored_gb", "s3", "standard-storage")
    p.traffic("S3 writes", "s3", "puts", "s3", "put-requests", 1000)
    p.traffic("S3 reads", "s3", "gets", "s3", "get-requests", 1000)


def file_system(p: Pricing) -> None:
    """Files of EFS."""
    item = "standard-storage" if p.get("availabilityZoneName") is None else "one-zone-storage"
    p.traffic("EFS storage", "efs", "stored_gb", "efs", item)
    if p.get("throughputMode") == "provisioned":
        throughput = p.amount("provisionedThroughputInMibps", 1, (1, 1024))
        p.add("provisioned throughput", throughput, "efs", "provisioned-throughput")


TABLE = {
    "aws:efs/fileSystem:FileSystem": file_system,
    "aws:s3/bucket:Bucket": bucket,
    "aws:s3/bucketV2:BucketV2": bucket,
}
