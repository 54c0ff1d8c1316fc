"""Rules in the other forms that a program may write the same thing in, and what they leave alone."""

from __future__ import annotations

import base64
import json

import pytest

from components import iam
from costs.book.prices import PriceBook
from policies.catalog import by_name
from policies.rule import Context, Stack, resource
from policies.values import UNKNOWN

BOOK = PriceBook.load()
RULES = by_name()
GROUP, RULE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/securityGroupRule:SecurityGroupRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
INSTANCE, TEMPLATE = "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"
ASG, NODES = "aws:autoscaling/group:Group", "aws:eks/nodeGroup:NodeGroup"
ENDPOINT, JOB = "aws:sagemaker/endpointConfiguration:EndpointConfiguration", "aws:sagemaker/trainingJob:TrainingJob"
BUCKET, LIFECYCLE = "aws:s3/bucket:Bucket", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
FUNCTION, DATABASE = "aws:lambda/function:Function", "aws:rds/instance:Instance"
LEASE = {"shoestring:lease": "2099-01-31T18:00:00Z"}


def found(name, *resources, stack="dev", **config):
    """What a rule finds: the properties."""
    rule = RULES[name]
    context = Context(stack=stack, config={**rule.defaults, **config}, book=BOOK)
    if rule.check_stack:
        return [each.prop for each in rule.check_stack(Stack(resources), context)]
    return [each.prop for one in resources for each in rule.check(one, context)]


def one(kind, **props):
    return resource(kind, props.pop("called", "thing"), **props)


WORLD, WORLD6 = "0.0.0.0/0", "::/0"


@pytest.mark.parametrize(
    ("kind", "props", "open_"),
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
def test_open_ports_in_every_form(kind, props, open_):
    assert bool(found("open-ports", one(kind, **props))) is open_


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
        one("aws:iam/rolePolicy:RolePolicy", policy=policy),
        one("aws:iam/policy:Policy", policy=policy),
        one("aws:iam/role:Role", inlinePolicies=[{"name": "x", "policy": policy}]),
    ):
        assert bool(found("wildcard-iam", written)) is wide


def test_rights_of_the_product_and_of_aws():
    for policy in (
        iam.tracking("b", "arn:aws:secretsmanager:x"),
        iam.inference("b", "m", "arn:aws:logs:x"),
        iam.training("b", "j", "m", "us-east-1", "1", ["subnet-1"], ["sg-1"]),
    ):
        assert found("wildcard-iam", one("aws:iam/rolePolicy:RolePolicy", policy=policy)) == []
    assert found("public-buckets", one("aws:s3/bucketPolicy:BucketPolicy", policy=iam.tls_only("b"))) == []
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert found("wildcard-iam", one("aws:iam/rolePolicyAttachment:RolePolicyAttachment", policyArn=admin))
    assert found("wildcard-iam", one("aws:iam/role:Role", managedPolicyArns=[admin]))
    assert found("wildcard-iam", one("aws:iam/role:Role", policy=statement(Action="*")), allow=["s3:*"]) == []


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
    assert bool(found("public-buckets", one("aws:s3/bucketPolicy:BucketPolicy", policy=statement(**changes)))) is public


