"""What is metered, as a table: one row for each kind of resource that costs money while it stands.

Expressions are JMESPath on one item of the listing. A row's `facts` are what its price depends on; a charge names them
in braces. Names of products and usage types are those of AWS's own bills in us-east-1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from localcloud.meter import launches

Item = dict[str, Any]
EC2, EC2_OTHER = "Amazon Elastic Compute Cloud - Compute", "EC2 - Other"
VPC, S3, LAMBDA = "Amazon Virtual Private Cloud", "Amazon Simple Storage Service", "AWS Lambda"
SAGEMAKER, CLOUDWATCH, RDS = "Amazon SageMaker", "AmazonCloudWatch", "Amazon Relational Database Service"
ON_DEMAND, SPOT = "On Demand Instances", "Spot Instances"  # Cost Explorer's PURCHASE_TYPE
GIB = 1024**3  # what AWS calls a GB
MINUTE = 60  # seconds: the least that AWS bills for an instance, a volume and an address


@dataclass(frozen=True)
class Charge:
    """One line of the bill for each stretch of a life.

    Args:
        product: the service, as Cost Explorer names it.
        usage: the usage type.
        operation: the operation.
        price: service and item in the price book.
        amount: the fact that says how many units stand at a time; one where it is empty.
        when: the fact that must hold.
        minimum: the least number of seconds that is billed.
        spot: whether it is billed at the emulated market's share of the list price; None for neither kind of capacity.
        unit: as Cost Explorer shows it, where the price book's unit does not tell.
        scale: how many of what is counted make one unit.
    """

    product: str
    usage: str
    operation: str
    price: tuple[str, str]
    amount: str = ""
    when: str = ""
    minimum: int = 0
    spot: bool | None = None
    unit: str = ""
    scale: int = 1


@dataclass(frozen=True)
class Kind:
    """One kind of resource.

    Args:
        name: what lives are kept under.
        service: boto3's name of the service.
        operation: lists them.
        items: where the answer holds them.
        id: what names one.
        facts: what the price depends on.
        charges: what it costs.
        begin: its own timestamp of its beginning; where it has none, the account's trail says when it was made.
        active: whether it costs anything now.
        tags: its tags, as a list of `Key` and `Value`, or as an object.
        tagged: the call that tells its tags, where the listing does not: operation, argument, that argument's value,
            and where the answer holds them.
        gauge: a fact that changes all the time (bytes): its changes are summed up and not told one by one.
        begins, ends: the operations that begin and end a stretch.
        look: facts that take calls of their own.
        arguments: of the listing.
    """

    name: str
    service: str
    operation: str
    items: str
    id: str
    facts: dict[str, str]
    charges: tuple[Charge, ...]
    begin: str = ""
    active: str = "`true`"
    tags: str = "Tags"
    tagged: tuple[str, str, str, str] | None = None
    gauge: str = ""
    begins: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    look: Callable[[Any, Item], Item] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


GROUP_TAGS = ("list_tags_log_group", "logGroupName", "logGroupName", "tags")


def _bucket(client: Any, bucket: Item) -> Item:
    """A bucket's size; other storage classes than the standard one are not told apart by the emulated account."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"])
    return {"bytes": sum(item["Size"] for page in pages for item in page.get("Contents", []))}


def _key(client: Any, key: Item) -> Item:
    """AWS bills the keys that a customer made and has not marked for deletion."""
    described = client.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    mine = described.get("KeyManager", "CUSTOMER") == "CUSTOMER" and described["KeyState"] != "PendingDeletion"
    return {"customer": mine}


def _repository(client: Any, repository: Item) -> Item:
    """The size of a repository's images, each as it is stored."""
    pages = client.get_paginator("describe_images").paginate(repositoryName=repository["repositoryName"])
    return {"bytes": sum(image.get("imageSizeInBytes", 0) for page in pages for image in page["imageDetails"])}


def _budget(client: Any, budget: Item) -> Item:
    """The first two budgets of an account are free."""
    pages = client.get_paginator("describe_budgets").paginate(AccountId="000000000000")
    names = [one["BudgetName"] for page in pages for one in page.get("Budgets", [])]
    return {"paid": budget["BudgetName"] in names[2:]}


