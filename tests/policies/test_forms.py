"""Rules in the other forms that a program may write the same thing in, and what they leave alone."""

from __future__ import annotations

import base64
import json

import pytest

from components import iam
from policies.rule import declare
from policies.values import UNKNOWN
from tests.policies.judging import RULES, props, thing, violations

GROUP, RULE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
INSTANCE, TEMPLATE = "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"
ASG, NODES = "aws:autoscaling/group:Group", "aws:eks/nodeGroup:NodeGroup"
ENDPOINT, JOB = "aws:sagemaker/endpointConfiguration:EndpointConfiguration", "aws:sagemaker/trainingJob:TrainingJob"
BUCKET, LIFECYCLE = "aws:s3/bucket:Bucket", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
FUNCTION, DATABASE = "aws:lambda/function:Function", "aws:rds/instance:Instance"
LEASE = {"shoestring:lease": "2099-01-31T18:00:00Z"}


WORLD, WORLD6 = "0.0.0.0/0", "::/0"


@pytest.mark.parametrize(
    ("kind", "inputs", "is_open"),
    [
        (GROUP, {"ingress": [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": [WORLD]}]}, True),
        (GROUP, {"ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "ipv6CidrBlocks": [WORLD6]}]}, True),
        (GROUP, {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": [WORLD]}]}, False),
        (GROUP, {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 444, "cidrBlocks": [WORLD]}]}, True),
        (GROUP, {"ingress": [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "securityGroups": ["sg-1"]}]}, False),
        (GROUP, {"ingress": UNKNOWN, "egress": [{"protocol": "-1", "cidrBlocks": [WORLD]}]}, False),
        (RULE, {"type": "ingress", "protocol": "tcp", "fromPort": 0, "toPort": 65535, "cidrBlocks": [WORLD]}, True),
        (RULE, {"type": "egress", "protocol": "tcp", "fromPort": 0, "toPort": 65535, "cidrBlocks": [WORLD]}, False),
        (INGRESS, {"ipProtocol": "-1", "cidrIpv4": WORLD}, True),
        (INGRESS, {"ipProtocol": "tcp", "fromPort": 5000, "toPort": 5000, "cidrIpv6": WORLD6}, True),
        (INGRESS, {"ipProtocol": "tcp", "fromPort": 5000, "toPort": 5000, "cidrIpv4": "0.0.0.0/1"}, True),
        (INGRESS, {"ipProtocol": "tcp", "fromPort": 5000, "toPort": 5000, "cidrIpv4": "10.0.0.0/8"}, False),
        (INGRESS, {"ipProtocol": "tcp", "fromPort": UNKNOWN, "toPort": UNKNOWN, "cidrIpv4": WORLD}, False),
        (INGRESS, {"ipProtocol": "icmp", "fromPort": -1, "toPort": -1, "cidrIpv4": WORLD}, False),
    ],
)
def test_open_ports_in_every_form(kind, inputs, is_open):
    assert bool(props("open-ports", thing(kind, **inputs))) is is_open


def statement(**changes):
    text = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::models/*", **changes}
    return json.dumps({"Version": "2012-10-17", "Statement": [text]})


@pytest.mark.parametrize(
    ("changes", "wide"),
    [
        ({}, False),
        ({"Action": "*"}, True),
        ({"Action": ["s3:GetObject", "s3:*"]}, True),
        ({"Action": "s3:Get*"}, False),
        ({"NotAction": "iam:*"}, True),
        ({"Resource": "*"}, True),
        ({"Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/Project": "churn"}}}, False),
        ({"Action": "ecr:GetAuthorizationToken", "Resource": "*"}, False),
        ({"Action": "ec2:DescribeInstances", "Resource": "*"}, False),
        ({"Action": "cloudwatch:PutMetricData", "Resource": "*"}, True),
        (
            {
                "Action": "cloudwatch:PutMetricData",
                "Resource": "*",
                "Condition": {"StringEquals": {"cloudwatch:namespace": "churn"}},
            },
            False,
        ),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, False),
        ({"Action": "sts:AssumeRole", "Resource": "*"}, True),
    ],
)
def test_wildcards_of_rights(changes, wide):
    policy = statement(**changes)
    for written in (
        thing("aws:iam/rolePolicy:RolePolicy", policy=policy),
        thing("aws:iam/policy:Policy", policy=policy),
        thing("aws:iam/role:Role", inlinePolicies=[{"name": "x", "policy": policy}]),
    ):
        assert bool(props("wildcard-iam", written)) is wide


def test_rights_of_the_product_and_of_aws():
    for policy in (
        iam.tracking("b", "packages/x.zip", "arn:aws:iam::1:instance-profile/x", "arn:aws:secretsmanager:x"),
        iam.logging(iam.inference("b", "m"), "arn:aws:logs:x"),
        iam.training("b", "j", "m", "us-east-1", "1", ["subnet-1"], ["sg-1"]),
    ):
        assert props("wildcard-iam", thing("aws:iam/rolePolicy:RolePolicy", policy=policy)) == []
    assert props("public-buckets", thing("aws:s3/bucketPolicy:BucketPolicy", policy=iam.tls_only("b"))) == []
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert props("wildcard-iam", thing("aws:iam/rolePolicyAttachment:RolePolicyAttachment", policyArn=admin))
    assert props("wildcard-iam", thing("aws:iam/role:Role", managedPolicyArns=[admin]))
    assert props("wildcard-iam", thing("aws:iam/role:Role", policy=statement(Action="*")), allow=["s3:*"]) == []


@pytest.mark.parametrize(
    ("changes", "public"),
    [
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": ["*"]}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::1:root"}}, False),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Principal": "*", "Effect": "Deny", "Action": "s3:*"}, False),
    ],
)
def test_public_bucket_policies(changes, public):
    assert (
        bool(props("public-buckets", thing("aws:s3/bucketPolicy:BucketPolicy", policy=statement(**changes)))) is public
    )


def test_public_buckets_by_acl_grant_and_block():
    assert props("public-buckets", thing("aws:s3/bucketAcl:BucketAcl", acl="public-read")) == ["acl"]
    uri = {"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}
    granted = {"grants": [{"permission": "READ", "grantee": uri}]}
    assert props("public-buckets", thing("aws:s3/bucketAcl:BucketAcl", accessControlPolicy=granted)) == ["grants"]
    block = thing(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", blockPublicAcls=True, blockPublicPolicy=UNKNOWN
    )
    assert props("public-buckets", block) == ["ignore_public_acls", "restrict_public_buckets"]
    assert props("public-access-block", thing(BUCKET, bucket="b")) == ["public access block"]


def test_lifecycles_by_data_flow_name_and_inline():
    bucket = thing(BUCKET, called="models", bucket="models")
    rules = [{"id": "x", "status": "Enabled"}]
    assert props("bucket-lifecycle", bucket, thing(LIFECYCLE, bucket="models", rules=rules)) == []
    assert props("bucket-lifecycle", bucket, thing(LIFECYCLE, bucket="other", rules=rules)) == ["lifecycle"]
    assert props("bucket-lifecycle", bucket, thing(LIFECYCLE, needs={"bucket": "models"}, rules=rules)) == []
    assert props("bucket-lifecycle", bucket, thing(LIFECYCLE, needs={"bucket": "other"}, rules=rules)) == ["lifecycle"]
    assert props("bucket-lifecycle", bucket, thing(LIFECYCLE, bucket=UNKNOWN, rules=rules)) == [], "it may be"
    assert props("bucket-lifecycle", thing(BUCKET, lifecycleRules=[{"enabled": True}])) == []


def test_gpus_wherever_they_run():
    gpu = "always-on-gpu"
    template = thing(TEMPLATE, called="big", instanceType="p3.2xlarge")
    assert props(gpu, template) == [], "a template runs nothing"
    assert props(gpu, template, thing(INSTANCE, needs={"launchTemplate": "big"}))
    group = {"minSize": 0, "maxSize": 3, "needs": {"launchTemplate": "big"}}
    assert props(gpu, template, thing(ASG, **group)) == []
    assert props(gpu, template, thing(ASG, **{**group, "desiredCapacity": 1}))
    mixed = {"launchTemplate": {"overrides": [{"instanceType": "g5.xlarge"}]}}
    assert props(gpu, thing(ASG, minSize=1, maxSize=2, mixedInstancesPolicy=mixed))
    lease = [{"key": "shoestring:lease", "value": "2099-01-31T18:00:00Z", "propagateAtLaunch": True}]
    assert props(gpu, thing(ASG, minSize=1, maxSize=2, mixedInstancesPolicy=mixed, tags=lease)) == []
    nodes = {"instanceTypes": ["g4dn.xlarge"], "scalingConfig": {"minSize": 0, "desiredSize": 0, "maxSize": 2}}
    assert props(gpu, thing(NODES, **nodes)) == []
    assert props(gpu, thing(NODES, **{**nodes, "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 2}}))
    assert props(
        gpu, thing(ENDPOINT, productionVariants=[{"instanceType": "ml.g4dn.xlarge", "initialInstanceCount": 1}])
    )
    for kind in ("t4g.nano", "m5.large", "c7g.large", "i3.large"):
        assert props(gpu, thing(INSTANCE, instanceType=kind)) == []
    for kind in ("g4dn.xlarge", "g5.xlarge", "p4d.24xlarge", "inf2.xlarge", "trn1.2xlarge"):
        assert props(gpu, thing(INSTANCE, instanceType=kind)), kind


def test_endpoints_that_scale_to_zero():
    rule, variant = "endpoint-scale-to-zero", {"instanceType": "ml.m5.large", "initialInstanceCount": 1}
    assert props(rule, thing(ENDPOINT, productionVariants=[variant])) == ["production_variants[0].instance_type"]
    scaling = {**variant, "managedInstanceScaling": {"status": "ENABLED", "minInstanceCount": 0, "maxInstanceCount": 2}}
    assert props(rule, thing(ENDPOINT, productionVariants=[scaling])) == []
    slow = thing(ENDPOINT, productionVariants=[variant], asyncInferenceConfig={"outputConfig": {}})
    target = {"serviceNamespace": "sagemaker", "maxCapacity": 2, "resourceId": "endpoint/x/variant/all"}
    assert props(rule, slow)
    assert props(rule, slow, thing("aws:appautoscaling/target:Target", minCapacity=0, **target)) == []
    assert props(rule, slow, thing("aws:appautoscaling/target:Target", minCapacity=1, **target))


def test_training_definitions_of_tuning_jobs():
    kind = "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob"
    definition = {"resourceConfig": {"instanceType": "ml.m5.large"}, "stoppingCondition": {"maxRuntimeInSeconds": 60}}
    assert props("spot-training", thing(kind, trainingJobDefinition=definition)) == [
        "training_job_definition.enable_managed_spot_training"
    ]
    several = thing(kind, trainingJobDefinitions=[{**definition, "enableManagedSpotTraining": True}, definition])
    assert props("spot-training", several) == ["training_job_definitions[1].enable_managed_spot_training"]
    assert props("spot-training", thing(JOB, trainingJobName="slow-1"), allow=["slow-*"]) == []
    assert (
        props("spot-training", thing(JOB, resourceConfig={"instanceType": "ml.p5.48xlarge"}), allow=["ml.p5.48xlarge"])
        == []
    )
    assert props("training-bounds", thing(JOB)) == ["stopping_condition.max_runtime_in_seconds"]
    assert props("training-bounds", thing(JOB, enableManagedSpotTraining=UNKNOWN, stoppingCondition=UNKNOWN)) == []


def test_leases():
    assert props("ephemeral-lease", thing(JOB)) == ["tags['shoestring:lease']"]
    assert props("ephemeral-lease", thing(JOB, tags={"shoestring:lease": UNKNOWN})) == []
    assert props("ephemeral-lease", thing(JOB, tags=UNKNOWN)) == []
    assert props("ephemeral-lease", thing(BUCKET)) == [], "it stays"
    assert props("ephemeral-lease", thing(BUCKET, tags=LEASE)) == ["tags['shoestring:lease']"], "too long"
    assert props("ephemeral-lease", thing(BUCKET, tags=LEASE), maxHours={"dev": 10**9}) == []


def test_addresses_and_who_uses_them():
    kind = "aws:ec2/eip:Eip"
    address = thing(kind, called="out")
    assert props("idle-addresses", address) == ["instance"]
    assert props("idle-addresses", address, thing("aws:ec2/natGateway:NatGateway", needs={"allocationId": "out"})) == []
    association = "aws:ec2/eipAssociation:EipAssociation"
    assert props("idle-addresses", address, thing(association, needs={"allocationId": "out"})) == []
    assert props("idle-addresses", address, thing(association, needs={"allocationId": "other"}))
    assert props("idle-addresses", thing(kind, instance=UNKNOWN)) == []


def test_shares_on_demand():
    rule, path = "on-demand-share", "mixed_instances_policy.instances_distribution.on_demand_"
    assert props(rule, thing(ASG, mixedInstancesPolicy={"launchTemplate": {}})) == [
        f"{path}percentage_above_base_capacity"
    ]
    shares = {"onDemandPercentageAboveBaseCapacity": 0, "onDemandBaseCapacity": 3}
    assert props(rule, thing(ASG, mixedInstancesPolicy={"instancesDistribution": shares})) == [f"{path}base_capacity"]
    assert props(rule, thing(ASG, mixedInstancesPolicy=UNKNOWN)) == []
    assert props(rule, thing(NODES), maxPercent={"dev": 100}) == []
    batch = "aws:batch/computeEnvironment:ComputeEnvironment"
    assert props(rule, thing(batch, computeResources={"type": "EC2"})) == ["compute_resources.type"]
    assert props(rule, thing(batch, computeResources={"type": "SPOT"})) == []


def test_sizes_by_environment():
    large = thing(INSTANCE, instanceType="m5.large")
    assert props("oversized-instances", large) == ["instance_type"]
    assert props("oversized-instances", large, stack="prod") == []
    assert props("oversized-instances", large, allowed={"dev": ["m5.large"]}) == []
    assert props("oversized-instances", thing(INSTANCE, instanceType="m5.large", tags=LEASE)) == []
    assert props("oversized-instances", thing(DATABASE, instanceClass="db.r5.large", engine="postgres")) == [
        "instance_class"
    ]


def test_disks_everywhere():
    rule = "gp3-volumes"
    assert props(rule, thing("aws:ebs/volume:Volume", size=10)) == ["type"], "gp2 is what AWS makes"
    assert props(rule, thing(INSTANCE, rootBlockDevice={"volumeType": "io1"})) == ["root_block_device.volume_type"]
    mappings = [{"ebs": {"volumeType": "gp3"}}, {"ebs": {"volumeType": "gp2", "volumeSize": 8}}]
    assert props(rule, thing(TEMPLATE, blockDeviceMappings=mappings)) == ["block_device_mappings[1].ebs.volume_type"]
    assert props(rule, thing(DATABASE, engine="postgres", allocatedStorage=20)) == ["storage_type"]
    assert props(rule, thing(DATABASE, engine="postgres", replicateSourceDb="x")) == []
    assert props(rule, thing("aws:ebs/volume:Volume", type=UNKNOWN)) == []
    plain = "encrypted-storage"
    assert props(plain, thing(INSTANCE)) == ["root_block_device.encrypted"]
    assert props(plain, thing(INSTANCE, launchTemplate={"id": UNKNOWN})) == []
    assert props(plain, thing(TEMPLATE, blockDeviceMappings=[{"ebs": {"encrypted": "true"}}, {"ebs": {}}])) == [
        "block_device_mappings[1].ebs.encrypted"
    ]
    assert props(plain, thing(DATABASE, storageEncrypted=UNKNOWN)) == []


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("DATABASE_PASSWORD", "hunter2", True),
        ("apiKey", "abcdef", True),
        ("GITHUB_TOKEN", "abc", True),
        ("HARMLESS", "AKIAABCDEFGHIJKLMNOP", True),
        ("HARMLESS", "postgres://me:hunter2@host/db", True),
        ("HARMLESS", "-----BEGIN RSA PRIVATE KEY-----", True),
        ("DATABASE_PASSWORD", "arn:aws:secretsmanager:us-east-1:1:secret:x", False),
        ("DATABASE_PASSWORD", "/churn/dev/password", False),
        ("DATABASE_PASSWORD", "", False),
        ("DATABASE_PASSWORD", UNKNOWN, False),
        ("MAX_TOKENS", "512", False),
        ("TOKENIZER", "bert-base", False),
        ("SECRET_NAME", "churn", False),
        ("HARMLESS", "https://host/path?x=1", False),
    ],
)
def test_secrets_by_name_and_by_look(name, value, secret):
    function = thing(FUNCTION, environment={"variables": {name: value}})
    job = thing(JOB, environment={name: value})
    for written in (function, job):
        assert bool(props("plain-secrets", written)) is secret
    assert props("plain-secrets", function, allow=[name]) == []


def test_secrets_in_scripts_containers_and_parameters():
    script = "#!/bin/sh\nexport AWS_SECRET_ACCESS_KEY=abcdefghijklmnop\n"
    for inputs in ({"userData": script}, {"userDataBase64": base64.b64encode(script.encode()).decode()}):
        machine = thing(INSTANCE, **inputs)
        [violation] = violations("plain-secrets", machine)
        assert "abcdefghijklmnop" not in RULES["plain-secrets"].message(violation, machine)
    assert props("plain-secrets", thing(INSTANCE, userData="#!/bin/sh\nPASSWORD=$(aws ssm get-parameter)\n")) == []
    environment = json.dumps([{"environment": [{"name": "API_KEY", "value": "abcdef"}]}])
    task = thing("aws:ecs/taskDefinition:TaskDefinition", containerDefinitions=environment)
    assert props("plain-secrets", task) == ["container_definitions[0].environment['API_KEY']"]
    parameter = "aws:ssm/parameter:Parameter"
    assert props("plain-secrets", thing(parameter, type="String", name="/churn/password", value="hunter2")) == ["value"]
    assert props("plain-secrets", thing(parameter, type="SecureString", name="/churn/password", value="hunter2")) == []
    assert props("plain-secrets", thing(parameter, type="String", name="/churn/champion", value="none")) == []


def test_protection_of_state_in_prod():
    rule = "deletion-protection"
    database = thing(DATABASE, engine="postgres", deletionProtection=True, skipFinalSnapshot=False)
    assert props(rule, database) == []
    assert props(rule, database, stack="prod") == ["opts.protect"]
    kept = declare(DATABASE, "thing", protect=True, engine="postgres", skipFinalSnapshot=True)
    assert props(rule, kept, stack="prod") == ["deletion_protection", "skip_final_snapshot"]
    assert props(rule, kept, stack="live", environments=["live"]) == ["deletion_protection", "skip_final_snapshot"]


def test_functions_databases_and_metadata():
    permission = "aws:lambda/permission:Permission"
    assert props("public-functions", thing(permission, principal="*")) == ["principal"]
    assert props("public-functions", thing(permission, principal="*", sourceArn="arn:aws:s3:::x")) == []
    assert props("public-functions", thing(permission, principal="s3.amazonaws.com")) == []
    assert props("public-databases", thing(DATABASE, publiclyAccessible=UNKNOWN)) == []
    assert props("imdsv2", thing(INSTANCE, launchTemplate={"id": "lt-1"})) == []
    assert props("imdsv2", thing(TEMPLATE, metadataOptions={"httpTokens": "optional"})) == [
        "metadata_options.http_tokens"
    ]
    assert props("imdsv2", thing(TEMPLATE)) == ["metadata_options.http_tokens"]
    assert props("imdsv2", thing(TEMPLATE, metadataOptions=UNKNOWN)) == []


def test_logs_and_standbys():
    group = "aws:cloudwatch/logGroup:LogGroup"
    assert props("log-retention", thing(group, retentionInDays=0)) == ["retention_in_days"]
    assert props("log-retention", thing(group, retentionInDays=3653)) == ["retention_in_days"]
    assert props("log-retention", thing(group, retentionInDays=UNKNOWN)) == []
    assert props("multi-az", thing(DATABASE, multiAz=True), stack="prod") == []
    assert props("multi-az", thing(DATABASE, multiAz=UNKNOWN)) == []
    assert props("provisioned-concurrency", thing(
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig", functionName=UNKNOWN,
        provisionedConcurrentExecutions=UNKNOWN,
    ))  # fmt: skip
