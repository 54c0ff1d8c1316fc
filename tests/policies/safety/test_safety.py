"""Backups, permissions of services, images, listeners and users' rights: in every form that a program may write."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.values import UNKNOWN
from tests.policies.judging import props, thing, violations

INSTANCE, CLUSTER = "aws:rds/instance:Instance", "aws:rds/cluster:Cluster"
REDSHIFT = "aws:redshift/cluster:Cluster"
PERMISSION = "aws:lambda/permission:Permission"
REPOSITORY = "aws:ecr/repository:Repository"
REGISTRY = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"
LISTENER, RULE = "aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"
FORWARD = {"type": "forward", "targetGroupArn": "arn"}
REDIRECT = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}


@pytest.mark.parametrize(
    ("kind", "prop"),
    [
        (INSTANCE, "backupRetentionPeriod"),
        (CLUSTER, "backupRetentionPeriod"),
        ("aws:docdb/cluster:Cluster", "backupRetentionPeriod"),
        ("aws:docdb/elasticCluster:ElasticCluster", "backupRetentionPeriod"),
        ("aws:neptune/cluster:Cluster", "backupRetentionPeriod"),
        (REDSHIFT, "automatedSnapshotRetentionPeriod"),
    ],
)
def test_backups_of_every_database(kind, prop):
    for value, refused in ((0, 1), (1, 1), (2, 1), ("2", 1), (3, 0), ("7", 0), (35, 0), (UNKNOWN, 0)):
        assert len(props("database-backups", thing(kind, **{prop: value}))) == refused, value
    [violation] = violations("database-backups", thing(kind))
    assert violation.value == f"{0 if kind == INSTANCE else 1} (the default)"
    assert props("database-backups", thing(kind, **{prop: 3}), days=7) == [violation.prop]


def test_replicas_are_backed_up_at_their_source():
    for source in ("arn:aws:rds:us-east-1:123456789012:db:tracking", UNKNOWN):
        assert props("database-backups", thing(INSTANCE, replicateSourceDb=source)) == []


def test_databases_with_a_public_address():
    for kind in (INSTANCE, CLUSTER, "aws:redshiftserverless/workgroup:Workgroup", "aws:mq/broker:Broker"):
        assert props("public-databases", thing(kind, publiclyAccessible=True)) == ["publicly_accessible"]
        assert props("public-databases", thing(kind)) == []


@pytest.mark.parametrize(
    ("inputs", "refused"),
    [
        ({}, True),
        ({"sourceArn": "arn:aws:s3:::models"}, False),
        ({"sourceAccount": "123456789012"}, False),
        ({"sourceArn": UNKNOWN}, False),
        ({"sourceArn": "*"}, True),
        ({"sourceArn": ""}, True),
        ({"principalOrgId": "o-1"}, True),
        ({"principal": "arn:aws:iam::123456789012:role/caller"}, False),
        ({"principal": "123456789012"}, False),
        ({"principal": "*"}, False),
        ({"principal": UNKNOWN}, False),
        ({"principal": "alexa-appkit.amazon.com"}, True),
        ({"principal": "alexa-appkit.amazon.com", "eventSourceToken": "amzn1.ask.skill"}, False),
    ],
)
def test_services_that_may_call_for_any_account(inputs, refused):
    permission = thing(PERMISSION, **{"principal": "events.amazonaws.com", "function": "f", **inputs})
    assert bool(props("permission-source", permission)) is refused


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=5))
def test_every_permission_is_judged_by_itself(scoped):
    held = {"sourceArn": "arn:aws:s3:::models"}
    permissions = [thing(PERMISSION, principal="s3.amazonaws.com", **(held if one else {})) for one in scoped]
    assert len(props("permission-source", *permissions)) == scoped.count(False)


def repository(called="training", tags="IMMUTABLE", scan=True):
    scanning = {} if scan is None else {"imageScanningConfiguration": {"scanOnPush": scan}}
    return thing(REPOSITORY, called=called, name=called, imageTagMutability=tags, **scanning)


def test_images_keep_their_tags_and_are_scanned():
    rule, scan = "container-images", "image_scanning_configuration.scan_on_push"
    assert props(rule, repository()) == []
    assert props(rule, thing(REPOSITORY, name="x")) == ["image_tag_mutability", scan]
    assert props(rule, repository(tags="MUTABLE_WITH_EXCLUSION")) == ["image_tag_mutability"]
    assert props(rule, repository(tags="IMMUTABLE_WITH_EXCLUSION", scan=UNKNOWN)) == []
    assert props(rule, repository(tags=UNKNOWN, scan=False)) == [scan]
    template = thing("aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate", prefix="x")
    assert props(rule, template) == ["image_tag_mutability"]


@pytest.mark.parametrize(
    ("rules", "scanned"),
    [
        ([{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*"}]}], ["training", "serving"]),
        ([{"scanFrequency": "MANUAL", "repositoryFilters": [{"filter": "*"}]}], []),
        ([{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "train*"}]}], ["training"]),
        ([{"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "rain"}]}], ["training"]),
        ([{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": UNKNOWN}]}], ["training", "serving"]),
        (UNKNOWN, ["training", "serving"]),
    ],
)
def test_a_registry_scans_what_its_filters_name(rules, scanned):
    both = [repository(name, scan=None) for name in ("training", "serving")]
    refused = violations("container-images", *both, thing(REGISTRY, rules=rules))
    assert [violation.resource.name for violation in refused] == [one.name for one in both if one.name not in scanned]


@pytest.mark.parametrize("kind", [LISTENER, "aws:alb/listener:Listener"])
@pytest.mark.parametrize(
    ("inputs", "refused"),
    [
        ({"protocol": "HTTP", "defaultActions": [FORWARD]}, True),
        ({"protocol": "http", "defaultActions": [FORWARD]}, True),
        ({"port": 80, "defaultActions": [FORWARD]}, True),
        ({"defaultActions": [FORWARD]}, False),
        ({"protocol": "HTTPS", "defaultActions": [FORWARD]}, False),
        ({"protocol": "TLS"}, False),
        ({"protocol": "TCP"}, False),
        ({"protocol": UNKNOWN, "defaultActions": [FORWARD]}, False),
        ({"protocol": "HTTP", "defaultActions": [REDIRECT]}, False),
        ({"protocol": "HTTP", "defaultActions": REDIRECT}, False),
        ({"protocol": "HTTP", "defaultActions": UNKNOWN}, False),
        ({"protocol": "HTTP", "defaultActions": []}, True),
        ({"protocol": "HTTP", "defaultActions": [REDIRECT, FORWARD]}, True),
        ({"protocol": "HTTP", "defaultActions": [{"type": "redirect", "redirect": {"host": "x"}}]}, True),
    ],
)
def test_listeners_without_tls(kind, inputs, refused):
    assert bool(props("tls-listeners", thing(kind, **inputs))) is refused


def test_rules_of_plain_listeners_and_classic_balancers():
    plain = thing(LISTENER, called="http", protocol="HTTP", defaultActions=[REDIRECT])
    rule = thing(RULE, called="api", actions=[FORWARD], needs={"listenerArn": "http"})
    [violation] = violations("tls-listeners", plain, rule)
    assert violation.resource.name == "api" and "on the HTTP listener http" in violation.prop
    safe = thing(LISTENER, called="http", protocol="HTTPS", defaultActions=[FORWARD])
    assert violations("tls-listeners", safe, rule) == []
    listeners = [{"lbProtocol": protocol, "lbPort": 80} for protocol in ("https", "http", "tcp", "ssl", "HTTP")]
    assert props("tls-listeners", thing("aws:elb/loadBalancer:LoadBalancer", listeners=listeners)) == [
        "listeners[1].lb_protocol",
        "listeners[4].lb_protocol",
    ]


@pytest.mark.parametrize(
    ("kind", "inputs", "refused"),
    [
        ("userPolicyAttachment:UserPolicyAttachment", {"user": "ann", "policyArn": "arn"}, ["policy_arn"]),
        ("userPolicy:UserPolicy", {"user": "ann", "policy": "{}"}, ["policy"]),
        ("policyAttachment:PolicyAttachment", {"users": ["ann"], "groups": ["readers"]}, ["users"]),
        ("policyAttachment:PolicyAttachment", {"users": [], "groups": ["readers"]}, []),
        ("policyAttachment:PolicyAttachment", {"users": UNKNOWN}, []),
        ("policyAttachment:PolicyAttachment", {"groups": ["readers"]}, []),
        ("userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive", {"policyArns": ["a"]}, ["policy_arns"]),
        ("userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive", {"policyArns": []}, []),
        ("userPoliciesExclusive:UserPoliciesExclusive", {"policyNames": ["a"]}, ["policy_names"]),
    ],
)
def test_rights_of_single_users(kind, inputs, refused):
    assert props("user-policies", thing(f"aws:iam/{kind}", **inputs)) == refused


def test_notebooks_hand_out_credentials_by_token_only():
    notebook, block = "aws:sagemaker/notebookInstance:NotebookInstance", "instanceMetadataServiceConfiguration"
    for value, refused in ((None, 1), ("1", 1), ("2", 0), (UNKNOWN, 0)):
        inputs = {} if value is None else {block: {"minimumInstanceMetadataServiceVersion": value}}
        assert len(props("imdsv2", thing(notebook, **inputs))) == refused
