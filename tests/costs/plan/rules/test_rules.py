"""Each type of resource is priced, free, or unpriced with a reason; what is unknown is a range that holds the truth."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs.amounts import cents
from costs.book.prices import PriceBook
from costs.plan.charges import Basis, ResourceCost
from costs.plan.plan import price_resources
from costs.plan.preview import UNKNOWN, PlannedResource
from costs.plan.rules import TABLE
from costs.plan.traffic import KINDS, Usage
from tests.costs.plan.rules import services
from tests.costs.plan.rules.services import resource

BOOK = PriceBook.load()
REGION = "us-east-1"
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
SDK = Path(next(iter(find_spec("pulumi_aws").submodule_search_locations)))  # type: ignore[union-attr, arg-type]
TOKEN = re.compile(r"^ {12}'(aws:[\w-]+/(?!get)\w+:\w+)',$", re.MULTILINE)


def price(*resources: PlannedResource, usage: Usage | None = None, **words: Any) -> ResourceCost:
    """What the last of some resources costs."""
    return price_resources(resources, REGION, BOOK, usage, now=NOW, **words)[-1]


def usd(service: str, item: str) -> Decimal:
    return BOOK.price(service, item).usd


@pytest.fixture(scope="module")
def tokens() -> list[str]:
    """Every resource type of the provider's SDK."""
    found = {token for path in SDK.rglob("*.py") for token in TOKEN.findall(path.read_text())}
    assert len(found) > 1500
    return sorted(found)


def test_every_type_of_the_provider_has_a_status_and_a_reason(tokens: list[str]) -> None:
    found = price_resources([resource(token) for token in tokens], REGION, BOOK)
    assert [cost.type for cost in found] == tokens
    for cost in found:
        assert cost.status in ("priced", "free", "at least", "unpriced") and cost.reason, cost.type
        assert (cost.status == "free") <= (not cost.charges), cost.type
        if cost.type not in TABLE and f"{cost.type.partition('/')[0]}/*" not in TABLE:
            assert (cost.status, cost.reason) == ("unpriced", f"no rule for {cost.type}")


def test_every_rule_is_of_a_type_that_there_is(tokens: list[str]) -> None:
    former = {"aws:lambda/callbackFunction:CallbackFunction"}  # of the Node.js SDK alone
    known = {*tokens, *former, *(f"{token.partition('/')[0]}/*" for token in tokens)}
    assert [kind for kind in TABLE if kind.startswith("aws:") and kind not in known] == []


@pytest.mark.parametrize(
    ("one", "status", "said"),
    [
        (resource("aws:new/thing:Thing"), "unpriced", "no rule for aws:new/thing:Thing"),
        (resource("gcp:storage/bucket:Bucket"), "unpriced", "no rule for gcp:storage/bucket:Bucket"),
        (resource("aws-native:s3:Bucket"), "unpriced", "no rule for aws-native:s3:Bucket"),
        (resource("random:index/randomId:RandomId"), "free", "makes no cloud resource"),
        (resource("pulumi:providers:aws"), "free", "the engine's own"),
        (resource("pulumi-python:dynamic:Resource"), "unpriced", "what its program makes is in no plan"),
        (PlannedResource("urn:pulumi:a::b::x:y:Z::n", "x:y:Z", "n", {}, custom=False), "free", "a component"),
        (PlannedResource("urn:pulumi:a::b::aws:s3/bucket:Bucket::n", "aws:s3/bucket:Bucket", "n", {}, op="read"),
         "free", "billed where it is managed"),
        (resource("kubernetes:apps/v1:Deployment"), "free", "runs on nodes"),
        (resource("kubernetes:core/v1:Service", spec={"type": "LoadBalancer"}), "unpriced", "the load balancer"),
        (resource("kubernetes:core/v1:Service", spec={"type": "ClusterIP"}), "free", "runs on nodes"),
        (resource("kubernetes:core/v1:PersistentVolumeClaim"), "unpriced", "the volume"),
        (resource("kubernetes:core/v1:Service", spec=UNKNOWN), "unpriced", "the load balancer"),
        (resource("kubernetes:networking.k8s.io/v1:Ingress"), "unpriced", "the load balancer"),
        (resource("kubernetes:apps/v1:StatefulSet"), "unpriced", "the volumes"),
        (resource("aws:iam/role:Role"), "free", "IAM is free"),
        (resource("aws:ec2/vpcEndpoint:VpcEndpoint"), "free", "gateway endpoints are free"),
        (resource("aws:ssm/parameter:Parameter"), "free", "standard parameters are free"),
        (resource("aws:ecs/service:Service", launchType="EC2"), "free", "instances that are billed themselves"),
        (resource("aws:ecs/service:Service", launchType="FARGATE"), "unpriced", "its task definition is not in the"),
        (resource("aws:sagemaker/endpoint:Endpoint", endpointConfigName="x"), "unpriced", "is not in the plan"),
        (resource("aws:ec2/instance:Instance", instanceType="x9.huge"), "at least", "no price for ec2 x9.huge in"),
    ],
)  # fmt: skip
def test_what_is_free_or_unpriced_says_why(one: PlannedResource, status: str, said: str) -> None:
    cost = price(one)
    assert (cost.status, said in cost.reason) == (status, True), cost.reason


