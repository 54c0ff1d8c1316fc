"""The pack as the engine talks to it: over gRPC's own client, in its levels, and by the signals that end it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policies.catalog import RULES
from policies.rule import Earlier, Violation
from policies.server import Pack, server_of
from policies.state import State

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
BUCKET = "aws:s3/bucket:Bucket"


class NoState(State):
    def start(self, wait):
        self._found = Earlier()

    def earlier(self):
        return self._found


@pytest.fixture
def pack():
    return Pack(RULES, NoState())


@pytest.fixture
def stub(pack):
    """gRPC's own client, talking to the pack."""
    server, port = server_of(pack)
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.max_receive_message_length", -1)]) as channel:
        yield analyzer_pb2_grpc.AnalyzerStub(channel)
    server.stop(None)


def request(kind, props, name="thing"):
    asked = analyzer_pb2.AnalyzeRequest(type=kind, name=name, urn=f"urn:pulumi:dev::p::{kind}::{name}")
    asked.properties.update(props)
    return asked


def configured(**rules):
    asked = analyzer_pb2.ConfigureAnalyzerRequest()
    for name, (level, props) in rules.items():
        config = asked.policyConfig[name.replace("_", "-")]
        config.enforcementLevel = getattr(analyzer_pb2, level.upper())
        config.properties.update(props)
    return asked


def levels(response):
    return {
        diagnostic.policyName: analyzer_pb2.EnforcementLevel.Name(diagnostic.enforcementLevel)
        for diagnostic in response.diagnostics
    }


def test_grpc_itself_understands_it(stub):
    info = stub.GetAnalyzerInfo(empty_pb2.Empty())
    assert {policy.name for policy in info.policies} == {rule.name for rule in RULES}
    assert info.supportsConfig
    schema = next(policy.configSchema for policy in info.policies if policy.name == "cost-increase")
    assert schema.properties["share"]["default"] == 25
    assert stub.GetPluginInfo(empty_pb2.Empty()).version
    response = stub.Analyze(request("aws:ec2/natGateway:NatGateway", {"subnetId": "subnet-1"}))
    assert levels(response) == {"nat-gateways": "MANDATORY", "cost-tags": "MANDATORY"}
    assert stub.Analyze(request("kubernetes:core/v1:Pod", {})).diagnostics == []


def test_large_messages_go_both_ways(stub):
    everything = analyzer_pb2.AnalyzeStackRequest()
    for number in range(3000):
        resource = request(BUCKET, {"bucket": f"b{number}", "policy": "x" * 1000}, f"b{number}")
        everything.resources.add(
            type=resource.type, name=resource.name, urn=resource.urn, properties=resource.properties
        )
    assert everything.ByteSize() > 3_000_000
    response = stub.AnalyzeStack(everything)
    assert response.ByteSize() > 1_000_000, "many times what a client takes at once"
    assert [diagnostic.policyName for diagnostic in response.diagnostics].count("bucket-lifecycle") == 3000


def test_many_calls_at_once(stub):
    asked = [stub.Analyze.future(request("aws:ec2/natGateway:NatGateway", {}, f"n{i}")) for i in range(200)]
    assert all("nat-gateways" in levels(each.result(timeout=30)) for each in asked)


def test_a_fault_of_the_pack_is_an_error_of_the_call_and_ends_nothing():
    def fault(*_):
        raise RuntimeError("spam")

    [rule] = [rule for rule in RULES if rule.name == "cost-tags"]
    server, port = server_of(Pack([replace(rule, remediate=fault)], NoState()))
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = analyzer_pb2_grpc.AnalyzerStub(channel)
        with pytest.raises(grpc.RpcError, match="spam") as refused:
            stub.Remediate(request(BUCKET, {}))
        assert refused.value.code() == grpc.StatusCode.UNKNOWN
        assert levels(stub.Analyze(request(BUCKET, {}))) == {"cost-tags": "MANDATORY"}
    server.stop(None)


PACK = Path(__file__).parents[2] / "policies"


@pytest.fixture
def process():
    """The pack as the engine starts it, once it answers; nothing of it is left at the end."""
    started = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(PACK)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        port = int(started.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert analyzer_pb2_grpc.AnalyzerStub(channel).GetPluginInfo(empty_pb2.Empty(), timeout=30).version
        yield started
    finally:
        started.kill()
        started.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_silence(process, number):
    process.send_signal(number)
    output, errors = process.communicate(timeout=10)
    assert process.returncode == -number and output == errors == ""


ENGINE = """
import subprocess, sys, time
pack = subprocess.Popen([sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", sys.argv[1]],
                        stdout=subprocess.PIPE, text=True)
print(pack.pid, pack.stdout.readline(), flush=True)
time.sleep(60)
"""


def test_it_ends_when_the_engine_is_gone():
    """An engine that is killed ends nobody: the pack looks itself whether it is still there."""
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(PACK)], stdout=subprocess.PIPE, text=True)
    pack = psutil.Process(int(engine.stdout.readline().split()[0]))
    try:
        assert pack.is_running()
        engine.kill()
        pack.wait(timeout=20)
    finally:
        engine.kill()
        engine.wait()
        if pack.is_running():
            pack.kill()


