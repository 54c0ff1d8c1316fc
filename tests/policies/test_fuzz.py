"""Whatever a program writes, no rule fails: any type, any properties, unknown and missing ones, at any depth."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.protobuf import struct_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs.book.prices import PriceBook
from costs.plan.preview import SECRET, SIGNATURE, UNKNOWNS
from policies.catalog import RULES
from policies.rule import Context, Earlier, Resource, Stack
from policies.values import UNKNOWN, plain_mapping, shown, snake

BOOK = PriceBook.load()
RESOURCE_RULES = [rule for rule in RULES if rule.check]
STACK_RULES = [rule for rule in RULES if rule.check_stack]
PROPS = sorted(  # what rules look at, so that strange values land there
    {
        "tags", "policy", "ingress", "bucket", "name", "type", "size", "iops", "instanceType", "rootBlockDevice",
        "ebsBlockDevices", "blockDeviceMappings", "metadataOptions", "environment", "variables", "userData",
        "resourceConfig", "stoppingCondition", "checkpointConfig", "trainingJobDefinition", "trainingJobDefinitions",
        "enableManagedSpotTraining", "productionVariants", "managedInstanceScaling", "scalingConfig", "desiredSize",
        "mixedInstancesPolicy", "instancesDistribution", "launchTemplate", "overrides", "tagSpecifications",
        "instanceTypes",
        "cidrBlocks", "cidrIpv4", "fromPort", "toPort", "protocol", "ipProtocol", "acl", "grants", "inlinePolicies",
        "retentionInDays", "multiAz", "storageType", "engine", "instanceClass", "forceDestroy", "functionName",
        "principal",
        "memorySize", "architectures", "provisionedConcurrentExecutions", "minSize", "desiredCapacity", "volumeType",
        "ebs",
        "containerDefinitions", "containerProperties", "hyperParameters", "value", "resourceSpec", "computeResources",
        "lifecycleRules", "rules", "serviceName", "vpcEndpointType", "allocationId", "managedPolicyArns", "policyArn",
        "shoestring:lease", "shoestring:cost-override", "Statement", "Action", "Resource", "Effect", "Condition",
        "volumeTags", "deviceName", "launchSpecifications", "rootBlockDevices", "details",
        "publicAccessBlockConfiguration",
        "backupRetentionPeriod", "sourceArn", "imageScanningConfiguration", "imageTagMutability", "repositoryFilters",
        "scanFrequency", "defaultActions", "redirect", "listeners", "lbProtocol", "users", "policyArns", "NotResource",
        "nodeProperties", "eksProperties", "resourceId", "minCapacity", "asyncInferenceConfig", "serverlessConfig",
        "provisionedConcurrency", "volumeConfiguration", "launchConfiguration", "minVcpus", "Principal",
        "allocatedStorage", "instanceCount", "instanceGroups", "volumeSizeInGb", "maxRuntimeInSeconds", "encrypted",
    }
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(
        ["", "*", "t4g.nano", "ml.g4dn.xlarge", "0.0.0.0/0", "::/0", "not/an/address", "ingress", "-1", "Allow",
         "io1", "gp2", "-5", "{", "[]",
         '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}', '{"Statement": 3}', "NaN",
         "2030-01-31T18:00:00Z", "2030-01-31", "99999-01-01", "1e999", "password=hunter22hunter", "true", "\x00"]
    ),
    st.text(max_size=8),
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), st.floats(), TEXTS, st.just(UNKNOWN))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(PROPS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
PROPERTIES = st.dictionaries(st.sampled_from(PROPS), VALUES, max_size=6)
TYPES = sorted(
    {kind for rule in RULES for kind in rule.types}
    | {resource.type for rule in RULES for resource in rule.fails.resources}
)
CONTEXTS = st.sampled_from(["dev", "prod", "dev-window", "", "elsewhere"])
FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def context(rule, stack, earlier=None):
    return Context(stack=stack, config=rule.defaults, book=BOOK, earlier=lambda: Earlier(earlier))


@pytest.mark.parametrize("rule", RESOURCE_RULES, ids=lambda rule: rule.name)
@FEW
@given(data=st.data())
def test_no_properties_break_a_rule(rule, data):
    kind = data.draw(st.sampled_from(rule.types or TYPES))
    example = next((declared.props for declared in rule.fails.resources if declared.type == kind), {})
    props = {**data.draw(st.sampled_from([{}, example])), **data.draw(PROPERTIES)}
    resource = Resource(kind, "thing", props, f"urn:pulumi:dev::p::{kind}::thing")
    judging = context(rule, data.draw(CONTEXTS))
    for violation in rule.check(resource, judging):
        assert rule.message(violation, resource)
    if rule.remediate:
        rule.remediate(resource, judging)


RESOURCES = st.lists(
    st.builds(
        lambda kind, name, props, needs: Resource(
            kind, name, props, f"urn:pulumi:dev::p::{kind}::{name}", False, None,
            {prop: (f"urn:pulumi:dev::p::{other}::{name}",) for prop, other in needs.items()},
        ),
        st.sampled_from(TYPES), st.sampled_from("abc"), PROPERTIES,
        st.dictionaries(st.sampled_from(PROPS), st.sampled_from(TYPES), max_size=2),
    ),
    max_size=5,
)  # fmt: skip


@pytest.mark.parametrize("rule", STACK_RULES, ids=lambda rule: rule.name)
@FEW
@given(resources=RESOURCES, stack=CONTEXTS, before=RESOURCES)
def test_no_stack_breaks_a_rule(rule, resources, stack, before):
    earlier = [resource.planned() for resource in before]
    for whole in (resources, [*resources, *rule.fails.resources]):
        for violation in rule.check_stack(Stack(whole), context(rule, stack, earlier)):
            assert rule.message(violation, None)


WIRE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5), st.sampled_from(sorted(UNKNOWNS))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(max_size=5), inner, max_size=3),
        st.builds(lambda value: {SIGNATURE: SECRET, "value": value}, inner),
    ),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(props=st.dictionaries(st.text(max_size=5), WIRE, max_size=4))
def test_every_message_of_the_engine_is_unpacked(props):
    struct = struct_pb2.Struct()
    struct.update(props)
    plain = plain_mapping(struct.fields)
    assert set(plain) == set(props)
    assert all(len(shown(value)) < 200 and snake(key) is not None for key, value in plain.items())


def test_resources_are_immutable():
    resource = Resource("a", "b", {})
    assert replace(resource, name="c").name == "c" and resource.name == "b"