def test_a_region_without_prices_is_one_reason_with_the_command() -> None:
    far = PlannedResource("urn:pulumi:a::b::x::n", "aws:ec2/instance:Instance", "n", {"instanceType": "t3.micro"},
                          region="eu-west-1")  # fmt: skip
    cost = price(far)
    assert cost.status == "unpriced" and not cost.charges
    assert cost.reason == (
        "no price for ec2 t3.micro, ebs gp3, vpc public-ipv4 in eu-west-1; shoestring prices refresh --region eu-west-1"
    )


def test_what_of_a_resource_is_known_is_counted_where_something_is_not() -> None:
    cost = price(resource("aws:ec2/instance:Instance", instanceType="x9.huge", associatePublicIpAddress=False))
    assert cost.status == "at least" and cost.reason.endswith("the rest of it is counted")
    assert cost.monthly.low == cost.monthly.high == 8 * usd("ebs", "gp3")


MONTH = 730
INSTANCE, TEMPLATE = "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"
GROUP, SUBNET = "aws:autoscaling/group:Group", "aws:ec2/subnet:Subnet"
FUNCTION, TABLE_ = "aws:lambda/function:Function", "aws:dynamodb/table:Table"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
URN = "urn:pulumi:dev::shop::{}::{}"
DISK = {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 30, "volumeType": "gp3"}}
WEB = resource(TEMPLATE, "web", instanceType="t3.medium", blockDeviceMappings=[DISK])
PUBLIC = resource(SUBNET, "public", mapPublicIpOnLaunch=True)
PRIVATE = resource(SUBNET, "private", mapPublicIpOnLaunch=False)
BY_TEMPLATE = {"launchTemplate": (URN.format(TEMPLATE, "web"),)}
VARIANT = {"instanceType": "ml.m5.large", "initialInstanceCount": 2}
SERVERLESS = {"serverlessConfig": {"memorySizeInMb": 2048, "maxConcurrency": 5}}
TASK = resource("aws:ecs/taskDefinition:TaskDefinition", "task", cpu="512", memory="1024")

