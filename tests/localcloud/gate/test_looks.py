"""The meter looks before what is billed goes, and is asked for nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localcloud.gate import looks
from localcloud.gate.forward import Body
from localcloud.gate.signature import Request


def request(headers: dict[str, str]) -> Request:
    return Request("POST", "/", "", headers)


@pytest.mark.parametrize(
    ("service", "target", "body", "names"),
    [
        ("ec2", "", "Action=DeleteVolume&VolumeId=vol-1", ["DeleteVolume", "vol-1"]),
        (
            "ec2",
            "",
            "Action=TerminateInstances&InstanceId.1=i-1&InstanceId.2=i-2",
            ["TerminateInstances", "i-1", "i-2"],
        ),
        ("ec2", "", "Action=DescribeVolumes&VolumeId.1=vol-1", None),
        ("ec2", "", "Action=CreateVolume&Size=1", None),
        ("logs", "Logs_20140328.DeleteLogGroup", '{"logGroupName": "/a"}', ["/a"]),
        ("logs", "Logs_20140328.PutLogEvents", '{"logGroupName": "/a"}', None),
        ("logs", "Logs_20140328.DeleteLogGroup", "no JSON", None),
        ("sqs", "AmazonSQS.DeleteQueue", "{}", None),
        ("s3", "", "", None),
    ],
)
def test_what_ends_something_that_is_billed_is_known(
    service: str, target: str, body: str, names: list[str] | None
) -> None:
    headers = {"X-Amz-Target": target} if target else {"Content-Type": "application/x-www-form-urlencoded"}
    assert looks.ending(service, request(headers), Body("", len(body), body.encode())) == names


def test_a_meter_that_is_down_holds_nothing_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    looks.have_looked(tmp_path / "meter", ["vol-1"])
    assert "the meter has not looked" in capsys.readouterr().out


def test_the_meter_looks_only_for_what_it_does_not_know(tmp_path: Path) -> None:
    from localcloud.meter.ledger import Ledger, Stretch
    from localcloud.meter.watch import Watch

    ledger = Ledger.load(tmp_path, print)
    ledger.open["volume vol-1"] = Stretch("volume", "vol-1", 0.0, None, {}, {})
    watch, looked = Watch(tmp_path, "http://127.0.0.1:9", ledger, list), []
    watch.try_once = lambda: looked.append(1)  # type: ignore[method-assign]
    assert json.dumps(watch.know(["DeleteVolume", "vol-1"])) == "{}" and looked == []
    watch.know(["DeleteVolume", "vol-2"])
    assert looked == [1]
