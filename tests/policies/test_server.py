"""The pack as the engine talks to it: over gRPC's own client, in its levels, and whatever frames come in."""

from __future__ import annotations

import socket
import threading
import time

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policies import wire
from policies.catalog import RULES
from policies.rule import Earlier, Finding
from policies.server import Pack, methods
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
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=wire.serve, args=(listening, methods(pack)), daemon=True).start()
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        with grpc.insecure_channel(address, [("grpc.max_receive_message_length", -1)]) as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)


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


def said(response):
    return {each.policyName: analyzer_pb2.EnforcementLevel.Name(each.enforcementLevel) for each in response.diagnostics}


def test_grpc_itself_understands_it(stub):
    info = stub.GetAnalyzerInfo(empty_pb2.Empty())
    assert {policy.name for policy in info.policies} == {rule.name for rule in RULES}
    assert info.supportsConfig
    schema = next(policy.configSchema for policy in info.policies if policy.name == "cost-increase")
    assert schema.properties["share"]["default"] == 25
    assert stub.GetPluginInfo(empty_pb2.Empty()).version
    response = stub.Analyze(request("aws:ec2/natGateway:NatGateway", {"subnetId": "subnet-1"}))
    assert said(response) == {"nat-gateways": "MANDATORY", "cost-tags": "MANDATORY"}
    assert stub.Analyze(request("kubernetes:core/v1:Pod", {})).diagnostics == []


def test_large_messages_go_both_ways(stub):
    everything = analyzer_pb2.AnalyzeStackRequest()
    for number in range(3000):
        one = request(BUCKET, {"bucket": f"b{number}", "policy": "x" * 1000}, f"b{number}")
        everything.resources.add(type=one.type, name=one.name, urn=one.urn, properties=one.properties)
    assert everything.ByteSize() > 3_000_000
    response = stub.AnalyzeStack(everything)
    assert response.ByteSize() > 1_000_000, "many times what a client takes at once"
    assert len([each for each in response.diagnostics if each.policyName == "bucket-lifecycle"]) == 3000


def test_many_calls_at_once(stub):
    asked = [stub.Analyze.future(request("aws:ec2/natGateway:NatGateway", {}, f"n{i}")) for i in range(200)]
    assert all("nat-gateways" in said(each.result(timeout=30)) for each in asked)


def call(path, body=b"\0\0\0\0\0"):
    """The bytes of one call, with its headers as literals."""
    name = path.encode()
    block = b"\x00\x05:path" + bytes([len(name)]) + name
    return (
        wire.PREFACE
        + wire._frame(wire.SETTINGS, 0, 0)
        + wire._frame(wire.HEADERS, wire.END_HEADERS, 1, block)
        + wire._frame(wire.DATA, wire.END_STREAM, 1, body)
    )


def test_errors_are_grpcs_own():
    def broken(asked):
        raise KeyError("spam")

    table = {"Broken": (bytes, broken)}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=wire.serve, args=(listening, table), daemon=True).start()
        with grpc.insecure_channel(f"127.0.0.1:{listening.getsockname()[1]}") as channel:
            for path, code, words in (
                ("/x.Y/Broken", grpc.StatusCode.UNKNOWN, "KeyError: 'spam'"),
                ("/x.Y/Absent", grpc.StatusCode.UNIMPLEMENTED, "no method Absent"),
            ):
                with pytest.raises(grpc.RpcError) as refused:
                    channel.unary_unary(path)(b"")
                assert refused.value.code() == code and refused.value.details() == words


def test_a_call_in_pieces_and_with_padding():
    asked = []

    def answer(body):
        asked.append(body)
        return empty_pb2.Empty()

    table = {"X": (bytes, answer)}
    whole = call("/a.B/X", b"\0\0\0\0\x03abc")
    connection = wire.Connection(table)
    out = b"".join(connection.receive(bytes([byte])) for byte in whole)
    assert asked == [b"abc"] and b"application/grpc" in out
    block = b"\x00\x05:path\x01X"
    padded = (
        wire._frame(wire.HEADERS, wire.PADDED | wire.PRIORITY, 3, b"\x02" + b"\0" * 5 + block[:4] + b"\0\0")
        + wire._frame(wire.CONTINUATION, wire.END_HEADERS, 3, block[4:])
        + wire._frame(wire.PING, 0, 0, b"12345678")
        + wire._frame(wire.DATA, wire.PADDED | wire.END_STREAM, 3, b"\x01\0\0\0\0\x01z\0")
    )
    out = connection.receive(padded)
    assert asked == [b"abc", b"z"] and wire._frame(wire.PING, wire.ACK, 0, b"12345678") in out


