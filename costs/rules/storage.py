"""Objects and files."""

from __future__ import annotations

from costs.rules.base import Pricing, free, unpriced


def bucket(p: Pricing) -> None:
    """A bucket: what lies in it, and what asks for it."""
    p.traffic("S3 storage", "s3", "stored_gb", "s3", "standard-storage")
    p.traffic("S3 writes", "s3", "puts", "s3", "put-requests", 1000)
    p.traffic("S3 reads", "s3", "gets", "s3", "get-requests", 1000)


def file_system(p: Pricing) -> None:
    """Files of EFS."""
    one_zone = p.get("availabilityZoneName") is not None
    p.traffic("EFS storage", "efs", "stored_gb", "efs", "one-zone-storage" if one_zone else "standard-storage")
    if p.get("throughputMode") == "provisioned":
        throughput = p.amount("provisionedThroughputInMibps", 1, (1, 1024))
        p.add("provisioned throughput", throughput, "efs", "provisioned-throughput")


OF_BUCKET = "a setting of a bucket"
SETTINGS = (
    "bucketAccelerateConfiguration:BucketAccelerateConfiguration bucketAcl:BucketAcl "
    "bucketCorsConfiguration:BucketCorsConfiguration bucketIntelligentTieringConfiguration:"
    "BucketIntelligentTieringConfiguration bucketLifecycleConfiguration:BucketLifecycleConfiguration "
    "bucketLogging:BucketLogging bucketNotification:BucketNotification "
    "bucketObjectLockConfiguration:BucketObjectLockConfiguration bucketOwnershipControls:BucketOwnershipControls "
    "bucketPolicy:BucketPolicy bucketPublicAccessBlock:BucketPublicAccessBlock "
    "bucketReplicationConfig:BucketReplicationConfig bucketRequestPaymentConfiguration:"
    "BucketRequestPaymentConfiguration bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration "
    "bucketVersioning:BucketVersioning bucketWebsiteConfiguration:BucketWebsiteConfiguration "
    "bucketAbac:BucketAbac accessPoint:AccessPoint accountPublicAccessBlock:AccountPublicAccessBlock "
    "directoryAccessPointScope:DirectoryAccessPointScope "
    # the same by the names that they had before version 7 of the provider
    "bucketAccelerateConfigurationV2:BucketAccelerateConfigurationV2 bucketAclV2:BucketAclV2 "
    "bucketCorsConfigurationV2:BucketCorsConfigurationV2 bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2 "
    "bucketLoggingV2:BucketLoggingV2 bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2 "
    "bucketRequestPaymentConfigurationV2:BucketRequestPaymentConfigurationV2 bucketServerSideEncryptionConfigurationV2:"
    "BucketServerSideEncryptionConfigurationV2 bucketVersioningV2:BucketVersioningV2 "
    "bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2"
).split()
OBJECT = "its bytes are counted in its bucket's storage"
FSX = "its price depends on deployment and throughput, which the price book does not have"
TABLE = {
    "aws:s3/bucket:Bucket": bucket,
    "aws:s3/bucketV2:BucketV2": bucket,
    "aws:s3/directoryBucket:DirectoryBucket": unpriced("no prices of S3 Express in the price book"),
    "aws:s3/bucketObject:BucketObject": free(OBJECT),
    "aws:s3/bucketObjectv2:BucketObjectv2": free(OBJECT),
    "aws:s3/objectCopy:ObjectCopy": free(OBJECT),
    "aws:s3/analyticsConfiguration:AnalyticsConfiguration": unpriced("billed by the number of objects"),
    "aws:s3/inventory:Inventory": unpriced("billed by the number of objects"),
    "aws:s3/bucketMetric:BucketMetric": unpriced("billed as CloudWatch metrics"),
    "aws:s3/bucketMetadataConfiguration:BucketMetadataConfiguration": unpriced("billed by the number of objects"),
    **{f"aws:s3/{name}": free(OF_BUCKET) for name in SETTINGS},
    "aws:efs/fileSystem:FileSystem": file_system,
    "aws:efs/mountTarget:MountTarget": free("the files are billed"),
    "aws:efs/accessPoint:AccessPoint": free("the files are billed"),
    "aws:efs/backupPolicy:BackupPolicy": free("backups are billed by AWS Backup"),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": free("a setting"),
    "aws:efs/replicationConfiguration:ReplicationConfiguration": unpriced("the copy and its transfer are billed"),
    "aws:fsx/lustreFileSystem:LustreFileSystem": unpriced(FSX),
    "aws:fsx/ontapFileSystem:OntapFileSystem": unpriced(FSX),
    "aws:fsx/openZfsFileSystem:OpenZfsFileSystem": unpriced(FSX),
    "aws:fsx/windowsFileSystem:WindowsFileSystem": unpriced(FSX),
    "aws:glacier/vault:Vault": unpriced("no prices of Glacier vaults in the price book"),
    "aws:backup/plan:Plan": free("what it stores is billed in its vault"),
    "aws:backup/selection:Selection": free("a setting of a plan"),
    "aws:backup/vault:Vault": unpriced("the size of its backups is not known"),
    "aws:backup/vaultPolicy:VaultPolicy": free("a setting of a vault"),
    "aws:backup/vaultLockConfiguration:VaultLockConfiguration": free("a setting of a vault"),
    "aws:backup/vaultNotifications:VaultNotifications": free("a setting of a vault"),
    "aws:backup/globalSettings:GlobalSettings": free("a setting of the account"),
    "aws:backup/regionSettings:RegionSettings": free("a setting of the account"),
    "aws:dlm/lifecyclePolicy:LifecyclePolicy": free("the snapshots are billed"),
}