# name → the resources, of which the last one is priced, and its dollars a month at the least and at the most, by hand.
SAMPLES: dict[str, tuple[list[PlannedResource], str, str | None]] = {
    "instance": ([resource(INSTANCE, instanceType="t3.micro", associatePublicIpAddress=True,
                           rootBlockDevice={"volumeSize": 20, "volumeType": "gp3"})], "12.842", None),
    "instance in a private subnet": ([PRIVATE, resource(INSTANCE, instanceType="t3.micro", subnetId=UNKNOWN, depends={
        "subnetId": (PRIVATE.urn,)})], "8.232", None),
    "instance in a public subnet": ([PUBLIC, resource(INSTANCE, instanceType="t3.micro", subnetId=UNKNOWN, depends={
        "subnetId": (PUBLIC.urn,)})], "11.882", None),
    "instance in a subnet of elsewhere": ([resource(INSTANCE, instanceType="t3.micro", subnetId="subnet-1")],
                                          "8.232", "11.882"),
    "instance by its template": ([WEB, resource(INSTANCE, launchTemplate={"id": UNKNOWN}, depends=BY_TEMPLATE,
                                                associatePublicIpAddress=False)], "32.768", None),
    "instance with an elastic address": ([
        resource("aws:ec2/eip:Eip", "a", instance=UNKNOWN, depends={"instance": (URN.format(INSTANCE, "one"),)}),
        resource(INSTANCE, instanceType="t3.micro", associatePublicIpAddress=True)], "8.232", None),
    "spot instance": ([resource(INSTANCE, instanceType="m5.large", associatePublicIpAddress=False,
                                instanceMarketOptions={"marketType": "spot"})], "7.648", "70.72"),
    "group": ([WEB, resource(GROUP, minSize=2, maxSize=6, launchTemplate={"id": UNKNOWN}, depends=BY_TEMPLATE,
                             vpcZoneIdentifiers=["subnet-1"])], "65.536", "218.508"),
    "mixed group": ([WEB, resource(GROUP, minSize=2, maxSize=4, vpcZoneIdentifiers=UNKNOWN, depends={
        "mixedInstancesPolicy": (WEB.urn,)}, mixedInstancesPolicy={
            "launchTemplate": {"launchTemplateSpecification": {"launchTemplateId": UNKNOWN}},
            "instancesDistribution": {"onDemandBaseCapacity": 1, "onDemandPercentageAboveBaseCapacity": 0}})],
        # 1 on demand, 1 to 3 on spot, 2 to 4 disks, 0 to 4 addresses
        "38.2048", "145.672"),
    "volume": ([resource("aws:ebs/volume:Volume", size=200, type="gp3", iops=4000, throughput=225)], "25.00", None),
    "provisioned database": ([resource("aws:rds/instance:Instance", engine="postgres", instanceClass="db.t3.micro",
                                       allocatedStorage=100, storageType="io1", iops=1000)], "125.64", None),
    "provisioned volume": ([resource("aws:ebs/volume:Volume", size=100, type="io2", iops=1000)], "77.50", None),
    "address": ([resource("aws:ec2/eip:Eip")], "3.65", None),
    "NAT gateway": ([resource("aws:ec2/natGateway:NatGateway")], "33.30", None),
    "interface endpoint": ([resource("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Interface",
                                     subnetIds=["a", "b"])], "14.61", None),
    "load balancer": ([resource("aws:lb/loadBalancer:LoadBalancer", subnets=["a", "b"])], "29.565", None),
    "internal load balancer": ([resource("aws:lb/loadBalancer:LoadBalancer", subnets=["a", "b"], internal=True)],
                               "22.265", None),
    "database": ([resource("aws:rds/instance:Instance", engine="postgres", instanceClass="db.t4g.micro",
                           allocatedStorage=20, storageType="gp3")], "13.98", None),
    "database twice": ([resource("aws:rds/instance:Instance", engine="mysql", instanceClass="db.t4g.micro",
                                 allocatedStorage=20, storageType="gp3", multiAz=True)], "27.96", None),
    "cluster": ([resource("aws:eks/cluster:Cluster")], "73.00", None),
    "nodes": ([resource("aws:eks/nodeGroup:NodeGroup", scalingConfig={"minSize": 1, "maxSize": 3},
                        instanceTypes=["m5.large"])], "71.68", "215.04"),
    "Fargate": ([TASK, resource("aws:ecs/service:Service", launchType="FARGATE", desiredCount=2, taskDefinition=UNKNOWN,
                                depends={"taskDefinition": (TASK.urn,)})], "36.0401", None),
    "function": ([resource(FUNCTION, memorySize=1024, architectures=["arm64"])], "0.153334", None),
    "bucket": ([resource("aws:s3/bucket:Bucket")], "0.032", None),
    "table on demand": ([resource(TABLE_, billingMode="PAY_PER_REQUEST")], "0.325", None),
    "table with capacity": ([resource(TABLE_, readCapacity=5, writeCapacity=5, replicas=[{}])], "6.194", None),
    "logs": ([resource("aws:cloudwatch/logGroup:LogGroup", retentionInDays=14)], "0.053", None),
    "alarm": ([resource("aws:cloudwatch/metricAlarm:MetricAlarm", period=60)], "0.10", None),
    "fast alarm": ([resource("aws:cloudwatch/metricAlarm:MetricAlarm", period=10)], "0.30", None),
    "dashboard": ([resource("aws:cloudwatch/dashboard:Dashboard")], "3.00", None),
    "key": ([resource("aws:kms/key:Key")], "1.03", None),
    "secret": ([resource("aws:secretsmanager/secret:Secret", replicas=[{}])], "0.805", None),
    "budget": ([resource("aws:budgets/budget:Budget")], "0.60", None),
    "advanced parameter": ([resource("aws:ssm/parameter:Parameter", tier="Advanced")], "0.05", None),
    "perhaps advanced parameter": ([resource("aws:ssm/parameter:Parameter", tier="Intelligent-Tiering")], "0", "0.05"),
    "topic": ([resource("aws:sns/topic:Topic")], "0.0005", None),
    "queue": ([resource("aws:sqs/queue:Queue", fifoQueue=True)], "0.05", None),
    "schedule": ([resource("aws:scheduler/schedule:Schedule")], "0.01", None),
    "zone": ([resource("aws:route53/zone:Zone")], "0.50", None),
    "endpoint": ([resource(CONFIGURATION, "c", productionVariants=[VARIANT]),
                  resource(ENDPOINT, endpointConfigName=UNKNOWN,
                           depends={"endpointConfigName": (URN.format(CONFIGURATION, "c"),)})], "167.90", None),
    "serverless endpoint": ([resource(CONFIGURATION, "c", name="c", productionVariants=[SERVERLESS]),
                             resource(ENDPOINT, endpointConfigName="c")], "0.40", None),
    "notebook": ([resource("aws:sagemaker/notebookInstance:NotebookInstance", instanceType="ml.t3.medium")],
                 "37.20", None),
    "cache": ([resource("aws:elasticache/cluster:Cluster", nodeType="cache.t4g.micro", numCacheNodes=2)],
              "23.36", None),
    "Batch": ([resource("aws:batch/computeEnvironment:ComputeEnvironment", computeResources={
        "type": "EC2", "minVcpus": 0, "maxVcpus": 8, "instanceTypes": ["m5.large", "c5.xlarge"]})],
        # 4 m5.large with a root disk of 30 GB each at the most
        "0", "289.92"),
    "warm functions": ([resource(FUNCTION, "f", name="f", memorySize=1024, architectures=["arm64"]),
                        resource("aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
                                 functionName="f", provisionedConcurrentExecutions=2)], "17.5203504", None),
} | services.SAMPLES  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_the_price_is_the_one_by_hand(name: str) -> None:
    resources, low, high = SAMPLES[name]
    cost = price(*resources)
    assert cost.status == "priced", cost.reason
    found = cost.monthly.low.quantize(Decimal("0.0000001")), cost.monthly.high.quantize(Decimal("0.0000001"))
    assert found == (Decimal(low), Decimal(high or low)), cost


