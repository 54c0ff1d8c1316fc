"""Databases and file systems."""

from __future__ import annotations

from localcloud.aws.row import Call, Calls, Charge, Listing, Metering, ResourceType, Tags

PRODUCT = "Amazon Relational Database Service"
DATABASE = (
    "allocatedStorage autoMinorVersionUpgrade backupRetentionPeriod copyTagsToSnapshot dbName dbSubnetGroupName "
    "deletionProtection engine engineVersion instanceClass manageMasterUserPassword maxAllocatedStorage multiAz "
    "port publiclyAccessible storageEncrypted storageType username vpcSecurityGroupIds"
)
CHANGES = (
    "allocatedStorage instanceClass backupRetentionPeriod deletionProtection vpcSecurityGroupIds engineVersion "
    "maxAllocatedStorage publiclyAccessible"
)
TAGS = Tags("add_tags_to_resource", "remove_tags_from_resource", "list_tags_for_resource", "TagList")

TYPES = (
    ResourceType(
        "rds", "subnet-group", Listing("describe_db_subnet_groups", "DBSubnetGroups", "DBSubnetGroupName"),
        Calls(
            "{name}", {"DBSubnetGroupName": "=name", "ResourceName": "=arn"},
            create=(Call("create_db_subnet_group", {"Tags": "=tagList"}, "description subnetIds"),),
            update=(Call("modify_db_subnet_group", walk="description subnetIds"),),
            tags=TAGS,
            names={"name": "dbsubnetgroupname", "description": "dbsubnetgroupdescription"},
            defaults={"description": "Managed by Pulumi"},
            computed={"arn": "=item.DBSubnetGroupArn", "subnetIds": "=item.Subnets[].SubnetIdentifier"},
        ),
        unmetered="the database in it is billed",
    ),
    ResourceType(
        "rds", "instance", Listing("describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
        Calls(
            "{identifier}", {"DBInstanceIdentifier": "=identifier", "ResourceName": "=arn"},
            create=(Call("create_db_instance", {"Tags": "=tagList"}, DATABASE), Call("wait:db_instance_available")),
            delete=(Call("delete_db_instance", {"SkipFinalSnapshot": "=skipFinalSnapshot",
                         "FinalDBSnapshotIdentifier": "=finalSnapshotIdentifier"}), Call("wait:db_instance_deleted")),
            update=(Call("modify_db_instance", {"ApplyImmediately": True}, CHANGES),),
            tags=TAGS,
            provider_only="skipFinalSnapshot finalSnapshotIdentifier applyImmediately",
            names={"identifier": "dbinstanceidentifier", "instanceClass": "dbinstanceclass",
                   "username": "masterusername", "multiAz": "multiaz"},
            computed={
                "arn": "=item.DBInstanceArn", "address": "=item.Endpoint.Address", "port": "=item.Endpoint.Port",
                "endpoint": "{item.Endpoint.Address}:{item.Endpoint.Port}",
                "dbSubnetGroupName": "=item.DBSubnetGroup.DBSubnetGroupName",
                "vpcSecurityGroupIds": "=item.VpcSecurityGroups[].VpcSecurityGroupId",
                "masterUserSecrets":
                    "=item.MasterUserSecret && [{secretArn: item.MasterUserSecret.SecretArn, "
                    "secretStatus: item.MasterUserSecret.SecretStatus}]",
            },
        ),
        metering=Metering(
            (
                Charge(PRODUCT, "{multi}:{class}", "CreateDBInstance", ("rds", "{class}-{engine}{zones}")),
                Charge(PRODUCT, "RDS:{storage}-Storage", "CreateDBInstance", ("rds", "storage-{storage}{zones}"), "gb"),
            ),
            {"class": "DBInstanceClass", "gb": "AllocatedStorage", "storage": "StorageType", "engine": "Engine",
             "zones": "MultiAZ && '-multi-az' || ''", "multi": "MultiAZ && 'Multi-AZUsage' || 'InstanceUsage'"},
            begin="InstanceCreateTime", tags="TagList", active="DBInstanceStatus != 'stopped'",
            begins=("CreateDBInstance",), ends=("DeleteDBInstance",), name="database",
        ),
    ),
    ResourceType("rds", "snapshot", Listing("describe_db_snapshots", "DBSnapshots", "DBSnapshotIdentifier"),
                 unmetered="snapshots are not metered"),
    ResourceType("rds", "cluster", Listing("describe_db_clusters", "DBClusters", "DBClusterIdentifier"),
                 unmetered="its instances are billed"),
    ResourceType("dynamodb", "table", Listing("list_tables", "TableNames", "@"),
                 unmetered="billed by requests, which are not metered"),
    ResourceType("efs", "file-system", Listing("describe_file_systems", "FileSystems", "FileSystemId"),
                 unmetered="billed by bytes, which are not metered"),
)  # fmt: skip
