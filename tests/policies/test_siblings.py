"""Siblings of what the rules name first: other types, other ways of saying it, what AWS shows as the secure form."""

from __future__ import annotations

import json

import pytest

from policies.shapes.machines import (
    CONFIGURATION,
    FLEET,
    GROUP,
    INSTANCE,
    NODES,
    RESERVATION,
    SPOT_FLEET,
    SPOT_REQUEST,
    TEMPLATE,
)
from policies.values import UNKNOWN
from tests.policies.judging import RULES, props, thing, violations

POLICY, PERMISSION = "aws:s3/bucketPolicy:BucketPolicy", "aws:lambda/permission:Permission"
CACHE, VOLUME = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:ebs/volume:Volume"
DATABASE, ROLE = "aws:rds/instance:Instance", "aws:iam/role:Role"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
TAGS = {
    "Project": "churn", "Environment": "dev", "Team": "ml", "Owner": "you@example.com", "CostCenter": "42",
    "ManagedBy": "pulumi",
}  # fmt: skip
ROOT = "root_block_device.encrypted"


def document(**changes):
    allowed = {"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", **changes}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


@pytest.mark.parametrize(
    ("operator", "key", "value", "public"),
    [
        ("StringEquals", "s3:DataAccessPointAccount", "123456789012", False),
        ("ArnLike", "s3:DataAccessPointArn", "arn:aws:s3:us-east-1:123456789012:accesspoint/*", False),
        ("StringEquals", "aws:SourceOrgID", "o-a1b2c3d4e5", False),
        ("StringEquals", "aws:VpceOrgID", "o-a1b2c3d4e5", False),
        ("StringEquals", "aws:VpceAccount", "123456789012", False),
        ("StringLike", "aws:userid", "AROAEXAMPLEID:*", False),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/*", False),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::models", False),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", ["o-a1b2c3d4e5/*"], False),
        ("Bool", "aws:ViaAWSService", "true", True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/inference", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*", True),
        ("ArnLike", "aws:SourceArn", "arn:*", True),
        ("StringLike", "aws:SourceVpc", "vpc-*", True),
        ("StringLike", "aws:SourceVpce", ["vpce-0123456789abcdef0", "vpce-*"], True),
        ("StringLike", "aws:PrincipalOrgID", "o-*", True),
        ("StringLike", "aws:Referer", "https://example.com/*", True),
    ],
)
def test_a_condition_holds_to_accounts_only_what_names_some(operator, key, value, public):
    policy = document(Condition={operator: {key: value}})
    assert bool(props("public-buckets", thing(POLICY, policy=policy))) is public


def test_everybody_but_some_is_named_as_it_is_written():
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "s3:GetObject"}
    [violation] = violations("public-buckets", thing(POLICY, policy={"Statement": [statement]}))
    assert violation.prop.endswith("NotPrincipal") and violation.value == statement["NotPrincipal"]


@pytest.mark.parametrize(
    ("kind", "prop"),
    [
        ("aws:s3tables/tablePolicy:TablePolicy", "resourcePolicy"),
        ("aws:s3/vectorsVectorBucketPolicy:VectorsVectorBucketPolicy", "policy"),
    ],
)
def test_policies_of_tables_and_vectors(kind, prop):
    assert kind in RULES["public-buckets"].types
    assert len(props("public-buckets", thing(kind, **{prop: document()}))) == 1
    assert props("public-buckets", thing(kind, **{prop: document(Principal={"AWS": "123456789012"})})) == []


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("arn:aws:s3:::*", True),
        ("arn:aws:events:*:*:rule/*", True),
        ("arn:aws:execute-api:us-east-1:*:*/*", True),
        ("arn:*", True),
        ("arn:aws:s3:::models", False),
        ("arn:aws:execute-api:us-east-1:123456789012:a1b2c3/*/*", False),
        ("arn:aws:events:us-east-1:123456789012:rule/*", False),
    ],
)
def test_a_source_of_any_account_is_none(source, refused):
    permission = thing(PERMISSION, principal="events.amazonaws.com", sourceArn=source)
    assert bool(props("permission-source", permission)) is refused
    anybody = thing(PERMISSION, principal="*", sourceArn=source)
    assert bool(props("public-functions", anybody)) is refused


