"""`python -m localcloud.machines --socket PATH --home DIR`: plays the account's EC2 instances that serve MLflow,
and keeps house among the processes of its functions.

An instance whose launch template's user data (`#cloud-config`) brings Shoestring's MLflow host as a systemd unit is
really run: its files go below `<home>/cloud/machines/<instance id>/`, which stands for `/`, its packages come from the
bucket (`localcloud/first_boot.py`), and its program runs on this machine, on a socket behind the gate, is restarted
when it dies, and ends with its instance. `<home>/cloud/machines.json` says where the gate lets users in to each one.
A stopped instance keeps its files, as its disk would; a terminated one loses them.

The account keeps no link from an instance to its template but tags: `aws:ec2launchtemplate:id` and `:version`, which
EC2 sets itself; where they are absent, the template that gives its instances the same `Name` is taken.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud import first_boot, sockets
from localcloud.aws.launches import TEMPLATE_ID, tags_for, template_data, template_of
from localcloud.aws.row import Json, as_object
from localcloud.processes import Process, free_port, processes_below, spawn, stop
from localcloud.protocol import JsonHandler, Notice, arguments, serve
from localcloud.workers import Workers
from shoestring.base.paths import write_atomically

PROGRAM = "/opt/shoestring/mlflow_host.py"
ENVIRONMENT = f"/{first_boot.ENVIRONMENT}"
PACKAGES = "MLFLOW_HOST_PACKAGES"
VARIABLES = "/etc/shoestring/mlflow.env"
DATA = "/var/lib/mlflow"
PORT = 5000  # where the machine itself would listen, unless its variables say another
PAUSE = 1.0  # seconds between two looks at the account
STOP_SECONDS = 60.0  # between SIGTERM and SIGKILL when an instance ends, as the unit's TimeoutStopSec
GRACE_SECONDS = 8.0  # the same when the local cloud ends: shorter than what this part itself gets
LONGEST_BACKOFF = 30.0  # seconds between two starts of a program that dies
GONE = ("shutting-down", "terminated")


def read(cloud: Path) -> list[Json]:
    """What runs: `{"instance_id", "private_ip", "port", "address", "state"}` for each machine.

    `port` is the one on `private_ip`; `address` is where this machine reaches it; `state` is `installing`, `starting`,
    `running` or `failed` (what it ran ended, and waits for its next start).
    """
    try:
        return list(json.loads((cloud / "machines.json").read_text()))
    except FileNotFoundError:
        return []


def reachable(values: Mapping[str, str], cloud: Path) -> dict[str, str]:
    """`values` with `http://<private IP>:<port>` of each machine replaced by its address on this machine."""
    changed = dict(values)
    for machine in read(cloud):
        inside = re.compile(rf"http://{re.escape(machine['private_ip'])}:{machine['port']}(?!\d)")
        changed = {key: inside.sub(machine["address"], value) for key, value in changed.items()}
    return changed


def files_of_host(user_data: str) -> list[Json] | None:
    """The `write_files` of user data (base64) that brings a unit of the MLflow host; None for any other."""
    try:
        raw = base64.b64decode(user_data)
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
        files = (yaml.safe_load(text) or {}).get("write_files", []) if text.startswith("#cloud-config") else []
    except (ValueError, OSError, yaml.YAMLError) as error:
        print(f"user data that cannot be read: {error}", flush=True)
        return None
    units = [file for file in files if file["path"].endswith(".service")]
    return files if any(PROGRAM in _content(unit).decode(errors="replace") for unit in units) else None


def _content(file: Json) -> bytes:
    """A file's content, decoded as cloud-init does."""
    content, encoding = file.get("content", ""), file.get("encoding", "")
    raw = content if isinstance(content, bytes) else str(content).encode()
    if encoding.endswith(("b64", "base64")):
        raw = base64.b64decode(raw)
    return gzip.decompress(raw) if encoding.startswith("gz") else raw