def test_levels(pack):
    asked = request("aws:ec2/natGateway:NatGateway", {"tags": {}})
    pack.Configure(configured(cost_tags=("disabled", {}), nat_gateways=("advisory", {})))
    assert levels(pack.Analyze(asked)) == {"nat-gateways": "ADVISORY"}
    pack.Configure(configured(nat_gateways=("disabled", {})))
    assert levels(pack.Analyze(asked)) == {}
    pack.Configure(configured(nat_gateways=("remediate", {}), no_rule=("mandatory", {})))
    assert levels(pack.Analyze(asked)) == {"nat-gateways": "MANDATORY"}, "it has no remediation"


def test_configuration_replaces_the_defaults_it_names(pack):
    asked = request("aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcEndpointType": "Interface", "serviceName": "com.x.sqs"})
    assert "interface-endpoints" in levels(pack.Analyze(asked))
    pack.Configure(configured(interface_endpoints=("mandatory", {"allow": ["sqs"]})))
    assert "interface-endpoints" not in levels(pack.Analyze(asked))


def test_remediation_leaves_secrets_assets_and_unknown_values_as_they_are(pack):
    secret = {SIGNATURE: SECRET, "value": "hush"}
    props = {"bucket": UNKNOWN, "acl": secret, "tags": {"Team": secret, "Owner": UNKNOWN}}
    [made] = pack.Remediate(request(BUCKET, props)).remediations
    assert made.policyName == "cost-tags"
    wanted = struct_pb2.Struct()
    wanted.update(props)
    wanted.fields["tags"].struct_value.update({"ManagedBy": "pulumi", "Project": "shoestring", "Environment": "dev"})
    assert made.properties == wanted
    assert not pack.Remediate(request(BUCKET, {"tags": secret})).remediations, "secret as a whole"
    pack.Configure(configured(cost_tags=("mandatory", {})))
    assert not pack.Remediate(request(BUCKET, props)).remediations


def test_a_rule_with_a_fault_is_said_and_passes_nothing(pack):
    def fault(*_):
        raise RuntimeError("spam")
        yield Violation("", None, "")

    [rule] = [rule for rule in RULES if rule.name == "nat-gateways"]
    broken = Pack([type(rule)(**{**rule.__dict__, "check": fault})], NoState())
    [diagnostic] = broken.Analyze(request(rule.types[0], {})).diagnostics
    assert "thing (aws:ec2/natGateway:NatGateway) was not checked: RuntimeError: spam" in diagnostic.message
    assert diagnostic.enforcementLevel == analyzer_pb2.MANDATORY


def test_the_stack_is_judged_by_inputs(pack):
    """AnalyzeStack brings outputs, which components do not have and providers add to."""
    volume = request("aws:ebs/volume:Volume", {"size": 1000, "type": "gp3", "encrypted": True})
    pack.Analyze(volume)
    asked = analyzer_pb2.AnalyzeStackRequest()
    asked.resources.add(type=volume.type, name=volume.name, urn=volume.urn)
    [diagnostic] = [
        diagnostic for diagnostic in pack.AnalyzeStack(asked).diagnostics if diagnostic.policyName == "monthly-budget"
    ]
    assert "costs up to $80.00 a month" in diagnostic.message and diagnostic.urn == ""


def test_a_thousand_resources_take_the_pack_no_second_of_processor_time(pack):
    tags = {
        "Project": "p",
        "Environment": "dev",
        "Team": "t",
        "Owner": "a@b.c",
        "CostCenter": "c",
        "ManagedBy": "pulumi",
    }
    asked = [
        request("aws:ssm/parameter:Parameter", {"name": "x", "value": "y", "tags": tags}, f"p{i}") for i in range(1000)
    ]
    whole = analyzer_pb2.AnalyzeStackRequest()
    for resource in asked:
        whole.resources.add(type=resource.type, name=resource.name, urn=resource.urn)
    started = time.process_time()
    for resource in asked:
        assert not pack.Remediate(resource).remediations
        assert not pack.Analyze(resource).diagnostics
    assert not pack.AnalyzeStack(whole).diagnostics
    assert time.process_time() - started < 1
