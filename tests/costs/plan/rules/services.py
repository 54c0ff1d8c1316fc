"""Resources of many services with their dollars a month by hand: at list prices of us-east-1, with default usage."""

from __future__ import annotations

from typing import Any

from costs.plan.preview import UNKNOWN, PlannedResource

CLUSTER, MEMBER = "aws:rds/cluster:Cluster", "aws:rds/clusterInstance:ClusterInstance"
DATABASE, TABLE = "aws:rds/instance:Instance", "aws:dynamodb/table:Table"
GROUP, DOMAIN = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:opensearch/domain:Domain"
TARGET = "aws:appautoscaling/target:Target"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
ENDPOINT, LUSTRE = "aws:sagemaker/endpoint:Endpoint", "aws:fsx/lustreFileSystem:LustreFileSystem"
ALARM, KEY = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:kms/key:Key"
PROJECT, TOPIC = "aws:codebuild/project:Project", "aws:sns/topic:Topic"
SUBSCRIPTION, EIP = "aws:sns/topicSubscription:TopicSubscription", "aws:ec2/eip:Eip"
FILES, NAT = "aws:efs/fileSystem:FileSystem", "aws:ec2/natGateway:NatGateway"
VARIANTS = "sagemaker:variant:DesiredInstanceCount"
BALANCER, CLASSIC = "aws:lb/loadBalancer:LoadBalancer", "aws:elb/loadBalancer:LoadBalancer"


def resource(kind: str, name: str = "one", /, *, stack: str = "dev", **inputs: Any) -> PlannedResource:
    depends = inputs.pop("depends", {})
    return PlannedResource(f"urn:pulumi:{stack}::shop::{kind}::{name}", kind, name, inputs, depends)


def on(path: str, used: PlannedResource) -> dict[str, Any]:
    """The inputs by which a resource refers to another that the preview does not know yet."""
    return {path: UNKNOWN, "depends": {path: (used.urn,)}}


def target(name: str, identifier: str, dimension: str, least: int, most: int) -> PlannedResource:
    return resource(TARGET, name, resourceId=identifier, scalableDimension=dimension,
                    minCapacity=least, maxCapacity=most)  # fmt: skip


def metric(period: int = 60) -> dict[str, Any]:
    return {"id": "m", "metric": {"metricName": "m", "namespace": "n", "period": period, "stat": "Sum"}}


AURORA = resource(CLUSTER, "c", engine="aurora-postgresql", clusterIdentifier="c",
                  serverlessv2ScalingConfiguration={"minCapacity": 1, "maxCapacity": 4})  # fmt: skip
PLAIN = resource(CLUSTER, "c", engine="aurora-mysql", clusterIdentifier="c")
WRITER = resource(MEMBER, "w", engine="aurora-mysql", instanceClass="db.r6g.large", **on("clusterIdentifier", PLAIN))
SMALL = {"instanceType": "ml.m5.large", "initialInstanceCount": 1, "modelName": "m"}
TWO = resource(CONFIGURATION, "c", name="c", productionVariants=[
    {**SMALL, "variantName": "a"}, {**SMALL, "variantName": "b", "initialInstanceCount": 2}])  # fmt: skip
MANAGED = {"minInstanceCount": 1, "maxInstanceCount": 3}
ORDERED = resource(TOPIC, "t", fifoTopic=True)
PROVISIONED = {"engine": "postgres", "instanceClass": "db.t3.micro", "allocatedStorage": 100}

