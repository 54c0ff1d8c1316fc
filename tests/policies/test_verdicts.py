"""One good item stands for no other, and what a program does not say is not taken as fine."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.shapes.machines import BATCH, CONFIGURATION, GROUP, NODES, SPOT_FLEET, SPOT_REQUEST, TEMPLATE
from policies.taggable import _arguments
from policies.values import UNKNOWN
from tests.policies.judging import RULES, props, thing, violations

DATABASE = "aws:rds/instance:Instance"
ENDPOINT, CONFIG = "aws:sagemaker/endpoint:Endpoint", "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
TARGET = "aws:appautoscaling/target:Target"
MANY = settings(max_examples=120, deadline=None)


def statement(principal="*", sid="Read", **condition):
    text = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*"}
    return {**text, **({"Condition": condition} if condition else {})}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.parametrize(
    ("kind", "inputs", "path"),
    [
        ("aws:s3/bucket:Bucket", {"policy": policy(statement())}, "policy"),
        ("aws:s3/bucketV2:BucketV2", {"policy": policy(statement())}, "policy"),
        ("aws:s3/bucketPolicy:BucketPolicy", {"policy": policy(statement())}, "policy"),
        ("aws:s3/accessPoint:AccessPoint", {"policy": policy(statement())}, "policy"),
        ("aws:s3control/accessPointPolicy:AccessPointPolicy", {"policy": policy(statement())}, "policy"),
        (
            "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy",
            {"details": {"policy": policy(statement())}},
            "details.policy",
        ),
    ],
)
def test_public_policies_wherever_they_are_written(kind, inputs, path):
    assert props("public-buckets", thing(kind, **inputs)) == [f"{path}, statement Read, Principal"]
    narrow = json.loads(json.dumps(inputs).replace('\\"Principal\\": \\"*\\"', '\\"Principal\\": {\\"AWS\\": \\"1\\"}'))
    assert narrow != inputs and props("public-buckets", thing(kind, **narrow)) == []


def test_public_objects_access_points_and_accounts():
    rule = "public-buckets"
    assert props(rule, thing("aws:s3/bucketObjectv2:BucketObjectv2", acl="public-read")) == ["acl"]
    everybody = {"uri": "http://acs.amazonaws.com/groups/global/AllUsers", "type": "Group", "permissions": ["READ"]}
    assert props(rule, thing("aws:s3/objectCopy:ObjectCopy", grants=[{"type": "CanonicalUser"}, everybody])) == [
        "grants"
    ]
    point = "aws:s3/accessPoint:AccessPoint"
    assert props(rule, thing(point)) == [], "its own block is on by default"
    off = {"blockPublicPolicy": False, "restrictPublicBuckets": UNKNOWN}
    assert props(rule, thing(point, publicAccessBlockConfiguration=off)) == [
        "public_access_block_configuration.block_public_policy"
    ]
    account = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
    assert len(props(rule, thing(account, blockPublicAcls=True))) == 3


@pytest.mark.parametrize(
    ("condition", "public"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": UNKNOWN}}, False),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"ForAllValues:StringEquals": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"Null": {"aws:SourceVpce": "false"}}, True),
        ({"StringLike": {"aws:PrincipalArn": "*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::1:role/x", "*"]}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}, True),
        ({"Bool": {"aws:ViaAWSService": "true"}}, True),
        ({"Bool": {"aws:ViaAWSService": "false"}}, True),
        ({"StringEquals": {"aws:SourceVpce": "v"}, "Bool": {"aws:SecureTransport": "true"}}, False),
    ],
)
def test_conditions_that_hold_nobody_to_anything(condition, public):
    document = {"Statement": [statement(**condition)]}
    assert bool(props("public-buckets", thing("aws:s3/bucketPolicy:BucketPolicy", policy=document))) is public


@MANY
@given(st.lists(st.sampled_from(["*", {"AWS": "*"}, {"AWS": ["1", "*"]}, {"AWS": "1"}, {"Service": "x"}]), max_size=5))
def test_every_statement_is_judged_by_itself(principals):
    written = [statement(principal, sid=f"S{n}") for n, principal in enumerate(principals)]
    public = [f"policy, statement S{n}, Principal" for n, p in enumerate(principals) if "*" in json.dumps(p)]
    assert props("public-buckets", thing("aws:s3/bucket:Bucket", policy=policy(*written))) == public


def test_rights_on_all_but_some_resources_are_rights_on_all():
    wide = {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::secret/*"}
    role = "aws:iam/rolePolicy:RolePolicy"
    assert props("wildcard-iam", thing(role, policy=policy(wide))) == ["policy, statement 0, NotResource"]
    for condition, refused in (("StringEquals", 0), ("StringNotEquals", 1)):
        scoped = {**wide, "Condition": {condition: {"aws:ResourceTag/Project": "churn"}}}
        assert len(props("wildcard-iam", thing(role, policy=policy(scoped)))) == refused


def test_one_endpoint_that_scales_to_zero_stands_for_no_other():
    rule = "endpoint-scale-to-zero"
    slow = {"asyncInferenceConfig": {"outputConfig": {}}}

    def config(name):
        variants = [{"variantName": "all", "instanceType": "ml.m5.large", "initialInstanceCount": 1}]
        return thing(CONFIG, called=f"{name}-config", name=f"{name}-config", productionVariants=variants, **slow)

    def endpoint(name):
        return thing(ENDPOINT, called=name, name=name, needs={"endpointConfigName": f"{name}-config"})

    def target(resource_id="endpoint/one/variant/all", **words):
        inputs = {"serviceNamespace": "sagemaker", "minCapacity": 0, "maxCapacity": 1, "resourceId": resource_id}
        return thing(TARGET, called="target", **{**inputs, **words})

    both = [config("one"), config("two"), endpoint("one"), endpoint("two")]
    refused = violations(rule, *both, target())
    assert [violation.resource.name for violation in refused] == ["two-config"]
    flow = target(resource_id=UNKNOWN, needs={"resourceId": "two"})
    assert [violation.resource.name for violation in violations(rule, *both, flow)] == ["one-config"]
    assert violations(rule, *both, target(resource_id=UNKNOWN)) == [], "it may be either"
    for other in ("endpoint/one/variant/other", "inference-component/x"):
        assert len(violations(rule, *both, target(resource_id=other))) == 2


def test_serverless_capacity_that_is_kept_warm():
    serverless = {"serverlessConfig": {"maxConcurrency": 5, "memorySizeInMb": 2048, "provisionedConcurrency": 2}}
    assert props("endpoint-scale-to-zero", thing(CONFIG, productionVariants=[{}, serverless])) == [
        "production_variants[1].serverless_config.provisioned_concurrency"
    ]


def test_groups_without_a_policy_are_on_demand_unless_their_template_asks_for_spot():
    rule = "on-demand-share"
    plain = thing(TEMPLATE, called="big", name="big", instanceType="m5.large")
    spot = thing(TEMPLATE, called="big", name="big", instanceMarketOptions={"marketType": "spot"})
    for needs in ({"needs": {"launchTemplate": "big"}}, {"launchTemplate": {"name": "big"}}):
        assert props(rule, plain, thing(GROUP, called="group", maxSize=4, **needs)) == ["mixed_instances_policy"]
        assert props(rule, plain, thing(GROUP, called="group", maxSize=1, **needs)) == []
        assert props(rule, spot, thing(GROUP, called="group", maxSize=4, **needs)) == []
    assert props(rule, thing(GROUP, maxSize=4, launchTemplate={"id": "lt-1"})) == [], "nobody knows what it asks for"
    old = thing(CONFIGURATION, called="old", name="old", instanceType="m5.large")
    assert props(rule, old, thing(GROUP, called="group", maxSize=4, launchConfiguration="old"))


def test_machines_that_always_run_wherever_they_are_named():
    rule = "always-on-gpu"
    assert props(rule, thing(SPOT_REQUEST, instanceType="g5.xlarge")) == ["instance_type"]
    template = thing(TEMPLATE, called="gpu", name="gpu", instanceType="g5.xlarge")
    nodes = {"scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 2}, "needs": {"launchTemplate": "gpu"}}
    assert props(rule, template, thing(NODES, called="nodes", **nodes)) == ["launch_template gpu, instance_type"]
    batch = {"type": "SPOT", "minVcpus": 4, "maxVcpus": 16, "instanceTypes": ["m5.large", "g5.xlarge"]}
    assert props(rule, thing(BATCH, computeResources=batch)) == ["compute_resources.instance_types"]
    assert props(rule, thing(BATCH, computeResources={**batch, "minVcpus": 0})) == []


def test_sizes_of_caches():
    for kind in ("aws:elasticache/replicationGroup:ReplicationGroup", "aws:elasticache/cluster:Cluster"):
        cache = thing(kind, nodeType="cache.t4g.small")
        [violation] = violations("oversized-instances", cache, maxHourlyUsd={"dev": 0.01})
        assert violation.prop == "node_type" and "cache.t4g.small at $0.032 an hour" in violation.cost
        assert violations("oversized-instances", cache) == []


def test_every_machine_of_a_job_may_be_on_demand_or_none():
    job = "aws:sagemaker/trainingJob:TrainingJob"
    groups = [{"instanceType": kind, "instanceCount": 1} for kind in ("ml.m5.large", "ml.p3.2xlarge")]
    several = thing(job, resourceConfig={"instanceGroups": groups})
    assert props("spot-training", several, allow=["ml.m5.large"]) == ["enable_managed_spot_training"]
    assert props("spot-training", several, allow=["ml.m5.large", "ml.p3.2xlarge"]) == []


def test_lifecycle_rules_that_are_switched_off_end_nothing():
    bucket = thing("aws:s3/bucket:Bucket", called="models", bucket="models")
    lifecycle = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    for rules, refused in (
        ([{"id": "x", "status": "Disabled"}], ["lifecycle"]),
        ([{"id": "x", "status": "Disabled"}, {"id": "y", "status": "Enabled"}], []),
        ([], ["lifecycle"]),
        (UNKNOWN, []),
    ):
        assert props("bucket-lifecycle", bucket, thing(lifecycle, bucket="models", rules=rules)) == refused
    assert props("bucket-lifecycle", thing("aws:s3/bucket:Bucket", lifecycleRules=[{"enabled": False}])) == [
        "lifecycle"
    ]


def test_addresses_that_something_else_uses():
    address = thing("aws:ec2/eip:Eip", called="out")
    for kind, prop in (
        ("aws:alb/loadBalancer:LoadBalancer", "subnetMappings"),
        ("aws:ec2/natGateway:NatGateway", "secondaryAllocationIds"),
    ):
        assert props("idle-addresses", address, thing(kind, needs={prop: "out"})) == []


def test_secrets_of_jobs_on_many_nodes():
    job = "aws:batch/jobDefinition:JobDefinition"
    container = {"environment": [{"name": "API_KEY", "value": "abcdef"}]}
    nodes = json.dumps({"nodeRangeProperties": [{"targetNodes": "0:", "container": container}]})
    assert props("plain-secrets", thing(job, nodeProperties=nodes)) == [
        "node_properties.nodeRangeProperties[0].container.environment['API_KEY']"
    ]
    pods = {"podProperties": {"containers": [{"env": {"API_KEY": "abcdef"}}]}}
    assert len(props("plain-secrets", thing(job, eksProperties=pods))) == 1
    fleet = thing(
        SPOT_FLEET, launchSpecifications=[{}, {"userData": "export AWS_SECRET_ACCESS_KEY=abcdefghijklmnop\n"}]
    )
    assert props("plain-secrets", fleet) == ["launch_specifications[1].user_data"]


def test_state_of_every_kind_is_protected():
    for kind in ("aws:docdb/cluster:Cluster", "aws:neptune/cluster:Cluster"):
        refused = props("deletion-protection", thing(kind, skipFinalSnapshot=True), stack="prod")
        assert refused == ["opts.protect", "deletion_protection", "skip_final_snapshot"]
    assert props("deletion-protection", thing(DATABASE, replicateSourceDb=UNKNOWN), stack="prod") == []


def test_rules_look_at_types_of_the_sdk():
    for rule in RULES.values():
        assert [kind for kind in rule.types if _arguments(kind) is None] == [], rule.name