def _variables(path: Path) -> dict[str, str]:
    """A systemd `EnvironmentFile`, empty where there is none."""
    variables = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith(("#", ";")):
            variables[key.strip()] = value.strip().strip("\"'")
    return variables


def _make(root: Path, files: list[Json]) -> None:
    """Writes a machine's files once, at the first boot. Raises ValueError for a path that leads out of the machine."""
    part = root.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    for file in files:
        path = part / str(file["path"]).lstrip("/")
        if ".." in path.parts:
            raise ValueError(f"the user data writes to {file['path']}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab" if file.get("append") else "wb") as output:
            output.write(_content(file))
        mode = file.get("permissions", 0o644)
        path.chmod((mode if isinstance(mode, int) else int(mode, 8)) | 0o600)
    for inside in (DATA, "/tmp"):
        (part / inside.lstrip("/")).mkdir(parents=True, exist_ok=True)
    part.replace(root)


class Machine:
    """One instance: its root folder, and its program while it runs."""

    def __init__(self, instance: Json, root: Path, log: Path, port: int, socket: Path) -> None:
        self.id, self.private_ip = instance["InstanceId"], instance["PrivateIpAddress"]
        self.root, self.log, self.port, self.socket = root, log, port, socket
        self.process: Process | None = None
        self.state, self.failures, self.next_start = "starting", 0, 0.0

    def place(self, inside: str) -> Path:
        """A path of the machine, on this one."""
        return self.root / inside.lstrip("/")

    def describe(self) -> Json:
        """The machine as `read` returns it."""
        return {
            "instance_id": self.id,
            "private_ip": self.private_ip,
            "port": int(_variables(self.place(VARIABLES)).get("MLFLOW_HOST_PORT", PORT)),
            "address": f"http://127.0.0.1:{self.port}",
            "state": self.state,
        }

    def tend(self) -> None:
        """One look: starts the program, sees whether it answers, and starts it anew some time after it died."""
        if self.process and not self.process.alive():
            installed = self.state == "installing" and self.place(ENVIRONMENT).exists()
            self.end("the packages are there" if installed else "what it ran ended by itself")
            if installed:
                self._start()
                return
            self.failures += 1
            self.next_start = time.monotonic() + min(2.0 ** (self.failures - 1), LONGEST_BACKOFF)
            self.state = "failed"
        if self.process is None:
            if time.monotonic() >= self.next_start:
                self._start()
            return
        if self.state == "installing":
            return
        self.state = "running" if sockets.answers(self.socket, "/health", 2) else "starting"
        if self.state == "running":
            self.failures = 0

    def _start(self) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        account = {key: value for key, value in os.environ.items() if key.startswith("AWS_")}
        carried = _variables(self.place(VARIABLES))
        own = {
            "MLFLOW_HOST_SOCKET": str(self.socket),
            "MLFLOW_HOST_FOLDER": str(self.place(DATA)),
            "TMPDIR": str(self.place("/tmp")),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        }
        python, program = sys.executable, [str(self.place(PROGRAM))]
        self.state = "starting"
        if PACKAGES in carried:
            if self.place(ENVIRONMENT).exists():
                python = str(self.place(ENVIRONMENT) / "bin/python")
                kept.pop("PYTHONPATH", None)
            else:
                program, self.state = ["-m", first_boot.__name__, str(self.root)], "installing"
        command = [python, "-u", *program]
        self.process = Process.of(spawn(command, {**kept, **carried, **account, **own}, self.log, self.root))

    def end(self, why: str, grace: float = STOP_SECONDS) -> None:
        """Ends the program and all that it started; repeatable."""
        if self.process:
            with self.log.open("a") as log:
                log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} machine {self.id}: {why}\n")
            stop(self.process, grace)
        for process in processes_below(self.root):
            stop(process, grace)
        self.process = None


