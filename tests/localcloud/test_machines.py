"""Instances that host MLflow are really run, as long as the account says that they run."""

from __future__ import annotations

import base64
import gzip
import json
import os
import signal
import urllib.request
import zipfile
from pathlib import Path

import psutil
import pytest
import yaml

from components import tracking_package
from components.mlflow_server import user_data
from localcloud import supervisor
from localcloud.keys import Keys
from localcloud.machines import files_of_host, reachable, read
from localcloud.processes import wait_until
from shoestring.base.function_package import host
from shoestring.base.once import cache
from tests.conftest import client

# Serves its health, its variables and how often it was booted; starts a worker in a session of its own, as servers do;
# dies when told to; writes to the account as its last act.
HOST = """
import http.server, json, os, pathlib, signal, socketserver, subprocess, sys, threading, boto3
folder = pathlib.Path(os.environ["MLFLOW_HOST_FOLDER"])
boots = folder / "boots"
boots.write_text(boots.read_text() + "x" if boots.exists() else "x")
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            os._exit(1)
        body = json.dumps({"boots": len(boots.read_text()), "variables": dict(os.environ), "folder": str(folder)})
        self.send_response(200); self.end_headers(); self.wfile.write(body.encode())
    def log_message(self, *words):
        pass

print("the host starts")
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

pathlib.Path(os.environ["MLFLOW_HOST_SOCKET"]).unlink(missing_ok=True)
server = Server(os.environ["MLFLOW_HOST_SOCKET"], Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
worker.terminate()
boto3.client("s3").put_object(Bucket=os.environ["MLFLOW_HOST_BUCKET"], Key="backup", Body=boots.read_bytes())
"""
UNIT = (
    "[Service]\nEnvironmentFile=/etc/shoestring/mlflow.env\nExecStart=/usr/bin/python3 /opt/shoestring/mlflow_host.py\n"
)
VARIABLES = (
    'MLFLOW_HOST_BUCKET="state"\n# a comment\nMLFLOW_HOST_PORT=5000\nMLFLOW_HOST_BIND=0.0.0.0\nAWS_MAX_ATTEMPTS=1\n'
)


def cloud_config(program=HOST):
    packed = base64.b64encode(gzip.compress(program.encode())).decode()
    files = [
        {"path": "/opt/shoestring/mlflow_host.py", "encoding": "gz+b64", "content": packed, "permissions": "0755"},
        {"path": "/etc/shoestring/mlflow.env", "content": VARIABLES, "permissions": "0600"},
        {"path": "/etc/systemd/system/mlflow.service", "content": UNIT},
    ]
    text = "#cloud-config\n" + yaml.safe_dump({"write_files": files, "runcmd": ["systemctl enable --now mlflow"]})
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    described = supervisor.up(folder)
    client(described, "s3").create_bucket(Bucket="state")
    yield folder
    supervisor.down(folder)
    assert processes_below(folder) == []


@pytest.fixture
def cloud(home):
    """The cloud, up; what a test left of its instances is gone afterwards."""
    described = supervisor.up(home)
    yield described
    ec2 = client(supervisor.up(home), "ec2")
    found = [i for group in ec2.describe_instances()["Reservations"] for i in group["Instances"]]
    if found:
        ec2.terminate_instances(InstanceIds=[item["InstanceId"] for item in found])
    assert wait_until(lambda: read(home / "cloud") == [] and list((home / "cloud" / "machines").iterdir()) == [], 30)


def launch(described, name, user_data, linked=True, private_ip="10.20.0.10"):
    """An instance from a launch template, tagged as EC2 does, or by its template's own tags alone."""
    ec2 = client(described, "ec2")
    own = [{"Key": "Name", "Value": name}]
    data = {"UserData": user_data, "TagSpecifications": [{"ResourceType": "instance", "Tags": own}]}
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]
    link = [
        {"Key": "aws:ec2launchtemplate:id", "Value": made["LaunchTemplateId"]},
        {"Key": "aws:ec2launchtemplate:version", "Value": "1"},
    ]
    answer = ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        PrivateIpAddress=private_ip,
        LaunchTemplate={"LaunchTemplateId": made["LaunchTemplateId"], "Version": "1"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": link if linked else own}],
    )
    return answer["Instances"][0]["InstanceId"]


def machine(home, instance):
    return next((item for item in read(home / "cloud") if item["instance_id"] == instance), {})


def running(home, instance, seconds=30):
    """The machine, once it answers."""
    assert wait_until(lambda: machine(home, instance).get("state") == "running", seconds), log(home, instance)
    return machine(home, instance)