def test_every_figure_of_usage_is_asked_for_by_some_rule() -> None:
    others = [
        resource(JOB),
        resource(INSTANCE, instanceType="t3.micro"),
        resource("aws:apigatewayv2/api:Api", protocolType="WEBSOCKET"),
        resource("aws:efs/fileSystem:FileSystem", throughputMode="elastic"),
        resource("aws:sfn/stateMachine:StateMachine", type="EXPRESS"),
    ]
    costs = [price(*resources) for resources, *_ in SAMPLES.values()] + [price(other) for other in others]
    asked = {(assumption.kind, assumption.key) for cost in costs for assumption in cost.assumptions}
    figures = {(kind, key): figure for kind, keys in KINDS.items() for key, figure in keys.items()}
    assert asked == figures.keys()
    assert all(figure.unit and (figure.default or 0) >= 0 for figure in figures.values())


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a resource's inputs."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*before, key)
        yield from _paths(item, (*before, key))


def _hide(value: Any, path: tuple[Any, ...]) -> Any:
    if not path or value is UNKNOWN:
        return UNKNOWN
    changed = copy.copy(value)
    changed[path[0]] = _hide(changed[path[0]], path[1:])
    return changed


PLACES = [(name, number, path) for name, (resources, *_) in SAMPLES.items()
          for number, one in enumerate(resources) for path in _paths(one.inputs)]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=400)