@pytest.mark.parametrize(
    ("inputs", "refused"),
    [
        ({}, True),
        ({"engine": "redis"}, True),
        ({"engine": "valkey"}, False),
        ({"engine": UNKNOWN}, False),
        ({"engine": "valkey", "atRestEncryptionEnabled": False}, True),
        ({"globalReplicationGroupId": "global"}, False),
        ({"engine": "redis", "snapshotArns": ["arn:aws:s3:::backups/dump.rdb"]}, True),
        ({"engine": "redis", "snapshotName": "nightly"}, True),
    ],
)
def test_caches_are_encrypted_as_their_engine_has_it(inputs, refused):
    assert bool(props("encrypted-storage", thing(CACHE, **inputs))) is refused


def test_an_account_that_encrypts_disks_by_itself():
    rule, account = "encrypted-storage", "aws:ebs/encryptionByDefault:EncryptionByDefault"
    for inputs, refused in (({}, []), ({"enabled": True}, []), ({"enabled": False}, ["enabled"])):
        assert props(rule, thing(account, **inputs)) == refused
    for resource in (thing(VOLUME), thing(INSTANCE), thing(TEMPLATE), thing(NODES), thing(CONFIGURATION)):
        assert len(props(rule, resource)) == 1
        assert props(rule, resource, encryptedByDefault=True) == []
    off = thing(INSTANCE, rootBlockDevice={"encrypted": False})
    assert props(rule, off, encryptedByDefault=True) == [ROOT], "what a program says counts"
    assert props(rule, thing(DATABASE), encryptedByDefault=True) == ["storage_encrypted"], "no disk of EBS"


def test_other_stores_that_are_encrypted_where_they_say_so():
    for kind, prop in (
        ("aws:appsync/apiCache:ApiCache", "atRestEncryptionEnabled"),
        ("aws:ebs/snapshotImport:SnapshotImport", "encrypted"),
    ):
        assert len(props("encrypted-storage", thing(kind))) == 1
        assert props("encrypted-storage", thing(kind, **{prop: True})) == []


def test_restored_databases_have_the_disks_of_what_they_were():
    inputs = {"engine": "postgres", "instanceClass": "db.t4g.micro", "allocatedStorage": 20}
    assert props("gp3-volumes", thing(DATABASE, **inputs)) == ["storage_type"]
    restored = thing(DATABASE, **inputs, restoreToPointInTime={"sourceDbInstanceIdentifier": "tracking"})
    assert props("gp3-volumes", restored) == []


def test_snapshots_of_databases_in_memory():
    kind = "aws:memorydb/cluster:Cluster"
    for inputs, refused in (({}, 1), ({"snapshotRetentionLimit": 1}, 1), ({"snapshotRetentionLimit": 7}, 0)):
        assert len(props("database-backups", thing(kind, **inputs))) == refused


def test_a_repository_whose_name_nobody_knows_yet_may_be_scanned():
    repository = thing("aws:ecr/repository:Repository", name=UNKNOWN, imageTagMutability="IMMUTABLE")
    rules = [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "prod*"}]}]
    registry = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
    assert props("container-images", repository, thing(registry, rules=rules)) == []
    assert len(props("container-images", repository, thing(registry, rules=[]))) == 1


@pytest.mark.parametrize("action", ["*", "**", "?*", "*:*", "s3:*", "S3:**", "iam:*?"])
def test_all_actions_in_every_spelling(action):
    policy = document(Action=action, Resource="arn:aws:s3:::models/*")
    assert props("wildcard-iam", thing("aws:iam/policy:Policy", policy=policy)) == ["policy, statement Read, Action"]


@pytest.mark.parametrize(
    ("resource", "wide"),
    [
        ("arn:*", True),
        ("arn:aws:*", True),
        ("arn:*:*", True),
        ("arn:aws:*:*:*:*", True),
        (["arn:aws:s3:::models/*", "**"], True),
        ("arn:aws:s3:::models/*", False),
        ("arn:aws:logs:*:*:*", False),
        ("arn:aws:logs:us-east-1:123456789012:*", False),
    ],
)
def test_all_resources_in_every_spelling(resource, wide):
    policy = document(Action="logs:PutLogEvents", Resource=resource)
    assert bool(props("wildcard-iam", thing("aws:iam/policy:Policy", policy=policy))) is wide


