"""`python -m benchmarks.gate [--requests N]`: what the local cloud's gate adds to a request, and a second `up`.

The same signed requests go through the gate, and straight to the socket behind it, by turns and over connections that
stay open, so that the load of the machine meets both alike. Prints the medians in milliseconds, and the processor time
that the gate spends on a request, which load changes little.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from localcloud import supervisor
from localcloud.sockets import Connection

LIMIT_MS = 2.0  # what a request may cost more


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure(cloud: dict[str, Any], home: Path, count: int) -> dict[str, float]:
    """Milliseconds of one request: `gate`, `direct`, `added` and the gate's own `processor` time; and a second `up`."""
    variables, endpoint = cloud["variables"], urlsplit(cloud["aws_endpoint"])
    headers = {"X-Amz-Target": "AmazonSSM.DescribeParameters", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", cloud["aws_endpoint"] + "/", headers=headers, data=b"{}")
    keys = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "ssm", variables["AWS_REGION"]).add_auth(request)
    signed = {**dict(request.headers.items()), "Host": endpoint.netloc}
    ways = {
        "gate": http.client.HTTPConnection("127.0.0.1", endpoint.port or 0, timeout=60),
        "direct": Connection(Path(cloud["sockets"]) / "aws", 60),
    }

    def ask(connection: http.client.HTTPConnection) -> None:
        connection.request("POST", "/", b"{}", signed)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"answered {answer.status}")

    for connection in ways.values():
        ask(connection)  # connects, and loads what the emulator loads once
    times: dict[str, list[float]] = {name: [] for name in ways}
    gate = psutil.Process(cloud["parts"]["gate"]["pid"])
    before = sum(gate.cpu_times()[:2])
    for _ in range(count):
        for name, connection in ways.items():
            times[name].append(_seconds(lambda connection=connection: ask(connection)) * 1000)  # type: ignore[misc]
    spent = (sum(gate.cpu_times()[:2]) - before) / count * 1000
    for connection in ways.values():
        connection.close()
    medians = {name: statistics.median(values) for name, values in times.items()}
    again = statistics.median(_seconds(lambda: supervisor.up(home)) for _ in range(5)) * 1000
    return {**medians, "added": medians["gate"] - medians["direct"], "processor": spent, "second_up": again}


def main() -> None:
    """Measures on a local cloud of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=300)
    count = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            found = measure(supervisor.up(home), home, count)
        finally:
            supervisor.down(home)
    for name, milliseconds in found.items():
        print(f"{name:<10} {milliseconds:8.2f} ms")
    print(f"a request may cost {LIMIT_MS} ms more: {'held' if found['added'] <= LIMIT_MS else 'not held'}")


if __name__ == "__main__":
    main()
