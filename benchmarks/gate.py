"""What the local cloud's gate adds to a request, by the way in which a service is spoken to; and a second `cloud up`.

    .venv/bin/python benchmarks/gate.py [--json] [--requests 300]

The same signed request goes through the gate, and straight to the socket behind it, by turns and over connections that
stay open, so that the load of the machine meets both alike. On a machine that does other things as well, look at the
processor time that the gate spends on a request.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psutil
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localcloud import supervisor
from localcloud.keys import client_arguments
from localcloud.sockets import Connection

LIMIT_MS = 2.0  # what a request may cost more that asks nothing of the account
JSON, FORM = "application/x-amz-json-1.1", "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Ask:
    """One request."""

    service: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    path: str = "/"


ASKING = "judged, asking"
ROLE = "arn:aws:iam::000000000000:role/benchmark"
# The last two are held against the table of refusals; the very last has the gate ask the account for a role.
ASKS = {
    "JSON": Ask("ssm", b"{}", {"X-Amz-Target": "AmazonSSM.DescribeParameters", "Content-Type": JSON}),
    "form": Ask("ec2", b"Action=DescribeAddresses&Version=2016-11-15", {"Content-Type": FORM}),
    "path": Ask("lambda", method="GET", path="/2015-03-31/functions/"),
    "S3": Ask("s3", method="GET"),
    "judged": Ask(
        "ssm", b'{"Name": "/a", "Value": "a", "Type": "String", "Overwrite": true}',
        {"X-Amz-Target": "AmazonSSM.PutParameter", "Content-Type": JSON},
    ),
    ASKING: Ask(
        "events", json.dumps({"Name": "a", "ScheduleExpression": "rate(1 day)", "RoleArn": ROLE}).encode(),
        {"X-Amz-Target": "AWSEvents.PutRule", "Content-Type": JSON},
    ),
}  # fmt: skip


def prepare(cloud: dict[str, Any]) -> None:
    """Makes what `ASKS` ask for."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "events.amazonaws.com"}}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = ROLE.rpartition("/")[2]
    boto3.client("iam", **client_arguments(cloud)).create_role(RoleName=name, AssumeRolePolicyDocument=trust)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _signed(ask: Ask, cloud: dict[str, Any]) -> dict[str, str]:
    """The headers of a signed request."""
    variables = cloud["variables"]
    request = AWSRequest(ask.method, cloud["aws_endpoint"] + ask.path, headers=ask.headers, data=ask.body)
    keys = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    signer = S3SigV4Auth if ask.service == "s3" else SigV4Auth
    signer(keys, ask.service, variables["AWS_REGION"]).add_auth(request)
    return {**dict(request.headers.items()), "Host": urlsplit(cloud["aws_endpoint"]).netloc}


def measure(cloud: dict[str, Any], ask: Ask, count: int) -> dict[str, float]:
    """Milliseconds of one request, as medians: `gate`, `direct`, `added`; and the gate's own `processor` time."""
    headers = _signed(ask, cloud)
    ways = {
        "gate": http.client.HTTPConnection("127.0.0.1", urlsplit(cloud["aws_endpoint"]).port or 0, timeout=60),
        "direct": Connection(Path(cloud["sockets"]) / "aws", 60),
    }

    def send(connection: http.client.HTTPConnection) -> None:
        connection.request(ask.method, ask.path, ask.body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{ask.service} answered {answer.status}: {text.decode(errors='replace')}")

    for connection in ways.values():
        send(connection)  # connects, and loads what is loaded once
    times: dict[str, list[float]] = {name: [] for name in ways}
    gate = psutil.Process(cloud["parts"]["gate"]["pid"])
    before = sum(gate.cpu_times()[:2])
    for _ in range(count):
        for name, connection in ways.items():
            times[name].append(_seconds(lambda connection=connection: send(connection)) * 1000)  # type: ignore[misc]
    spent = (sum(gate.cpu_times()[:2]) - before) / count * 1000
    for connection in ways.values():
        connection.close()
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {**medians, "added": medians["gate"] - medians["direct"], "processor": spent}


def main() -> None:
    """Measures on a local cloud of its own; prints the results, for people or for machines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results for machines")
    parser.add_argument("--requests", type=int, default=300, help="of each kind")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            cloud = supervisor.up(home)
            prepare(cloud)
            kinds = {name: measure(cloud, ask, words.requests) for name, ask in ASKS.items()}
            second_up = statistics.median(_seconds(lambda: supervisor.up(home)) for _ in range(5)) * 1000
        finally:
            supervisor.down(home)
    if words.json:
        print(json.dumps({"milliseconds": kinds, "second_up": second_up, "limit": LIMIT_MS}, indent=2))
        return
    print(f"{'milliseconds':<16}{'gate':>8}{'direct':>8}{'added':>8}{'processor':>11}")
    for name, found in kinds.items():
        print(f"{name:<16}" + "".join(f"{found[key]:>{8 + 3 * (key == 'processor')}.2f}" for key in found))
    print(f"a second `cloud up`: {second_up:.1f}")
    most = max(found["added"] for name, found in kinds.items() if name != ASKING)
    verdict = "held" if most <= LIMIT_MS else "not held"
    print(f"a request that asks nothing of the account may cost {LIMIT_MS} more: {verdict}")


if __name__ == "__main__":
    main()