@given(st.sampled_from(PLACES), st.randoms(use_true_random=False))
def test_what_is_unknown_is_within_its_range(place: tuple[str, int, tuple[Any, ...]], random: Any) -> None:
    """Whatever a preview may hide of a resource, the real price stays within the range, or it says that it has none."""
    name, number, path = place
    resources = SAMPLES[name][0]
    others = [path for each, at, path in PLACES if each == name and at == number]
    hidden = list(resources)
    for each in (path, *random.sample(others, min(len(others), random.choice((0, 0, 1))))):
        one = hidden[number]
        inputs = _hide(dict(one.inputs), each)
        hidden[number] = PlannedResource(one.urn, one.type, one.name, inputs, one.dependencies)
    whole, found = price(*resources), price(*hidden)
    if found.status == "unpriced":
        assert found.reason
        return
    if found.status == "free":  # a type that is hidden too: nothing says that it is not the free one
        assert found.reason
        return
    assert found.monthly.low <= whole.monthly.low, found.reason
    assert whole.monthly.high <= found.monthly.high or found.status == "at least", found.reason


def test_a_type_that_is_unknown_is_between_the_cheapest_and_the_dearest() -> None:
    cost = price(resource(INSTANCE, instanceType=UNKNOWN, associatePublicIpAddress=False))
    known = [usd("ec2", item) for item in BOOK.items("ec2")]
    (charge, _) = cost.charges
    assert (charge.usd.low, charge.usd.high) == (min(known) * MONTH, max(known) * MONTH)
    assert "its instance type is unknown: t4g.nano to p5.48xlarge, the cheapest and the dearest known" in cost.reason


def test_a_template_that_is_unknown_is_any_of_the_plan() -> None:
    large = resource(TEMPLATE, "large", instanceType="m5.large")
    cost = price(WEB, large, resource(INSTANCE, launchTemplate={"id": UNKNOWN}, associatePublicIpAddress=False))
    assert cost.charges[0].name == "t3.medium to m5.large"
    assert "which launch template is not known: one of large, web" in cost.reason
    assert (cost.charges[0].usd.low, cost.charges[0].usd.high) == (
        usd("ec2", "t3.medium") * 730,
        usd("ec2", "m5.large") * 730,
    )


def test_a_usage_file_says_what_is_not_known() -> None:
    one = resource(INSTANCE, "web", instanceType=UNKNOWN, associatePublicIpAddress=False)
    usage = Usage(assume={"web": {"instanceType": "t3.micro"}}, resources={"web": {"root_gb": Decimal(10)}})
    cost = price(one, usage=usage)
    assert cost.monthly.low == cost.monthly.high == usd("ec2", "t3.micro") * 730 + 10 * usd("ebs", "gp3")
    assert [(each.key, each.value, each.given) for each in cost.assumptions] == [("root_gb", Decimal(10), True)]


JOB = "aws:sagemaker/trainingJob:TrainingJob"
TUNING = "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob"
ON_GPU = {"instanceType": "ml.g4dn.xlarge", "instanceCount": 4, "volumeSizeInGb": 50}
LIMIT = {"maxRuntimeInSeconds": 7000}