def test_public_buckets_by_acl_grant_and_block():
    assert found("public-buckets", one("aws:s3/bucketAcl:BucketAcl", acl="public-read")) == ["acl"]
    uri = {"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}
    granted = {"grants": [{"permission": "READ", "grantee": uri}]}
    assert found("public-buckets", one("aws:s3/bucketAcl:BucketAcl", accessControlPolicy=granted)) == ["grants"]
    block = one(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", blockPublicAcls=True, blockPublicPolicy=UNKNOWN
    )
    assert found("public-buckets", block) == ["ignore_public_acls", "restrict_public_buckets"]
    assert found("public-access-block", one(BUCKET, bucket="b")) == ["public access block"]


def test_lifecycles_by_data_flow_name_and_inline():
    bucket = one(BUCKET, called="models", bucket="models")
    rules = [{"id": "x", "status": "Enabled"}]
    assert found("bucket-lifecycle", bucket, one(LIFECYCLE, bucket="models", rules=rules)) == []
    assert found("bucket-lifecycle", bucket, one(LIFECYCLE, bucket="other", rules=rules)) == ["lifecycle"]
    assert found("bucket-lifecycle", bucket, one(LIFECYCLE, needs={"bucket": "models"}, rules=rules)) == []
    assert found("bucket-lifecycle", bucket, one(LIFECYCLE, needs={"bucket": "other"}, rules=rules)) == ["lifecycle"]
    assert found("bucket-lifecycle", bucket, one(LIFECYCLE, bucket=UNKNOWN, rules=rules)) == [], "it may be"
    assert found("bucket-lifecycle", one(BUCKET, lifecycleRules=[{"enabled": True}])) == []


def test_gpus_wherever_they_run():
    gpu = "always-on-gpu"
    template = one(TEMPLATE, called="big", instanceType="p3.2xlarge")
    assert found(gpu, template) == [], "a template runs nothing"
    assert found(gpu, template, one(INSTANCE, needs={"launchTemplate": "big"}))
    group = {"minSize": 0, "maxSize": 3, "needs": {"launchTemplate": "big"}}
    assert found(gpu, template, one(ASG, **group)) == []
    assert found(gpu, template, one(ASG, **{**group, "desiredCapacity": 1}))
    mixed = {"launchTemplate": {"overrides": [{"instanceType": "g5.xlarge"}]}}
    assert found(gpu, one(ASG, minSize=1, maxSize=2, mixedInstancesPolicy=mixed))
    lease = [{"key": "shoestring:lease", "value": "2099-01-31T18:00:00Z", "propagateAtLaunch": True}]
    assert found(gpu, one(ASG, minSize=1, maxSize=2, mixedInstancesPolicy=mixed, tags=lease)) == []
    nodes = {"instanceTypes": ["g4dn.xlarge"], "scalingConfig": {"minSize": 0, "desiredSize": 0, "maxSize": 2}}
    assert found(gpu, one(NODES, **nodes)) == []
    assert found(gpu, one(NODES, **{**nodes, "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 2}}))
    assert found(gpu, one(ENDPOINT, productionVariants=[{"instanceType": "ml.g4dn.xlarge", "initialInstanceCount": 1}]))
    for kind in ("t4g.nano", "m5.large", "c7g.large", "i3.large"):
        assert found(gpu, one(INSTANCE, instanceType=kind)) == []
    for kind in ("g4dn.xlarge", "g5.xlarge", "p4d.24xlarge", "inf2.xlarge", "trn1.2xlarge"):
        assert found(gpu, one(INSTANCE, instanceType=kind)), kind


def test_endpoints_that_scale_to_zero():
    rule, variant = "endpoint-scale-to-zero", {"instanceType": "ml.m5.large", "initialInstanceCount": 1}
    assert found(rule, one(ENDPOINT, productionVariants=[variant])) == ["production_variants[0].instance_type"]
    scaling = {**variant, "managedInstanceScaling": {"status": "ENABLED", "minInstanceCount": 0, "maxInstanceCount": 2}}
    assert found(rule, one(ENDPOINT, productionVariants=[scaling])) == []
    slow = one(ENDPOINT, productionVariants=[variant], asyncInferenceConfig={"outputConfig": {}})
    target = {"serviceNamespace": "sagemaker", "maxCapacity": 2, "resourceId": "endpoint/x/variant/all"}
    assert found(rule, slow)
    assert found(rule, slow, one("aws:appautoscaling/target:Target", minCapacity=0, **target)) == []
    assert found(rule, slow, one("aws:appautoscaling/target:Target", minCapacity=1, **target))


def test_training_definitions_of_tuning_jobs():
    kind = "aws:sagemaker/hyperParameterTuningJob:HyperParameterTuningJob"
    definition = {"resourceConfig": {"instanceType": "ml.m5.large"}, "stoppingCondition": {"maxRuntimeInSeconds": 60}}
    assert found("spot-training", one(kind, trainingJobDefinition=definition)) == [
        "training_job_definition.enable_managed_spot_training"
    ]
    several = one(kind, trainingJobDefinitions=[{**definition, "enableManagedSpotTraining": True}, definition])
    assert found("spot-training", several) == ["training_job_definitions[1].enable_managed_spot_training"]
    assert found("spot-training", one(JOB, trainingJobName="slow-1"), allow=["slow-*"]) == []
    assert (
        found("spot-training", one(JOB, resourceConfig={"instanceType": "ml.p5.48xlarge"}), allow=["ml.p5.48xlarge"])
        == []
    )
    assert found("training-bounds", one(JOB)) == ["stopping_condition.max_runtime_in_seconds"]
    assert found("training-bounds", one(JOB, enableManagedSpotTraining=UNKNOWN, stoppingCondition=UNKNOWN)) == []


def test_leases():
    assert found("ephemeral-lease", one(JOB)) == ["tags['shoestring:lease']"]
    assert found("ephemeral-lease", one(JOB, tags={"shoestring:lease": UNKNOWN})) == []
    assert found("ephemeral-lease", one(JOB, tags=UNKNOWN)) == []
    assert found("ephemeral-lease", one(BUCKET)) == [], "it stays"
    assert found("ephemeral-lease", one(BUCKET, tags=LEASE)) == ["tags['shoestring:lease']"], "too long"
    assert found("ephemeral-lease", one(BUCKET, tags=LEASE), maxHours={"dev": 10**9}) == []


def test_addresses_and_who_uses_them():
    kind = "aws:ec2/eip:Eip"
    address = one(kind, called="out")
    assert found("idle-addresses", address) == ["instance"]
    assert found("idle-addresses", address, one("aws:ec2/natGateway:NatGateway", needs={"allocationId": "out"})) == []
    association = "aws:ec2/eipAssociation:EipAssociation"
    assert found("idle-addresses", address, one(association, needs={"allocationId": "out"})) == []
    assert found("idle-addresses", address, one(association, needs={"allocationId": "other"}))
    assert found("idle-addresses", one(kind, instance=UNKNOWN)) == []


def test_shares_on_demand():
    rule, path = "on-demand-share", "mixed_instances_policy.instances_distribution.on_demand_"
    assert found(rule, one(ASG, mixedInstancesPolicy={"launchTemplate": {}})) == [
        f"{path}percentage_above_base_capacity"
    ]
    shares = {"onDemandPercentageAboveBaseCapacity": 0, "onDemandBaseCapacity": 3}
    assert found(rule, one(ASG, mixedInstancesPolicy={"instancesDistribution": shares})) == [f"{path}base_capacity"]
    assert found(rule, one(ASG, mixedInstancesPolicy=UNKNOWN)) == []
    assert found(rule, one(NODES), maxPercent={"dev": 100}) == []
    batch = "aws:batch/computeEnvironment:ComputeEnvironment"
    assert found(rule, one(batch, computeResources={"type": "EC2"})) == ["compute_resources.type"]
    assert found(rule, one(batch, computeResources={"type": "SPOT"})) == []


def test_sizes_by_environment():
    large = one(INSTANCE, instanceType="m5.large")
    assert found("oversized-instances", large) == ["instance_type"]
    assert found("oversized-instances", large, stack="prod") == []
    assert found("oversized-instances", large, allowed={"dev": ["m5.large"]}) == []
    assert found("oversized-instances", one(INSTANCE, instanceType="m5.large", tags=LEASE)) == []
    assert found("oversized-instances", one(DATABASE, instanceClass="db.r5.large", engine="postgres")) == [
        "instance_class"
    ]


def test_disks_everywhere():
    rule = "gp3-volumes"
    assert found(rule, one("aws:ebs/volume:Volume", size=10)) == ["type"], "gp2 is what AWS makes"
    assert found(rule, one(INSTANCE, rootBlockDevice={"volumeType": "io1"})) == ["root_block_device.volume_type"]
    mappings = [{"ebs": {"volumeType": "gp3"}}, {"ebs": {"volumeType": "gp2", "volumeSize": 8}}]
    assert found(rule, one(TEMPLATE, blockDeviceMappings=mappings)) == ["block_device_mappings[1].ebs.volume_type"]
    assert found(rule, one(DATABASE, engine="postgres", allocatedStorage=20)) == ["storage_type"]
    assert found(rule, one(DATABASE, engine="postgres", replicateSourceDb="x")) == []
    assert found(rule, one("aws:ebs/volume:Volume", type=UNKNOWN)) == []
    plain = "encrypted-storage"
    assert found(plain, one(INSTANCE)) == ["root_block_device.encrypted"]
    assert found(plain, one(INSTANCE, launchTemplate={"id": UNKNOWN})) == []
    assert found(plain, one(TEMPLATE, blockDeviceMappings=[{"ebs": {"encrypted": "true"}}, {"ebs": {}}])) == [
        "block_device_mappings[1].ebs.encrypted"
    ]
    assert found(plain, one(DATABASE, storageEncrypted=UNKNOWN)) == []


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
    function = one(FUNCTION, environment={"variables": {name: value}})
    job = one(JOB, environment={name: value})
    for written in (function, job):
        assert bool(found("plain-secrets", written)) is secret
    assert found("plain-secrets", function, allow=[name]) == []


def test_secrets_in_scripts_containers_and_parameters():
    script = "#!/bin/sh\nexport AWS_SECRET_ACCESS_KEY=abcdefghijklmnop\n"
    rule = RULES["plain-secrets"]
    for props in ({"userData": script}, {"userDataBase64": base64.b64encode(script.encode()).decode()}):
        machine = one(INSTANCE, **props)
        [finding] = rule.check(machine, Context(config=rule.defaults))
        assert "abcdefghijklmnop" not in rule.message(finding, machine)
    assert found("plain-secrets", one(INSTANCE, userData="#!/bin/sh\nPASSWORD=$(aws ssm get-parameter)\n")) == []
    environment = json.dumps([{"environment": [{"name": "API_KEY", "value": "abcdef"}]}])
    task = one("aws:ecs/taskDefinition:TaskDefinition", containerDefinitions=environment)
    assert found("plain-secrets", task) == ["container_definitions[0].environment['API_KEY']"]
    parameter = "aws:ssm/parameter:Parameter"
    assert found("plain-secrets", one(parameter, type="String", name="/churn/password", value="hunter2")) == ["value"]
    assert found("plain-secrets", one(parameter, type="SecureString", name="/churn/password", value="hunter2")) == []
    assert found("plain-secrets", one(parameter, type="String", name="/churn/champion", value="none")) == []


def test_protection_of_state_in_prod():
    rule = "deletion-protection"
    database = one(DATABASE, engine="postgres", deletionProtection=True, skipFinalSnapshot=False)
    assert found(rule, database) == []
    assert found(rule, database, stack="prod") == ["opts.protect"]
    kept = resource(DATABASE, "thing", protect=True, engine="postgres", skipFinalSnapshot=True)
    assert found(rule, kept, stack="prod") == ["deletion_protection", "skip_final_snapshot"]
    assert found(rule, kept, stack="live", environments=["live"]) == ["deletion_protection", "skip_final_snapshot"]


def test_functions_databases_and_metadata():
    permission = "aws:lambda/permission:Permission"
    assert found("public-functions", one(permission, principal="*")) == ["principal"]
    assert found("public-functions", one(permission, principal="*", sourceArn="arn:aws:s3:::x")) == []
    assert found("public-functions", one(permission, principal="s3.amazonaws.com")) == []
    assert found("public-databases", one(DATABASE, publiclyAccessible=UNKNOWN)) == []
    assert found("imdsv2", one(INSTANCE, launchTemplate={"id": "lt-1"})) == []
    assert found("imdsv2", one(TEMPLATE, metadataOptions={"httpTokens": "optional"})) == [
        "metadata_options.http_tokens"
    ]
    assert found("imdsv2", one(TEMPLATE)) == ["metadata_options.http_tokens"]
    assert found("imdsv2", one(TEMPLATE, metadataOptions=UNKNOWN)) == []


def test_logs_and_standbys():
    group = "aws:cloudwatch/logGroup:LogGroup"
    assert found("log-retention", one(group, retentionInDays=0)) == ["retention_in_days"]
    assert found("log-retention", one(group, retentionInDays=3653)) == ["retention_in_days"]
    assert found("log-retention", one(group, retentionInDays=UNKNOWN)) == []
    assert found("multi-az", one(DATABASE, multiAz=True), stack="prod") == []
    assert found("multi-az", one(DATABASE, multiAz=UNKNOWN)) == []
    assert found("provisioned-concurrency", one(
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig", functionName=UNKNOWN,
        provisionedConcurrentExecutions=UNKNOWN,
    ))  # fmt: skip