def ask(home, found, path="/", body=None):
    """What a machine answers through the gate, with the cloud's token."""
    headers = {
        "Authorization": f"Bearer {Keys.load(home / 'cloud').tracking_token}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(found["address"] + path, body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def log(home, instance):
    path = home / "cloud" / "logs" / f"machine-{instance}.log"
    return path.read_text() if path.exists() else "no log"


def processes_below(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if folder in Path(process.cwd()).parents:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("linked", [True, False])
def test_instance_of_a_template_runs_with_its_files_and_variables(home, cloud, linked):
    instance = launch(cloud, f"host-{linked}", cloud_config(), linked)
    found = running(home, instance)
    assert (found["private_ip"], found["port"]) == ("10.20.0.10", 5000)
    answer = ask(home, found)
    root = home / "cloud" / "machines" / instance
    assert answer["folder"] == str(root / "var/lib/mlflow")
    assert answer["variables"]["MLFLOW_HOST_BUCKET"] == "state"
    assert answer["variables"]["AWS_ENDPOINT_URL"] == cloud["aws_endpoint"]
    assert found["address"].startswith("http://127.0.0.1:")
    assert Path(answer["variables"]["MLFLOW_HOST_SOCKET"]).parent == Path(cloud["sockets"])
    assert (root / "opt/shoestring/mlflow_host.py").read_text() == HOST
    assert (root / "etc/shoestring/mlflow.env").stat().st_mode & 0o777 == 0o600
    assert "the host starts" in log(home, instance)
    assert home / "cloud" / "logs" / f"machine-{instance}.log" in supervisor.log_paths(home)


def test_other_instances_are_left_alone(home, cloud):
    other = base64.b64encode(b"#cloud-config\nruncmd: [echo]\n").decode()
    launch(cloud, "other", other, private_ip="10.20.0.11")
    launch(cloud, "script", base64.b64encode(b"#!/bin/sh\necho\n").decode(), private_ip="10.20.0.12")
    client(cloud, "ec2").run_instances(MinCount=1, MaxCount=1)
    instance = launch(cloud, "host-after", cloud_config())
    running(home, instance)
    assert [item["instance_id"] for item in read(home / "cloud")] == [instance]


def test_program_that_dies_is_started_anew_on_the_same_disk(home, cloud):
    found = running(home, launch(cloud, "host-dies", cloud_config()))
    with pytest.raises(OSError):
        ask(home, found, "/die")
    instance = found["instance_id"]
    assert wait_until(lambda: log(home, instance).count("the host starts") == 2, 30)
    assert running(home, instance)["address"] == found["address"]
    assert ask(home, found)["boots"] == 2
    assert "ended by itself" in log(home, instance)


def test_program_that_cannot_start_is_failed(home, cloud):
    instance = launch(cloud, "host-broken", cloud_config("raise SystemExit('the reason')"))
    assert wait_until(lambda: machine(home, instance).get("state") == "failed", 30)
    assert "the reason" in log(home, instance)


def test_stopped_instance_keeps_its_disk_and_terminated_one_loses_it(home, cloud):
    ec2 = client(cloud, "ec2")
    instance = launch(cloud, "host-stops", cloud_config())
    found = running(home, instance)
    root = home / "cloud" / "machines" / instance
    ec2.stop_instances(InstanceIds=[instance])
    assert wait_until(lambda: read(home / "cloud") == [], 30)
    assert processes_below(home / "cloud" / "machines") == []
    ec2.start_instances(InstanceIds=[instance])
    assert running(home, instance)["address"] == found["address"]
    assert ask(home, found)["boots"] == 2
    ec2.terminate_instances(InstanceIds=[instance])
    assert wait_until(lambda: read(home / "cloud") == [] and not root.exists(), 30)
    assert processes_below(home / "cloud" / "machines") == []
    replaced = launch(cloud, "host-stops-again", cloud_config())
    assert ask(home, running(home, replaced))["boots"] == 1
    assert machine(home, replaced)["address"] == found["address"], "an address of the network keeps its port"


def test_down_ends_the_host_before_the_account_and_up_brings_it_back(home, cloud):
    client(cloud, "s3").delete_object(Bucket="state", Key="backup")
    instance = launch(cloud, "host-down", cloud_config())
    running(home, instance)
    assert supervisor.down(home) == ["aws", "gate", "machines", "meter", "sagemaker"]
    assert processes_below(home) == []
    assert read(home / "cloud") == []
    again = supervisor.up(home)
    assert client(again, "s3").get_object(Bucket="state", Key="backup")["Body"].read() == b"x"
    assert ask(home, running(home, instance))["boots"] == 2


@pytest.mark.parametrize("healing", ["up", "down"])
def test_killed_player_and_killed_host_leave_nothing_behind(home, cloud, healing):
    instance = launch(cloud, f"host-killed-{healing}", cloud_config())
    running(home, instance)
    started = processes_below(home / "cloud" / "machines")
    assert len(started) == 2
    host = next(process for process in started if "mlflow_host.py" in " ".join(process.cmdline()))
    os.kill(cloud["parts"]["machines"]["pid"], signal.SIGKILL)
    if healing == "down":
        host.kill()
        assert "machine" in supervisor.down(home)
        assert processes_below(home) == []
    supervisor.up(home)
    running(home, instance)
    assert not [process for process in started if process.is_running()]


def test_killed_account_ends_no_machine(home, cloud):
    found = running(home, launch(cloud, "host-alone", cloud_config()))
    os.kill(cloud["parts"]["aws"]["pid"], signal.SIGKILL)
    path = home / "cloud" / "logs" / "machines.log"
    assert wait_until(lambda: "cannot be followed" in path.read_text(), 30)
    assert ask(home, found)["boots"] == 1


@pytest.fixture(scope="module")
def packages():
    """The packages of a machine, as the platform uploads them."""
    return tracking_package.build(*host(), cache() / "packages", print)


def real_boot(cloud, packages, key="packages/mlflow.zip"):
    """The user data of the platform's machine, whose packages are in the bucket under `key`."""
    client(cloud, "s3").upload_file(str(packages), "state", key)
    variables = {
        "MLFLOW_HOST_BUCKET": "state",
        "MLFLOW_HOST_PORT": "5000",
        "MLFLOW_HOST_PACKAGES": f"s3://state/{key}",
        "MLFLOW_HOST_PYTHON": host()[1],
    }
    return user_data(variables)


@pytest.mark.timeout(600)
def test_new_machine_takes_up_what_the_real_host_left_in_the_bucket(home, cloud, packages):
    boot = real_boot(cloud, packages)
    first = launch(cloud, "real", boot)
    api = "/api/2.0/mlflow/experiments"
    made = ask(home, running(home, first, 400), f"{api}/create", b'{"name": "kept"}')["experiment_id"]
    client(cloud, "ec2").terminate_instances(InstanceIds=[first])
    second = launch(cloud, "real-again", boot)
    found = running(home, second, 120)
    assert ask(home, found, f"{api}/get-by-name?experiment_name=kept")["experiment"]["experiment_id"] == made
    assert not (home / "cloud" / "machines" / first).exists()
    server = next(each for each in processes_below(home / "cloud" / "machines") if "uvicorn" in each.cmdline())
    inside = home / "cloud" / "machines" / second / "opt/shoestring/venv"
    assert server.cmdline()[0] == str(inside / "bin/python"), "it runs on what came from the bucket, not on ours"
    assert (inside / "lib").exists() and not (
        inside / "lib" / f"python{host()[1]}" / "site-packages" / "scipy"
    ).exists()


@pytest.mark.timeout(600)
def test_a_package_that_is_missing_ends_the_first_boot(home, cloud, packages, tmp_path):
    torn = tmp_path / "torn.zip"
    with zipfile.ZipFile(packages) as whole, zipfile.ZipFile(torn, "w") as part:
        for entry in whole.infolist():
            if not entry.filename.startswith("flask/"):
                part.writestr(entry, whole.read(entry))
    instance = launch(cloud, "torn", real_boot(cloud, torn, "packages/torn.zip"))
    assert wait_until(lambda: machine(home, instance).get("state") == "failed", 400), log(home, instance)
    assert "No module named 'flask'" in log(home, instance)
    assert "s3://state/packages/torn.zip cannot be installed" in log(home, instance)


def test_packages_that_are_not_in_the_bucket_end_the_first_boot(home, cloud, packages):
    boot = real_boot(cloud, packages, "packages/gone.zip")
    client(cloud, "s3").delete_object(Bucket="state", Key="packages/gone.zip")
    instance = launch(cloud, "gone", boot)
    assert wait_until(lambda: machine(home, instance).get("state") == "failed", 60), log(home, instance)
    assert "s3://state/packages/gone.zip cannot be read" in log(home, instance)


def test_job_reaches_a_machine_by_its_loopback_address(tmp_path):
    described = {"instance_id": "i-1", "private_ip": "10.20.0.10", "port": 5000, "address": "http://127.0.0.1:4321"}
    values = {"URI": "http://10.20.0.10:5000/path", "OTHER": "http://10.20.0.10:50001", "PLAIN": "10.20.0.10"}
    assert reachable(values, tmp_path) == values
    (tmp_path / "machines.json").write_text(json.dumps([described]))
    assert reachable(values, tmp_path) == {**values, "URI": "http://127.0.0.1:4321/path"}


@pytest.mark.parametrize("user_data", ["", "not base64!", base64.b64encode(b"#cloud-config\n{").decode()])
def test_user_data_of_others_is_no_hosts(user_data):
    assert files_of_host(user_data) is None


def test_packed_user_data_is_read():
    packed = base64.b64encode(gzip.compress(base64.b64decode(cloud_config()))).decode()
    assert next(file["path"] for file in files_of_host(packed) or []) == "/opt/shoestring/mlflow_host.py"