def test_a_job_is_its_longest_run_at_the_price_on_demand() -> None:
    cost = price(resource(JOB, resourceConfig=ON_GPU, stoppingCondition=LIMIT, enableManagedSpotTraining=True))
    hours = Decimal(7000) / 3600
    disks = 4 * 50 * hours / 730 * usd("sagemaker", "training-storage")
    assert cents(cost.run.high) == cents(4 * hours * Decimal("0.7364") + disks) == Decimal("5.80")
    assert cents(cost.run.low) == cents(4 * hours * Decimal("0.07364") + disks) == Decimal("0.65")
    assert cost.ephemeral and cost.monthly.high == cost.idle.high == 0
    assert cost.hourly.high == 4 * Decimal("0.7364") + 4 * 50 / Decimal(730) * usd("sagemaker", "training-storage")
    assert {charge.basis for charge in cost.charges} == {Basis.RUN}


def test_a_job_on_demand_has_one_price() -> None:
    cost = price(resource(JOB, resourceConfig={**ON_GPU, "volumeSizeInGb": 0}, stoppingCondition=LIMIT))
    assert cost.run.exact and cents(cost.run.high) == Decimal("5.73")


def test_a_job_without_a_limit_may_run_a_day() -> None:
    cost = price(resource(JOB, resourceConfig={"instanceType": "ml.m5.large"}))
    assert cost.run.high == 24 * usd("sagemaker-training", "ml.m5.large")


def test_a_job_of_several_kinds_of_machines() -> None:
    groups = [
        {"instanceType": "ml.m5.large", "instanceCount": 2},
        {"instanceType": "ml.g4dn.xlarge", "instanceCount": 1},
    ]
    cost = price(
        resource(JOB, resourceConfig={"instanceGroups": groups}, stoppingCondition={"maxRuntimeInSeconds": 3600})
    )
    assert cost.run.high == 2 * usd("sagemaker-training", "ml.m5.large") + usd("sagemaker-training", "ml.g4dn.xlarge")


def test_a_tuning_job_is_all_the_jobs_that_it_may_start() -> None:
    definition = {"resourceConfig": {"instanceType": "ml.m5.large"}, "stoppingCondition": {"maxRuntimeInSeconds": 1800}}
    limits = {"resourceLimits": {"maxNumberOfTrainingJobs": 20, "maxParallelTrainingJobs": 2}}
    cost = price(resource(TUNING, config=limits, trainingJobDefinition=definition))
    assert cost.run.high == 20 * Decimal("0.5") * usd("sagemaker-training", "ml.m5.large")
    dear = {**definition, "resourceConfig": {"instanceType": "ml.g4dn.xlarge"}}
    cost = price(resource(TUNING, config=limits, trainingJobDefinitions=[definition, dear]))
    assert cost.run.high == 20 * Decimal("0.5") * usd("sagemaker-training", "ml.g4dn.xlarge")


@pytest.mark.parametrize(
    ("lease", "config", "low", "high"),
    [
        ("2026-11-25T08:00:00Z", {}, 4, 4),
        ("2026-11-25T08:00:00Z", {"shoestring:leaseHours": "9"}, 4, 4),
        ("2026-11-24T08:00:00Z", {"shoestring:leaseHours": "9"}, 9, 9),  # over: a new one begins
        (UNKNOWN, {"shoestring:leaseHours": "9"}, 9, 9),
        (UNKNOWN, {}, 1, 730),
        ("soon", {}, 1, 730),
    ],
)
def test_what_has_a_lease_is_paid_until_its_end(lease: Any, config: dict[str, str], low: int, high: int) -> None:
    one = resource(INSTANCE, instanceType="t3.micro", associatePublicIpAddress=False, tags={"shoestring:lease": lease})
    cost = price(one, config=config)
    hour = usd("ec2", "t3.micro") + 8 * usd("ebs", "gp3") / 730
    assert cost.ephemeral and cost.monthly.high == 0
    assert cents(cost.run.low) == cents(hour * low) and cents(cost.run.high) == cents(hour * high)


def test_all_of_a_window_is_ephemeral() -> None:
    cost = price(resource("aws:ec2/eip:Eip", stack="dev-window"), config={"shoestring:leaseHours": "4"})
    assert cost.ephemeral and cost.run.high == 4 * usd("vpc", "public-ipv4")