def test_answers_wait_for_room_and_given_up_calls_are_forgotten():
    text = struct_pb2.Value(string_value="x" * 100_000)
    connection = wire.Connection({"X": (bytes, lambda _: text)})
    out = connection.receive(call("X"))
    assert wire.DEFAULT_WINDOW < len(out) < 70_000
    more = wire._frame(wire.WINDOW, 0, 0, (10**6).to_bytes(4, "big"))
    assert connection.receive(more) == b"", "the stream's own window is still full"
    rest = connection.receive(wire._frame(wire.WINDOW, 0, 1, (10**6).to_bytes(4, "big")))
    assert b"grpc-status" in rest and len(out) + len(rest) > 100_000
    connection = wire.Connection({"X": (bytes, lambda _: text)})
    connection.receive(call("X"))
    assert connection.receive(wire._frame(wire.RESET, 0, 1, b"\0\0\0\x08") + more) == b""


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 255), st.integers(0, 5), st.binary(max_size=12)), max_size=6)
)
def test_strange_frames_end_a_connection_at_most(frames):
    connection = wire.Connection({"X": (bytes, lambda _: empty_pb2.Empty())})
    connection.receive(wire.PREFACE)
    try:
        for kind, flags, stream, payload in frames:
            connection.receive(wire._frame(kind, flags, stream, payload))
    except ValueError:
        return
    assert isinstance(connection.receive(b""), bytes)


def test_who_speaks_no_http2_is_sent_away():
    with pytest.raises(ValueError, match="no HTTP/2"):
        wire.Connection({}).receive(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_levels(pack):
    asked = request("aws:ec2/natGateway:NatGateway", {"tags": {}})
    pack.Configure(configured(cost_tags=("disabled", {}), nat_gateways=("advisory", {})))
    assert said(pack.Analyze(asked)) == {"nat-gateways": "ADVISORY"}
    pack.Configure(configured(nat_gateways=("disabled", {})))
    assert said(pack.Analyze(asked)) == {}
    pack.Configure(configured(nat_gateways=("remediate", {}), no_rule=("mandatory", {})))
    assert said(pack.Analyze(asked)) == {"nat-gateways": "MANDATORY"}, "it has no remediation"


def test_configuration_replaces_the_defaults_it_names(pack):
    asked = request("aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcEndpointType": "Interface", "serviceName": "com.x.sqs"})
    assert "interface-endpoints" in said(pack.Analyze(asked))
    pack.Configure(configured(interface_endpoints=("mandatory", {"allow": ["sqs"]})))
    assert "interface-endpoints" not in said(pack.Analyze(asked))


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
        yield Finding("", None, "")

    [rule] = [rule for rule in RULES if rule.name == "nat-gateways"]
    broken = Pack([type(rule)(**{**rule.__dict__, "check": fault})], NoState())
    [found] = broken.Analyze(request(rule.types[0], {})).diagnostics
    assert "thing (aws:ec2/natGateway:NatGateway) was not checked: RuntimeError: spam" in found.message
    assert found.enforcementLevel == analyzer_pb2.MANDATORY


def test_the_stack_is_judged_by_inputs(pack):
    """AnalyzeStack brings outputs, which components do not have and providers add to."""
    volume = request("aws:ebs/volume:Volume", {"size": 1000, "type": "gp3", "encrypted": True})
    pack.Analyze(volume)
    asked = analyzer_pb2.AnalyzeStackRequest()
    asked.resources.add(type=volume.type, name=volume.name, urn=volume.urn)
    [found] = [each for each in pack.AnalyzeStack(asked).diagnostics if each.policyName == "monthly-budget"]
    assert "costs up to 80.00 $ a month" in found.message and found.urn == ""


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
    for one in asked:
        whole.resources.add(type=one.type, name=one.name, urn=one.urn)
    started = time.process_time()
    for one in asked:
        assert not pack.Remediate(one).remediations
        assert not pack.Analyze(one).diagnostics
    assert not pack.AnalyzeStack(whole).diagnostics
    assert time.process_time() - started < 1