class Player:
    """The machines of one account, below `<home>/cloud`."""

    def __init__(self, home: Path) -> None:
        self.cloud = home / "cloud"
        self.folder = self.cloud / "machines"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ec2 = boto3.client("ec2", config=Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 1}))
        self.machines: dict[str, Machine] = {}
        self.workers = Workers(self.cloud)
        self.published: list[Json] | None = None
        self.problem = Notice()

    def run(self, ending: threading.Event) -> None:
        """Looks at the account and its machines every second, until `ending`; then ends them all."""
        self._publish()
        while not ending.wait(PAUSE):
            try:
                self._follow()
                self.workers.tend()
                self.problem("")
            except (BotoCoreError, ClientError, ValueError) as error:
                self.problem(f"the account's instances and functions cannot be followed: {error}")
            for machine in self.machines.values():
                machine.tend()
            self._publish()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda machine: machine.end("the local cloud stops", GRACE_SECONDS), self.machines.values()))
        self.machines = {}
        self._publish()

    def _publish(self) -> None:
        described = [machine.describe() for machine in self.machines.values()]
        if described != self.published:
            write_atomically(self.cloud / "machines.json", json.dumps(described, indent=2) + "\n")
            self.published = described

    def _follow(self) -> None:
        """Brings the machines to what the account says. Raises botocore's errors, and ValueError for bad user data."""
        pages = self.ec2.get_paginator("describe_instances").paginate()
        instances = [item for page in pages for group in page["Reservations"] for item in group["Instances"]]
        present = {item["InstanceId"]: item for item in instances if item["State"]["Name"] not in GONE}
        running = {name for name, item in present.items() if item["State"]["Name"] == "running"}
        for name in self.machines.keys() - running:
            self.machines.pop(name).end("the instance is stopped or terminated")
        for folder in self.folder.iterdir():
            if folder.name not in present:
                shutil.rmtree(folder)
        for name in sorted(running - self.machines.keys()):
            self._add(present[name])

    def _add(self, instance: Json) -> None:
        """Takes up an instance that is a host of MLflow; one that was one before needs its template no more."""
        name, private_ip = instance["InstanceId"], instance["PrivateIpAddress"]
        root = self.folder / name
        if not root.exists():
            files = files_of_host(self._user_data(instance))
            if files is None:
                return
            _make(root, files)
        log = self.cloud / "logs" / f"machine-{name}.log"
        socket = sockets.path(self.cloud, name)
        self.machines[name] = Machine(instance, root, log, self._port(private_ip), socket)

    def _port(self, private_ip: str) -> int:
        """A loopback port that stays an address's own as long as it is free: it stands in users' browsers."""
        path = self.cloud / "machine-ports.json"
        ports = dict(json.loads(path.read_text())) if path.exists() else {}
        wanted = ports.get(private_ip, 0)
        held = {machine["address"] for machine in self.published or ()}  # by the gate, which keeps it for this machine
        port = wanted if f"http://127.0.0.1:{wanted}" in held else free_port(wanted)
        write_atomically(path, json.dumps({**ports, private_ip: port}, indent=2) + "\n")
        return port

    def _user_data(self, instance: Json) -> str:
        """The user data of an instance's launch template (base64); empty where it has none."""
        tags = as_object(instance.get("Tags"))
        if TEMPLATE_ID in tags:
            return str(template_of(self.ec2, instance).get("UserData", ""))
        for page in self.ec2.get_paginator("describe_launch_templates").paginate():
            for template in page["LaunchTemplates"]:
                data = template_data(self.ec2, template["LaunchTemplateId"], "$Latest")
                if "Name" in tags and tags_for(data, "instance").get("Name") == tags["Name"]:
                    return str(data.get("UserData", ""))
        return ""


def main() -> None:
    """Plays the machines until SIGTERM, which ends them first."""
    options = arguments()
    serve(JsonHandler, options.socket, Player(options.home).run)  # the handler answers health checks


if __name__ == "__main__":
    main()
