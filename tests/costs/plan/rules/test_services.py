"""What services are billed for beyond the obvious: tiers, usage that nobody can guess, what a figure is "at least"."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from costs.amounts import cents
from costs.book.price import Price
from costs.book.prices import PriceBook
from costs.plan.charges import ResourceCost
from costs.plan.plan import price_resources
from costs.plan.preview import UNKNOWN, PlannedResource
from costs.plan.traffic import Usage
from tests.costs.plan.rules.services import (
    CLUSTER,
    CONFIGURATION,
    DATABASE,
    DOMAIN,
    ENDPOINT,
    GROUP,
    LUSTRE,
    MEMBER,
    PROJECT,
    SMALL,
    SUBSCRIPTION,
    TABLE,
    TARGET,
    on,
    resource,
    target,
)

BOOK = PriceBook.load()
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
FUNCTION, MACHINE = "aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine"
API, REST = "aws:apigatewayv2/api:Api", "aws:apigateway/restApi:RestApi"
DATABASE_14 = {"engine": "postgres", "instanceClass": "db.t3.micro", "allocatedStorage": 20}


def price(*resources: PlannedResource, book: PriceBook = BOOK, **figures: str) -> ResourceCost:
    """What the last of some resources costs, with figures of its usage."""
    usage = Usage(resources={resources[-1].name: {key: Decimal(value) for key, value in figures.items()}})
    return price_resources(resources, "us-east-1", book, usage, now=NOW)[-1]


# Published test results of Infracost, files below internal/providers/terraform/aws/testdata/.
@pytest.mark.parametrize(
    ("one", "figures", "usd"),
    [
        # sfn_state_machine_test express1Tier, express2Tiers, express3Tiers
        (resource(MACHINE, type="EXPRESS"), {"transitions": "100000", "mean_ms": "200", "memory_mb": "64"}, "0.12"),
        (resource(MACHINE, type="EXPRESS"), {"transitions": "10000000", "mean_ms": "800", "memory_mb": "512"}, "73.34"),
        (resource(MACHINE, type="EXPRESS"), {"transitions": "100000000", "mean_ms": "900", "memory_mb": "1216"},
         "685.23"),
        # lambda_function_test lambda_duration_15B: 3,000 + 100,000.20 + 135,000.00 + 619,203.10
        (resource(FUNCTION, memorySize=1024), {"requests": "15000000000", "mean_ms": "4096"}, "857203.30"),
        (resource(FUNCTION, memorySize=512, architectures=["arm64"]), {"requests": "100000", "mean_ms": "350"}, "0.25"),
        # apigatewayv2_api_test websocket_usage, http_usage; api_gateway_rest_api_test my_rest_api
        (resource(API, protocolType="WEBSOCKET"), {"requests": "1500000000", "connection_minutes": "10000000"},
         "1402.50"),
        (resource(API, protocolType="HTTP"), {"requests": "1000000000"}, "930.00"),
        (resource(REST), {"requests": "21000000000"}, "49763.10"),
        # sns_topic_test sns_fifo_topic_withUsage: 0.30 + 128 x 0.017
        (resource("aws:sns/topic:Topic", fifoTopic=True), {"publishes": "1000000", "data_gb": "128"}, "2.48"),
        # sns_topic_subscription_test
        (resource(SUBSCRIPTION, protocol="https", topic="arn"), {"publishes": "2000000"}, "1.20"),
        # vpc_endpoint_test interface_withBigUsage: 7.30 + 10,000 + 24,000 + 8,000
        (resource("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Interface"), {"data_gb": "7000000"}, "42007.30"),
        # codebuild_project_test my_large_windows_project, my_large_linux_project
        (resource(PROJECT, environment={"type": "WINDOWS_CONTAINER", "computeType": "BUILD_GENERAL1_LARGE"}),
         {"minutes": "100000"}, "3600.00"),
        (resource(PROJECT, environment={"type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_LARGE"}),
         {"minutes": "100000"}, "2000.00"),
        # elb_test my_elb, and an address
        (resource("aws:elb/loadBalancer:LoadBalancer", internal=True), {"data_gb": "10000"}, "98.25"),
        # dynamodb_table_test my_dynamodb_table_usage: 1.88 + 1.00 + 57.50 + 0.40
        (resource(TABLE, billingMode="PAY_PER_REQUEST", streamEnabled=True),
         {"writes": "3000000", "reads": "8000000", "stored_gb": "230", "stream_reads": "2000000"}, "60.78"),
        # efs_file_system_test provisioned: 69.00 + 88.5 x 6.00
        (resource("aws:efs/fileSystem:FileSystem", throughputMode="provisioned", provisionedThroughputInMibps=100),
         {"stored_gb": "230"}, "600.00"),
        # s3_bucket_test: storage by class
        (resource("aws:s3/bucket:Bucket"), {"stored_gb": "10000", "standard_ia_gb": "30000", "one_zone_ia_gb": "40000",
                                           "glacier_gb": "50000", "deep_archive_gb": "60000", "puts": "0", "gets": "0",
                                           "intelligent_tiering_gb": "20000"}, "1704.40"),
        # aurora: 100 GB x 0.10 + 52.56 x 0.20 + 400 GB x 0.021  [rds_cluster_test postgres_serverlessWithBackup]
        (resource(CLUSTER, engine="aurora-mysql"), {"stored_gb": "100", "requests": "52560000", "backup_gb": "400"},
         "28.91"),
        # elasticache_cluster_test redis_snapshot_usage: 2,596.61 + 10,000 GB x 0.085
        (resource("aws:elasticache/cluster:Cluster", nodeType="cache.m6g.12xlarge", snapshotRetentionLimit=1),
         {"backup_gb": "10000"}, "3446.61"),
        # an endpoint's data, in and out, at 0.016 a GB
        (resource("aws:fsx/lustreFileSystem:LustreFileSystem", storageCapacity=1200, storageType="HDD",
                  deploymentType="PERSISTENT_1", perUnitStorageThroughput=12), {}, "30.00"),
    ],
)  # fmt: skip
def test_usage_is_billed_by_tiers_and_by_all_that_is_billed(
    one: PlannedResource, figures: dict[str, str], usd: str
) -> None:
    cost = price(one, **figures)
    assert (cost.status, str(cents(cost.monthly.high)), cost.monthly.exact) == ("priced", usd, True), cost.reason


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (resource(DATABASE, **DATABASE_14, engineVersion="11.22"), "extended support of postgres 11 is billed on top"),
        (resource(DATABASE, engine="mysql", instanceClass="db.t3.micro", engineVersion="5.7.44"), "mysql 5.7"),
        (resource(MEMBER, engine="aurora-mysql", instanceClass="db.r5.large", engineVersion="5.7.mysql_aurora.2.11.2"),
         "extended support of aurora-mysql 5.7"),
        (resource(GROUP, nodeType="cache.t3.micro", engineVersion="5.0.6"), "extended support of redis 5"),
        (resource(DATABASE, engine="sqlserver-se", instanceClass="db.m5.large", allocatedStorage=20),
         "db.m5.large with the licence of sqlserver-se is not in the price book"),
        (resource(DATABASE, engine="oracle-se2", instanceClass="db.m5.large", licenseModel="license-included"),
         "the licence of oracle-se2"),
        (resource(DATABASE, instanceClass="db.t3.micro", engine="postgres", snapshotIdentifier="s"), "of its snapshot"),
        (resource(DATABASE, instanceClass="db.t3.micro", engine="mysql", replicateSourceDb="arn"), "its source is not"),
        (resource(DATABASE, **DATABASE_14, storageType="standard"), "requests to magnetic storage"),
        (resource(DATABASE, **DATABASE_14, performanceInsightsRetentionPeriod=731), "Performance Insights beyond"),
        (resource(DATABASE, **DATABASE_14, monitoringInterval=60), "enhanced monitoring"),
        (resource(CLUSTER, engine="aurora-mysql", backtrackWindow=3600), "change records of a backtrack"),
        (resource(TABLE, readCapacity=5, writeCapacity=5, replicas=[{"regionName": "eu-west-1"}]),
         "no price for dynamodb read-capacity, dynamodb write-capacity"),
        (resource("aws:secretsmanager/secret:Secret", replicas=[{"region": "eu-west-1"}]),
         "no price for secretsmanager secret in eu-west-1; shoestring prices refresh --region eu-west-1"),
        (resource(DOMAIN, clusterConfig={"instanceType": "t3.small.search", "warmEnabled": True, "warmCount": 2,
                                         "warmType": "ultrawarm1.medium.search"}), "data on warm nodes"),
        (resource(LUSTRE, storageCapacity=1200, automaticBackupRetentionDays=7), "backups are billed by the GB"),
        (resource(LUSTRE, backupId="b"), "its capacity is that of its backup"),
        (resource(FUNCTION, snapStart={"applyOn": "PublishedVersions"}, runtime="python3.12"), "SnapStart"),
        (resource(FUNCTION, tracingConfig={"mode": "Active"}), "traces are billed by their number"),
        (resource("aws:efs/fileSystem:FileSystem", throughputMode="elastic"), "it is billed by read_gb too"),
        (resource("aws:cloudwatch/metricAlarm:MetricAlarm",
                  metricQueries=[{"id": "q", "expression": "SELECT MAX(CPUUtilization) FROM x", "period": 60}]),
         "a query of Metrics Insights"),
        (resource("aws:lb/loadBalancer:LoadBalancer", minimumLoadBalancerCapacity={"capacityUnits": 100}),
         "reserved capacity units"),
        (resource("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", extendedS3Configuration={
            "dataFormatConversionConfiguration": {"enabled": True}}), "conversion is billed by the GB"),
    ],
)  # fmt: skip
def test_what_is_billed_and_not_known_is_named(one: PlannedResource, said: str) -> None:
    cost = price(one)
    assert cost.status == "at least" and said in cost.reason, cost.reason
    assert cost.monthly.low > 0


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (resource("aws:msk/cluster:Cluster"), "by the hours of its brokers"),
        (resource("aws:mwaa/environment:Environment"), "by the hours of environment, schedulers and workers"),
        (resource("aws:elasticache/serverlessCache:ServerlessCache"), "by GB hours and processing units"),
        (resource("aws:sagemaker/domain:Domain"), "the apps that are started in it"),
        (resource("aws:sagemaker/featureGroup:FeatureGroup"), "by reads, writes and GB of its online store"),
        (resource("aws:sagemaker/pipeline:Pipeline"), "the jobs of its steps"),
        (resource("aws:kinesis/stream:Stream", shardCount=2), "by shards or by GB"),
        (resource("aws:apigateway/stage:Stage", cacheClusterEnabled=True), "its cache is billed by the hour"),
        (resource("aws:ec2transitgateway/vpcAttachment:VpcAttachment"), "0.05 an hour and 0.02 a GB"),
        (resource("aws:wafv2/webAcl:WebAcl", rules=[{}, {}]), "5 a month, 1 for each rule"),
        (resource(MEMBER, engine="aurora-mysql", instanceClass="db.serverless", clusterIdentifier="elsewhere"),
         "are those of its cluster, which the plan does not have"),
        (resource(SUBSCRIPTION, protocol="sms", topic="arn"), "deliveries by sms are not in the price book"),
        (resource(PROJECT, environment={"type": "LINUX_LAMBDA_CONTAINER", "computeType": "BUILD_LAMBDA_1GB"}),
         "no price for codebuild linux_lambda_container-lambda.1gb"),
        (resource("aws:acm/certificate:Certificate", options={"export": "ENABLED"}), "billed once for each name"),
        (resource("aws:efs/backupPolicy:BackupPolicy", backupPolicy={"status": "ENABLED"}), "backups are billed"),
        (resource("aws:fsx/lustreFileSystem:LustreFileSystem", storageType="INTELLIGENT_TIERING"), "intelligent"),
    ],
)  # fmt: skip
def test_what_has_no_price_says_by_what_it_is_billed(one: PlannedResource, said: str) -> None:
    cost = price(one)
    assert (cost.status, said in cost.reason) == ("unpriced", True), cost.reason


@pytest.mark.parametrize(
    "one",
    [
        resource(DATABASE, **DATABASE_14, engineVersion="16.3", performanceInsightsRetentionPeriod=7),
        resource(DATABASE, **DATABASE_14, engineVersion="11.22",
                 engineLifecycleSupport="open-source-rds-extended-support-disabled"),
        resource(FUNCTION, snapStart={"applyOn": "PublishedVersions"}, runtime="java21"),
        resource(FUNCTION, snapStart={"applyOn": "None"}, tracingConfig={"mode": "PassThrough"}),
        resource(GROUP, nodeType="cache.t3.micro", engineVersion="7.1"),
    ],
)  # fmt: skip
def test_what_costs_nothing_more_is_not_named(one: PlannedResource) -> None:
    assert price(one).status == "priced"


def test_an_engine_that_is_unknown_is_any_that_multi_az_has() -> None:
    cost = price(resource(DATABASE, engine=UNKNOWN, instanceClass="db.t3.medium", allocatedStorage=20, multiAz=True))
    assert cost.status == "priced" and "its engine is unknown" in cost.reason
    # MySQL's or MariaDB's 0.136 to PostgreSQL's 0.145, and 20 GB at twice 0.115
    assert (cost.monthly.low, cost.monthly.high) == (Decimal("103.88"), Decimal("110.45"))


def test_a_replica_costs_what_its_own_region_asks() -> None:
    west = [
        Price("dynamodb", item, "us-west-1", unit, Decimal(usd), "", "by hand", date(2026, 1, 1))
        for item, unit, usd in (("write-capacity", "hour", "0.000725"), ("read-capacity", "hour", "0.000145"),
                                ("storage", "GB-month", "0.28"))
    ]  # fmt: skip
    replicated = resource(TABLE, readCapacity=30, writeCapacity=20, replicas=[{"regionName": "us-west-1"}])
    cost = price(replicated, book=BOOK.overlaid(west), stored_gb="0")
    # 12.34 at home; 20 x 730 x 0.000725 = 10.59 there  [dynamodb_table_test my_dynamodb_table], and reads as at home
    assert (cost.status, cents(cost.monthly.high)) == ("priced", Decimal("26.10"))
    assert {charge.price.region for charge in cost.charges} == {"us-east-1", "us-west-1"}


@pytest.mark.parametrize(
    ("resources", "most"),
    [
        # a target of a resource that its rule does not scale is named
        ([target("t", "cache-cluster/one", "elasticache:cache-cluster:Nodes", 1, 4),
          resource("aws:elasticache/cluster:Cluster", clusterId="one", name="one", nodeType="cache.t3.micro")], None),
        # warm instances of a serverless variant
        ([resource(CONFIGURATION, "c", name="c", productionVariants=[{"variantName": "v", "serverlessConfig": {
            "memorySizeInMb": 1024, "maxConcurrency": 5, "provisionedConcurrency": 1}}]),
          target("t", "endpoint/e/variant/v", "sagemaker:variant:DesiredProvisionedConcurrency", 1, 3),
          resource(ENDPOINT, name="e", endpointConfigName="c")], None),
        # a target that may mean either of two variants: 1 to 4 of each
        ([resource(CONFIGURATION, "c", name="c", productionVariants=[{**SMALL, "variantName": "a"},
                                                                    {**SMALL, "variantName": "b"}]),
          resource(TARGET, "t", resourceId=UNKNOWN, minCapacity=1, maxCapacity=4, depends={
              "resourceId": (f"urn:pulumi:dev::shop::{ENDPOINT}::one",)}, serviceNamespace="sagemaker",
                   scalableDimension="sagemaker:variant:DesiredInstanceCount"),
          resource(ENDPOINT, name="e", endpointConfigName="c")], "671.60"),
    ],
)  # fmt: skip
def test_what_scales_is_a_range_or_named(resources: list[PlannedResource], most: str | None) -> None:
    cost = price(*resources)
    assert cost.status == ("priced" if most else "at least"), cost.reason
    if most:
        assert str(cents(cost.monthly.high)) == most


TUNING = "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob"
TRIAL = {"resourceConfig": {"instanceType": "ml.m5.large"}, "stoppingCondition": {"maxRuntimeInSeconds": 3600}}


@pytest.mark.parametrize(
    ("limits", "trials", "at_once"),
    [
        ({"maxNumberOfTrainingJobs": 20, "maxParallelTrainingJobs": 4}, "20", 4),
        ({"maxNumberOfTrainingJobs": 2, "maxParallelTrainingJobs": 4}, "2", 2),
        ({"maxNumberOfTrainingJobs": 20, "maxParallelTrainingJobs": 4, "maxRuntimeInSeconds": 7200}, "8", 4),
        ({"maxParallelTrainingJobs": 2, "maxRuntimeInSeconds": 9000}, "5", 2),
        ({"maxParallelTrainingJobs": 2}, "750", 2),  # as many as SageMaker starts
    ],
)
def test_a_tuning_job_is_bounded_by_its_trials_and_by_its_time(
    limits: dict[str, Any], trials: str, at_once: int
) -> None:
    cost = price(resource(TUNING, config={"resourceLimits": limits}, trainingJobDefinition=TRIAL))
    hour = BOOK.price("sagemaker-training", "ml.m5.large").usd
    assert cost.run.high == Decimal(trials) * hour
    assert cost.hourly.high == at_once * hour


def test_trials_take_one_of_the_machines_that_are_offered() -> None:
    offered = [
        {"instanceType": kind, "instanceCount": 1, "volumeSizeInGb": 0} for kind in ("ml.m5.large", "ml.m5.xlarge")
    ]
    definition = {"hyperParameterTuningResourceConfig": {"instanceConfigs": offered},
                  "stoppingCondition": {"maxRuntimeInSeconds": 3600}}  # fmt: skip
    limits = {"resourceLimits": {"maxNumberOfTrainingJobs": 1, "maxParallelTrainingJobs": 1}}
    cost = price(resource(TUNING, config=limits, trainingJobDefinition=definition))
    assert (cost.run.low, cost.run.high) == (Decimal("0.115"), Decimal("0.23"))


def test_a_function_at_the_edge_is_named() -> None:
    function = resource(FUNCTION, "edge", publish=True)
    behaviour = {"lambdaFunctionAssociations": [{"eventType": "origin-request", "lambdaArn": UNKNOWN}]}
    distribution = resource("aws:cloudfront/distribution:Distribution", "cdn", defaultCacheBehavior=behaviour,
                            depends={"defaultCacheBehavior": (function.urn,)})  # fmt: skip
    cost = price(distribution, function)
    assert cost.status == "at least" and "it runs at the edge" in cost.reason
    assert price(function).status == "priced"


def test_replicas_that_a_plan_has_are_not_added_again() -> None:
    """A target counts all replicas of a cluster, those that the plan lists and bills themselves among them."""
    home = resource(CLUSTER, "c", engine="aurora-mysql", clusterIdentifier="c")
    members = [resource(MEMBER, name, engine="aurora-mysql", instanceClass="db.r6g.large",
                        **on("clusterIdentifier", home)) for name in ("w", "r")]  # fmt: skip
    cost = price(
        *members, target("t", "cluster:c", "rds:cluster:ReadReplicaCount", 1, 3), home, stored_gb="0", requests="0"
    )
    assert (cost.monthly.low, cost.monthly.high) == (0, 2 * 730 * Decimal("0.26"))