STANDING = (
    Kind(
        "instance", "ec2", "describe_instances", "Reservations[].Instances[]", "InstanceId",
        {"type": "InstanceType"},
        (
            Charge(EC2, "BoxUsage:{type}", "RunInstances", ("ec2", "{type}"), when="on_demand", minimum=MINUTE),
            Charge(EC2, "SpotUsage:{type}", "RunInstances:SV", ("ec2", "{type}"), when="spot", minimum=MINUTE,
                   spot=True),
            Charge(VPC, "USE1-PublicIPv4:InUseAddress", "RunInstances", ("vpc", "public-ipv4"), when="public",
                   minimum=MINUTE),
        ),
        begin="LaunchTime", active="State.Name == 'running'", look=launches.instance,
        begins=("StartInstances",), ends=("TerminateInstances", "StopInstances"),
    ),
    Kind(
        "volume", "ec2", "describe_volumes", "Volumes", "VolumeId", {},
        (
            Charge(EC2_OTHER, "EBS:VolumeUsage.{type}", "CreateVolume-{type}", ("ebs", "{type}"), "gb",
                   minimum=MINUTE),
            Charge(EC2_OTHER, "EBS:VolumeP-IOPS.{type}", "CreateVolume-{type}", ("ebs", "{type}-iops"), "more_iops",
                   "more_iops", MINUTE),
            Charge(EC2_OTHER, "EBS:VolumeP-Throughput.{type}", "CreateVolume-{type}", ("ebs", "{type}-throughput"),
                   "more_throughput", "more_throughput", MINUTE),
        ),
        begin="CreateTime", look=launches.volume, begins=("ModifyVolume",), ends=("DeleteVolume", "TerminateInstances"),
    ),
    Kind(
        "address", "ec2", "describe_addresses", "Addresses", "AllocationId",
        {"used": "AssociationId != `null`", "idle": "AssociationId == `null`"},
        (
            Charge(VPC, "USE1-PublicIPv4:InUseAddress", "AssociateAddressVPC", ("vpc", "public-ipv4"), when="used",
                   minimum=MINUTE),
            Charge(VPC, "USE1-PublicIPv4:IdleAddress", "AllocateAddressVPC", ("vpc", "public-ipv4"), when="idle",
                   minimum=MINUTE),
        ),
        begins=("AllocateAddress", "AssociateAddress", "DisassociateAddress"), ends=("ReleaseAddress",),
    ),
    Kind(
        "nat-gateway", "ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId", {},
        (Charge(EC2_OTHER, "NatGateway-Hours", "NatGateway", ("vpc", "nat-gateway")),),
        begin="CreateTime", active="State != 'deleted' && State != 'deleting'", ends=("DeleteNatGateway",),
    ),
    Kind(
        "vpc-endpoint", "ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId",
        {"zones": "length(SubnetIds || `[]`)", "interface": "VpcEndpointType == 'Interface'"},
        (Charge(VPC, "USE1-VpcEndpoint-Hours", "VpcEndpoint", ("vpc", "interface-endpoint"), "zones", "interface"),),
        begin="CreationTimestamp", begins=("CreateVpcEndpoint",), ends=("DeleteVpcEndpoints",),
    ),
    Kind(
        "bucket", "s3", "list_buckets", "Buckets", "Name", {},
        (Charge(S3, "TimedStorage-ByteHrs", "StandardStorage", ("s3", "standard-storage"), "bytes"),),
        begin="CreationDate", gauge="bytes", look=_bucket, ends=("DeleteBucket",),
        tagged=("get_bucket_tagging", "Bucket", "Name", "TagSet"),
    ),
    Kind(
        "log-group", "logs", "describe_log_groups", "logGroups", "logGroupName", {"bytes": "storedBytes"},
        (Charge(CLOUDWATCH, "USE1-TimedStorage-ByteHrs", "HourlyStorageMetering", ("cloudwatch", "logs-storage"),
                "bytes"),),
        begin="creationTime", gauge="bytes", ends=("DeleteLogGroup",), tagged=GROUP_TAGS,
    ),
    Kind(
        "alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmArn",
        {"resolution": "Period < `60` && '-high-resolution' || ''", "high": "Period < `60` && 'HighRes' || ''"},
        (Charge(CLOUDWATCH, "CW:{high}AlarmMonitorUsage", "Unknown", ("cloudwatch", "alarm{resolution}")),),
        begins=("PutMetricAlarm",), ends=("DeleteAlarms",),
        tagged=("list_tags_for_resource", "ResourceARN", "AlarmArn", "Tags"),
    ),
    Kind(
        "database", "rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier",
        {"class": "DBInstanceClass", "gb": "AllocatedStorage", "storage": "StorageType", "engine": "Engine",
         "zones": "MultiAZ && '-multi-az' || ''", "multi": "MultiAZ && 'Multi-AZUsage' || 'InstanceUsage'"},
        (
            Charge(RDS, "{multi}:{class}", "CreateDBInstance", ("rds", "{class}-{engine}{zones}")),
            Charge(RDS, "RDS:{storage}-Storage", "CreateDBInstance", ("rds", "storage-{storage}{zones}"), "gb"),
        ),
        begin="InstanceCreateTime", tags="TagList", active="DBInstanceStatus != 'stopped'",
        begins=("CreateDBInstance",), ends=("DeleteDBInstance",),
    ),
    Kind(
        "secret", "secretsmanager", "list_secrets", "SecretList", "ARN", {},
        (Charge("AWS Secrets Manager", "USE1-AWSSecretsManager-Secrets", "", ("secretsmanager", "secret")),),
        begin="CreatedDate", begins=("CreateSecret",), ends=("DeleteSecret",), active="DeletedDate == `null`",
    ),
    Kind(
        "key", "kms", "list_keys", "Keys", "KeyId", {},
        (Charge("AWS Key Management Service", "us-east-1-KMS-Keys", "", ("kms", "key"), when="customer"),),
        begins=("CreateKey",), ends=("ScheduleKeyDeletion",),
        look=_key,
        tagged=("list_resource_tags", "KeyId", "KeyId", "Tags[].{Key: TagKey, Value: TagValue}"),
    ),
    Kind(
        "cluster", "eks", "list_clusters", "clusters[].{name: @}", "name", {},
        (Charge("Amazon Elastic Container Service for Kubernetes", "USE1-AmazonEKS-Hours:perCluster", "CreateCluster",
                ("eks", "control-plane")),),
        begins=("CreateCluster",), ends=("DeleteCluster",),
        tagged=("describe_cluster", "name", "name", "cluster.tags"),
    ),
    Kind(
        "repository", "ecr", "describe_repositories", "repositories", "repositoryName", {},
        (Charge("Amazon EC2 Container Registry (ECR)", "USE1-TimedStorage-ByteHrs", "", ("ecr", "storage"), "bytes"),),
        begin="createdAt", gauge="bytes", look=_repository, begins=("CreateRepository",), ends=("DeleteRepository",),
        tagged=("list_tags_for_resource", "resourceArn", "repositoryArn", "tags"),
    ),
    Kind(
        "load-balancer", "elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn",
        {"application": "Type == 'application'"},
        (Charge("Amazon Elastic Load Balancing", "LoadBalancerUsage", "LoadBalancing:Application",
                ("elb", "application-load-balancer"), when="application"),),
        begin="CreatedTime", begins=("CreateLoadBalancer",), ends=("DeleteLoadBalancer",),
    ),
    Kind(
        "budget", "budgets", "describe_budgets", "Budgets", "BudgetName", {},
        (Charge("AWS Budgets", "BudgetsUsage", "", ("budgets", "budget"), when="paid"),),
        begins=("CreateBudget",), ends=("DeleteBudget",), look=_budget, arguments={"AccountId": "000000000000"},
        tagged=("list_tags_for_resource", "ResourceARN",
                "join('', ['arn:aws:budgets::000000000000:budget/', BudgetName])", "ResourceTags"),
    ),
)  # fmt: skip


