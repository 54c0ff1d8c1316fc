"""The local cloud starts, survives, heals and ends, whatever is done to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import psutil
import pytest

from localcloud import supervisor
from localcloud.account import LISTED, list_account
from localcloud.processes import wait_until
from shoestring.base.errors import UserError
from tests.conftest import client, hears_ctrl_c

SHOESTRING = str(Path(sys.executable).with_name("shoestring"))


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    yield folder
    supervisor.down(folder)
    assert servers(folder) == []


def servers(home: Path) -> list[int]:
    """Every process whose working folder is the cloud's."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(home / "cloud"):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "SHOESTRING_HOME": str(home)}
    return subprocess.run([SHOESTRING, "cloud", *words], text=True, capture_output=True, timeout=120, env=variables)


def test_survives_its_command_and_second_up_changes_nothing(home):
    first = json.loads(command(home, "up", "--json").stdout)
    assert command(home, "status").returncode == 0
    again = command(home, "up", "--json")
    assert json.loads(again.stdout)["parts"] == first["parts"]
    assert again.stderr == ""
    assert "stopped: aws, gate, machines, meter, sagemaker" in command(home, "down").stdout
    assert "nothing was running" in command(home, "down").stdout
    assert command(home, "status").returncode == 1


def test_the_gate_alone_listens_on_a_port_and_on_loopback_only(home):
    described = supervisor.up(home)
    listening = [
        connection.laddr
        for pid in servers(home)
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [f"http://{address.ip}:{address.port}" for address in listening] == [described["aws_endpoint"]]


def test_account_and_endpoint_persist_until_fresh(home):
    described = supervisor.up(home)
    client(described, "s3").create_bucket(Bucket="kept")
    client(described, "s3").put_object(Bucket="kept", Key="key", Body=b"value")
    client(described, "ssm").put_parameter(Name="/kept", Value="value", Type="String")
    supervisor.down(home)
    described = supervisor.up(home)
    assert client(described, "s3").get_object(Bucket="kept", Key="key")["Body"].read() == b"value"
    assert [(i["service"], i["id"]) for i in list_account(described)] == [
        ("s3", "kept"),
        ("ssm", "/kept"),
    ]
    fresh = supervisor.up(home, fresh=True)
    assert fresh["aws_endpoint"] == described["aws_endpoint"]
    assert list_account(fresh) == []


def test_killed_server_is_reported_and_healed(home):
    described = supervisor.up(home)
    os.kill(described["parts"]["aws"]["pid"], signal.SIGKILL)
    wait_until(lambda: supervisor.status(home)["parts"]["aws"] == "dead", 5)
    others = {"gate": "up", "sagemaker": "up", "machines": "up", "meter": "up"}
    assert supervisor.status(home) == {"state": "broken", "parts": {"aws": "dead", **others}}
    said: list[str] = []
    healed = supervisor.up(home, progress=said.append)
    assert "aws had ended by itself" in said[0]
    assert healed["aws_endpoint"] == described["aws_endpoint"]
    assert supervisor.status(home)["state"] == "up"


def test_record_of_an_earlier_process_of_the_same_pid_is_not_believed(home):
    cloud = home / "cloud"
    cloud.mkdir()
    mine = {"pid": os.getpid(), "created": psutil.Process().create_time() - 60, "port": 1}
    (cloud / "cloud.json").write_text(json.dumps({"parts": {"aws": mine}}))
    others = {"gate": "down", "sagemaker": "down", "machines": "down", "meter": "down"}
    assert supervisor.status(home)["parts"] == {"aws": "dead", **others}


@pytest.mark.parametrize("record", ["{half", ""])
def test_corrupt_record_is_set_aside_and_its_servers_are_found(home, record):
    supervisor.up(home)
    (home / "cloud" / "cloud.json").write_text(record)
    assert supervisor.status(home)["state"] == "broken"
    assert supervisor.down(home) == ["aws", "gate", "machines", "meter", "sagemaker"]
    assert servers(home) == []
    assert (home / "cloud" / "cloud.corrupt").read_text() == record


def test_taken_port_is_reported_and_another_is_chosen(home):
    described = supervisor.up(home)
    supervisor.down(home)
    port = int(described["aws_endpoint"].rpartition(":")[2])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        said: list[str] = []
        moved = supervisor.up(home, progress=said.append)
    assert moved["aws_endpoint"] != described["aws_endpoint"]
    assert f"port {port} is taken" in said[0]


def test_two_at_once_start_one_cloud(home):
    variables = {**os.environ, "SHOESTRING_HOME": str(home)}
    both = [
        subprocess.Popen([SHOESTRING, "cloud", "up", "--json"], stdout=subprocess.PIPE, env=variables, text=True)
        for _ in range(2)
    ]
    first, second = (json.loads(process.communicate(timeout=60)[0]) for process in both)
    assert first["parts"] == second["parts"]
    assert len(servers(home)) == len(supervisor.PARTS)


@pytest.mark.parametrize("starting", ["aws", "sagemaker"])
def test_ctrl_c_in_a_start_leaves_nothing_behind(home, starting):
    variables = {**os.environ, "SHOESTRING_HOME": str(home)}
    up = subprocess.Popen(
        [SHOESTRING, "cloud", "up"], stderr=subprocess.PIPE, env=variables, text=True, preexec_fn=hears_ctrl_c
    )
    assert up.stderr
    assert any(f"starting {starting}" in line for line in iter(up.stderr.readline, ""))
    up.send_signal(signal.SIGINT)
    rest = up.communicate(timeout=60)[1]
    assert up.returncode == 130
    assert "Traceback" not in rest
    assert servers(home) == []
    assert not (home / "cloud" / "cloud.json").exists()


def test_server_that_cannot_start_shows_its_last_lines_and_leaves_nothing(home, monkeypatch):
    broken = supervisor.Part("aws", "no_such_module", "/")
    monkeypatch.setattr(supervisor, "PARTS", (broken,))
    with pytest.raises(UserError, match="No module named no_such_module"):
        supervisor.up(home)
    assert not (home / "cloud" / "cloud.json").exists()


def test_full_disk_is_one_message(home, monkeypatch):
    def full(path, *args, **kwargs):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(UserError, match="No space left on device"):
        supervisor.up(home)


def test_listing_finds_what_is_made_and_fails_when_the_account_is_away(home):
    described = supervisor.up(home)
    assert list_account(described) == []
    client(described, "iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    client(described, "logs").create_log_group(logGroupName="/group")
    vpc = client(described, "ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = {(item["type"], item["id"]) for item in list_account(described)}
    assert made == {("role", "role"), ("log-group", "/group"), ("vpc", vpc)}
    assert command(home, "account").returncode == 1
    supervisor.down(home)
    with pytest.raises(Exception, match="Could not connect"):
        list_account(described)


def test_table_names_real_operations():
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    for key, listing in LISTED.items():
        api = session.client(key.partition("/")[0])
        assert callable(getattr(api, listing.operation)), key
        assert listing.detail is None or callable(getattr(api, listing.detail[0])), key