# name → the resources, of which the last one is priced, and its dollars a month at the least and at the most.
SAMPLES: dict[str, tuple[list[PlannedResource], str, str | None]] = {
    # 100 x 0.115 + 13.14 each
    "database with operations below those included": ([resource(DATABASE, **PROVISIONED, storageType="gp3", iops=3000,
                                                               storageThroughput=125)], "24.64", None),
    "database with operations above those included": ([resource(DATABASE, **PROVISIONED, storageType="gp3", iops=4000,
                                                               storageThroughput=225)], "52.64", None),
    # of a large one 12,000 and 500 are included: 13.14 + 400 x 0.115
    "large database": ([resource(DATABASE, **(PROVISIONED | {"allocatedStorage": 400}), storageType="gp3", iops=12000,
                                 storageThroughput=500)], "59.14", None),
    "public database": ([resource(DATABASE, **PROVISIONED, publiclyAccessible=True)], "28.29", None),
    "io2 database": ([resource(DATABASE, **PROVISIONED, storageType="io2", iops=1000)], "125.64", None),
    "MariaDB": ([resource(DATABASE, engine="mariadb", instanceClass="db.m5.large", allocatedStorage=20)],
                "127.13", None),
    # what a replica does not say it has from its source: 13.14 + 100 x 0.115 + 1,000 x 0.02
    "replica": ([resource(DATABASE, "s", **PROVISIONED, storageType="gp3", iops=4000, identifier="s", name="s"),
                 resource(DATABASE, "r", instanceClass="db.t3.micro", replicateSourceDb="s")], "44.64", None),
    # 730 x 0.26
    "instance of Aurora": ([PLAIN, WRITER], "189.80", None),
    "serverless instance of Aurora": ([AURORA, resource(
        MEMBER, engine="aurora-postgresql", instanceClass="db.serverless", **on("clusterIdentifier", AURORA))],
        "87.60", "350.40"),
    # 10 GB x 0.10 + 0.20, and up to two replicas that the target adds: 730 x 0.26 each
    "replicas of Aurora that scale": ([WRITER, target("t", "cluster:c", "rds:cluster:ReadReplicaCount", 0, 2), PLAIN],
                                      "1.20", "380.80"),
    "I/O-optimised storage of Aurora": ([resource(CLUSTER, engine="aurora-mysql", storageType="aurora-iopt1")],
                                        "2.25", None),
    # 5 to 50 reads x 730 x 0.00013 + 5 writes x 730 x 0.00065 + 0.25
    "table that scales": ([target("t", "table/t", "dynamodb:table:ReadCapacityUnits", 5, 50),
                           resource(TABLE, name="t", readCapacity=5, writeCapacity=5)], "3.097", "7.3675"),
    # 0.005 reads and writes as in the standard class: 0.1 x 0.155 + 0.1 x 0.78 + 0.10
    "table of infrequent access": ([resource(TABLE, billingMode="PAY_PER_REQUEST", streamEnabled=True,
                                             tableClass="STANDARD_INFREQUENT_ACCESS")], "0.1935", None),
    # three shards of a primary and a replica: 6 x 730 x 0.206
    "sharded cache": ([resource(GROUP, nodeType="cache.r6g.large", numNodeGroups=3, replicasPerNodeGroup=1,
                                replicationGroupId="g", snapshotRetentionLimit=5)], "902.28", None),
    "sharded cache that scales": ([target("t", "replication-group/g", "elasticache:replication-group:NodeGroups", 1, 3),
                                   resource(GROUP, nodeType="cache.t3.micro", numNodeGroups=2, replicasPerNodeGroup=1,
                                            replicationGroupId="g")], "24.82", "74.46"),
    "Valkey": ([resource(GROUP, engine="valkey", nodeType="cache.t4g.micro", numCacheClusters=2)], "18.688", None),
    # 2 x 730 x 0.128 + 3 x 730 x 0.036 + 2 x 100 GB x 0.122
    "domain with masters": ([resource(DOMAIN, clusterConfig={
        "instanceType": "m6g.large.search", "instanceCount": 2, "dedicatedMasterEnabled": True,
        "dedicatedMasterType": "t3.small.search", "dedicatedMasterCount": 3},
        ebsOptions={"ebsEnabled": True, "volumeType": "gp3", "volumeSize": 100})], "290.12", None),
    "scratch file system": ([resource(LUSTRE, storageCapacity=1200, deploymentType="SCRATCH_2")], "168.00", None),
    "persistent file system": ([resource(LUSTRE, storageCapacity=2400, deploymentType="PERSISTENT_2",
                                         perUnitStorageThroughput=250)], "504.00", None),
    # a GB at 0.30 and (100 - 1 / 20) x 6.00
    "files with throughput": ([resource(FILES, throughputMode="provisioned", provisionedThroughputInMibps=100)],
                              "600.00", None),
    # a: as its target says, 1 to 4; b: two as they are declared; 730 x 0.115 each
    "endpoint of two variants": ([TWO, target("t", "endpoint/e/variant/a", VARIANTS, 1, 4),
                                  resource(ENDPOINT, name="e", endpointConfigName="c")], "251.85", "503.70"),
    "endpoint with managed scaling": ([resource(CONFIGURATION, "c", name="c", productionVariants=[
        {**SMALL, "variantName": "a", "managedInstanceScaling": MANAGED}]),
        resource(ENDPOINT, endpointConfigName="c")], "83.95", "251.85"),
    # calls at 0.0000077778 to 0.0000133334, and up to three of 1 GB kept warm: 730 x 3,600 x 0.0000033334
    "function that scales": ([target("t", "function:f:live", "lambda:function:ProvisionedConcurrency", 0, 3),
                              resource("aws:lambda/function:Function", name="f", memorySize=1024,
                                       architectures=["arm64"])], "0.097778", "26.4338596"),
    "alarm of an expression": ([resource(ALARM, metricQueries=[{"id": "e", "expression": "a/b"}, metric(), metric()])],
                               "0.20", None),
    "alarm of a band": ([resource(ALARM, metricQueries=[
        {"id": "e", "expression": "ANOMALY_DETECTION_BAND(m)"}, metric()])], "0.30", None),
    "RSA key of 2048 bits": ([resource(KEY, customerMasterKeySpec="RSA_2048")], "1.03", None),
    "elliptic key": ([resource(KEY, customerMasterKeySpec="ECC_NIST_P256")], "1.15", None),
    "builds with a GPU": ([resource(PROJECT, environment={"type": "LINUX_GPU_CONTAINER",
                                                          "computeType": "BUILD_GENERAL1_LARGE"})], "65.00", None),
    "builds on Windows": ([resource(PROJECT, environment={"type": "WINDOWS_SERVER_2022_CONTAINER",
                                                          "computeType": "BUILD_GENERAL1_MEDIUM"})], "1.80", None),
    "workflow": ([resource("aws:sfn/stateMachine:StateMachine")], "0.25", None),
    "HTTP API": ([resource("aws:apigatewayv2/api:Api", protocolType="HTTP")], "0.10", None),
    "REST API": ([resource("aws:apigateway/restApi:RestApi")], "0.35", None),
    "event bus": ([resource("aws:cloudwatch/eventBus:EventBus")], "0.10", None),
    "delivery stream": ([resource("aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream", destination="http")],
                        "0.029", None),
    "images": ([resource("aws:ecr/repository:Repository")], "0.10", None),
    "FIFO topic": ([ORDERED], "0.0003", None),
    "mails of a topic": ([resource(SUBSCRIPTION, protocol="email", topic="arn")], "0.02", None),
    "deliveries of a FIFO topic": ([ORDERED, resource(SUBSCRIPTION, protocol="sqs", **on("topic", ORDERED))],
                                   "0.00001", None),
    "address of an Amazon pool": ([resource(EIP, domain="vpc", publicIpv4Pool="amazon")], "3.65", None),
    "private NAT gateway": ([resource(NAT, connectivityType="private", subnetId="s")], "33.30", None),
    # of one zone to six, with an address in each, and 0.45 for data
    "regional NAT gateway": ([resource(NAT, availabilityMode="regional")], "36.95", "219.45"),
    "network balancer": ([resource(BALANCER, loadBalancerType="network", subnets=["a", "b"])], "28.105", None),
    "balancer without IPv4": ([resource(BALANCER, subnets=["a", "b"], ipAddressType="dualstack-without-public-ipv4")],
                              "22.265", None),
    "internal classic balancer": ([resource(CLASSIC, subnets=["a"], internal=True)], "18.25", None),
    "subnet of an endpoint": ([resource("aws:ec2/vpcEndpointSubnetAssociation:VpcEndpointSubnetAssociation",
                                        subnetId="s", vpcEndpointId="v")], "7.30", None),
}  # fmt: skip