# What is counted and not timed: the ledger's name of it, and its charge.
USAGE = {
    "lambda-requests": Charge(LAMBDA, "Request{arm}", "Invoke", ("lambda", "requests")),
    "lambda-compute": Charge(LAMBDA, "Lambda-GB-Second{arm}", "Invoke", ("lambda", "compute-{architecture}"),
                             scale=1000 * 1024),  # milliseconds times MB
    "log-bytes": Charge(CLOUDWATCH, "USE1-DataProcessing-Bytes", "PutLogEvents", ("cloudwatch", "logs-ingestion"),
                        scale=GIB),
    "s3-writes": Charge(S3, "Requests-Tier1", "PutObject", ("s3", "put-requests")),
    "s3-reads": Charge(S3, "Requests-Tier2", "GetObject", ("s3", "get-requests")),
    "explorer-requests": Charge("AWS Cost Explorer", "USE1-APIRequest", "GetCostAndUsage",
                                ("costexplorer", "request")),
}  # fmt: skip

# A training job's instances and their volumes.
TRAINING = (
    Charge(SAGEMAKER, "USE1-Train:{type}", "CreateTrainingJob", ("sagemaker-training", "{type}"), spot=False),
    Charge(SAGEMAKER, "USE1-SpotTrain:{type}", "CreateTrainingJob", ("sagemaker-training", "{type}"), spot=True),
    Charge(SAGEMAKER, "USE1-Train:VolumeUsage.gp2", "CreateTrainingJob", ("sagemaker", "training-storage"), "gb"),
)