@pytest.mark.parametrize(
    ("kind", "prop"),
    [
        ("aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive", "policyArns"),
        ("aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive", "policyArns"),
        ("aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive", "policyArns"),
        ("aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment", "managedPolicyArn"),
        ("aws:ssoadmin/managedPolicyAttachmentsExclusive:ManagedPolicyAttachmentsExclusive", "managedPolicyArns"),
    ],
)
def test_all_powerful_policies_wherever_they_are_attached(kind, prop):
    several = prop.endswith("s")
    assert kind in RULES["wildcard-iam"].types
    assert len(props("wildcard-iam", thing(kind, **{prop: ["arn:aws:iam::aws:policy/X", ADMIN] if several else ADMIN})))
    assert props("wildcard-iam", thing(kind, **{prop: UNKNOWN})) == []


def test_rights_of_people_who_sign_on():
    kind = "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy"
    assert props("wildcard-iam", thing(kind, inlinePolicy=document(Action="*"))) == [
        "inline_policy, statement Read, Action"
    ]


@pytest.mark.parametrize(
    ("principal", "condition", "refused"),
    [
        ("*", None, True),
        ({"AWS": ["*"]}, None, True),
        ({"AWS": "*"}, {"StringEquals": {"sts:ExternalId": "42"}}, True),
        ({"AWS": "*"}, {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, False),
        ({"Service": "lambda.amazonaws.com"}, None, False),
        ({"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}, None, False),
    ],
)
def test_roles_that_anybody_may_take(principal, condition, refused):
    trust = document(Action="sts:AssumeRole", Principal=principal, **({"Condition": condition} if condition else {}))
    wide = ["assume_role_policy, statement Read, Principal"] if refused else []
    assert props("wildcard-iam", thing(ROLE, assumeRolePolicy=trust)) == wide


def test_credentials_of_every_machine():
    rule, block = "imdsv2", "instanceMetadataOptions"
    for kind in (INSTANCE, SPOT_REQUEST, TEMPLATE, CONFIGURATION):
        assert props(rule, thing(kind)) == ["metadata_options.http_tokens"]
    assert len(props(rule, thing(SPOT_FLEET, launchSpecifications=[{"instanceType": "m5.large"}]))) == 1
    assert props(rule, thing(SPOT_FLEET, launchTemplateConfigs=[{}])) == []
    builder = "aws:imagebuilder/infrastructureConfiguration:InfrastructureConfiguration"
    assert props(rule, thing(builder)) == ["instance_metadata_options.http_tokens"]
    assert props(rule, thing(builder, **{block: {"httpTokens": "required"}})) == []
    account = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"
    for tokens, refused in (("optional", 1), ("required", 0), (None, 0), (UNKNOWN, 0)):
        assert len(props(rule, thing(account, httpTokens=tokens))) == refused


@pytest.mark.parametrize(
    ("remote", "is_open"),
    [
        (None, False),
        ({"ec2SshKey": "mine"}, True),
        ({"ec2SshKey": UNKNOWN}, True),
        ({"ec2SshKey": "mine", "sourceSecurityGroupIds": []}, True),
        ({"ec2SshKey": "mine", "sourceSecurityGroupIds": ["sg-0123456789abcdef0"]}, False),
        ({"ec2SshKey": "mine", "sourceSecurityGroupIds": UNKNOWN}, False),
        (UNKNOWN, False),
    ],
)
def test_a_key_of_eks_nodes_opens_them(remote, is_open):
    assert bool(props("open-ports", thing(NODES, remoteAccess=remote))) is is_open


def untagged(kind, **inputs):
    return [
        line.split(":")[0].strip()
        for violation in violations("cost-tags", thing(kind, tags=TAGS, **inputs))
        for line in violation.message.splitlines()[1:-1]
    ]


def test_what_fleets_services_and_groups_start_has_tags():
    specifications = [{"tags": TAGS}, {"instanceType": "m5.large"}, {"tags": UNKNOWN}]
    assert untagged(SPOT_FLEET, launchSpecifications=specifications) == ["launch_specifications[1].tags"]
    assert untagged(SPOT_FLEET, launchTemplateConfigs=[{}]) == []
    service = "aws:ecs/service:Service"
    for value, places in ((None, 1), ("NONE", 1), ("SERVICE", 0), ("TASK_DEFINITION", 0), (UNKNOWN, 0)):
        assert len(untagged(service, propagateTags=value)) == places
    for reaches, refused in ((True, 0), ("true", 0), (False, 1), ("false", 1)):
        tags = [{"key": key, "value": value, "propagateAtLaunch": reaches} for key, value in TAGS.items()]
        assert len(violations("cost-tags", thing(GROUP, tags=tags))) == refused


def test_a_setting_is_named_only_where_it_fills_in_the_tag():
    [violation] = violations("cost-tags", thing(INSTANCE, tags=TAGS))
    assert violation.message.endswith("mend it: the argument named above in the program")
    [violation] = violations("cost-tags", thing(INSTANCE, tags={**TAGS, "Team": ""}, volumeTags=TAGS))
    assert "shoestring:team in Pulumi.dev.yaml or the argument" in violation.message


@pytest.mark.parametrize(
    ("kind", "inputs", "prop"),
    [
        (
            SPOT_FLEET,
            {
                "targetCapacity": 2,
                "launchSpecifications": [{"instanceType": "m5.large"}, {"instanceType": "g5.xlarge"}],
            },
            "launch_specifications[1].instance_type",
        ),
        (
            FLEET,
            {
                "targetCapacitySpecification": {"totalTargetCapacity": "2"},
                "launchTemplateConfigs": [{"overrides": [{"instanceType": "g5.xlarge"}]}],
            },
            "launch_template_configs.overrides",
        ),
        (RESERVATION, {"instanceType": "g5.xlarge", "instanceCount": 2}, "instance_type"),
    ],
)
def test_accelerators_of_fleets_and_reservations(kind, inputs, prop):
    [violation] = violations("always-on-gpu", thing(kind, **inputs))
    assert violation.prop == prop and "2 × g5.xlarge" in violation.cost
    assert violations("always-on-gpu", thing(kind, tags={"shoestring:lease": "2099-01-31T18:00:00Z"}, **inputs)) == []


def test_fleets_take_their_machines_from_templates_and_may_want_none():
    template = thing(TEMPLATE, called="gpu", name="gpu", instanceType="g5.xlarge")
    needs = {"launchTemplateConfigs": "gpu"}
    fleet = thing(FLEET, called="fleet", needs=needs, targetCapacitySpecification={"totalTargetCapacity": 1})
    assert props("always-on-gpu", template, fleet) == ["launch_template gpu, instance_type"]
    for wanted in (0, UNKNOWN, None):
        empty = thing(FLEET, called="fleet", needs=needs, targetCapacitySpecification={"totalTargetCapacity": wanted})
        assert props("always-on-gpu", template, empty) == []
    ends = thing(RESERVATION, instanceType="g5.xlarge", endDate="2030-01-31T18:00:00Z")
    assert props("always-on-gpu", ends) == []


def test_what_is_unknown_of_disks_and_specifications_may_have_tags():
    assert untagged(INSTANCE, rootBlockDevice=UNKNOWN) == untagged(INSTANCE, ebsBlockDevices=UNKNOWN) == []
    blocks = [{"deviceName": "/dev/sdf"}]
    assert untagged(INSTANCE, rootBlockDevice=UNKNOWN, ebsBlockDevices=blocks) == ["ebs_block_devices[0].tags"]
    assert untagged(TEMPLATE, tagSpecifications=[{"resourceType": UNKNOWN, "tags": TAGS}]) == []


def test_leases_of_groups_end_too():
    for until, refused in (("2099-01-31T18:00:00Z", 1), ("2020-01-31T18:00:00Z", 0), (UNKNOWN, 0)):
        tags = [{"key": "shoestring:lease", "value": until, "propagateAtLaunch": True}]
        assert len(props("ephemeral-lease", thing(GROUP, tags=tags))) == refused
        running = {"minSize": 1, "maxSize": 1, "launchTemplate": {"name": "gpu"}}
        template = thing(TEMPLATE, called="gpu", name="gpu", instanceType="g5.xlarge")
        assert props("always-on-gpu", template, thing(GROUP, tags=tags, **running)) == []


def test_warehouses_are_private_by_default():
    kind = "aws:redshift/cluster:Cluster"
    for value, refused in ((None, 0), (False, 0), (True, 1), (UNKNOWN, 0)):
        assert len(props("public-databases", thing(kind, publiclyAccessible=value))) == refused
