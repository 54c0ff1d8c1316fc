"""The program on the tracking server's machine: a database that outlives it."""

from __future__ import annotations

import base64
import json
import os
import re
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import mlflow_server, tracking_package
from components.vm import mlflow_host
from shoestring.base import closure
from shoestring.base.errors import UserError
from shoestring.base.names import ARTIFACTS, MLFLOW
from shoestring.base.paths import ROOT


class Bucket:
    """S3 at the network's edge: one bucket in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.away = False

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        if self.away:
            raise ConnectionError("S3 is away")
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)][:MaxKeys]}

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Metadata": self.objects[Key][1]}

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_bytes(self.objects[key][0])

    def upload_file(self, path: str, bucket: str, key: str, ExtraArgs: dict[str, Any]) -> None:
        if self.away:
            raise ConnectionError("S3 is away")
        self.objects[key] = Path(path).read_bytes(), ExtraArgs["Metadata"]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket()
    monkeypatch.setattr(mlflow_host.boto3, "client", lambda service: made)
    return made


def write(path: Path, text: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE IF NOT EXISTS runs (name TEXT)")
        database.execute("INSERT INTO runs VALUES (?)", (text,))
    database.close()


def names(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        return [row[0] for row in database.execute("SELECT name FROM runs")]


def test_a_new_machine_takes_up_where_the_old_one_was(tmp_path: Path, bucket: Bucket) -> None:
    old = mlflow_host.Backup(tmp_path / "old.db", "b")
    assert old.restore() is None
    write(old.path, "first")
    assert old.save()
    new = mlflow_host.Backup(tmp_path / "new.db", "b")
    assert new.restore() == new.version
    assert names(new.path) == ["first"]


def test_only_changes_are_uploaded(tmp_path: Path, bucket: Bucket) -> None:
    backup = mlflow_host.Backup(tmp_path / "mlflow.db", "b")
    assert not backup.save()
    write(backup.path, "first")
    assert backup.save()
    assert not backup.save()
    write(backup.path, "second")
    assert backup.save()
    assert mlflow_host.Backup(tmp_path / "copy.db", "b").restore()
    assert names(tmp_path / "copy.db") == ["first", "second"]


def test_a_failed_upload_is_made_up_for(tmp_path: Path, bucket: Bucket) -> None:
    backup = mlflow_host.Backup(tmp_path / "mlflow.db", "b")
    write(backup.path, "first")
    bucket.away = True
    with pytest.raises(ConnectionError):
        backup.save()
    bucket.away = False
    assert backup.save()


def test_an_unreachable_backup_never_means_an_empty_database(tmp_path: Path, bucket: Bucket) -> None:
    bucket.away = True
    with pytest.raises(ConnectionError):
        mlflow_host.Backup(tmp_path / "mlflow.db", "b").restore()
    assert not (tmp_path / "mlflow.db").exists()


def test_a_damaged_backup_is_refused(tmp_path: Path, bucket: Bucket) -> None:
    bucket.objects[mlflow_host.KEY] = b"no database" * 100, {}
    with pytest.raises((RuntimeError, sqlite3.DatabaseError)):
        mlflow_host.Backup(tmp_path / "mlflow.db", "b").restore()
    assert not (tmp_path / "mlflow.db").exists()


def test_an_existing_file_is_kept(tmp_path: Path, bucket: Bucket) -> None:
    bucket.objects[mlflow_host.KEY] = b"older", {}
    backup = mlflow_host.Backup(tmp_path / "mlflow.db", "b")
    write(backup.path, "newer")
    assert backup.restore() is None
    assert names(backup.path) == ["newer"]


def test_a_new_password_is_noticed_and_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Secrets:
        version = "1"

        def get_secret_value(self, *, SecretId: str) -> dict[str, str]:
            return {"VersionId": self.version, "SecretString": json.dumps({"username": "mlflow", "password": "p@s/s"})}

    secrets = Secrets()
    monkeypatch.setattr(mlflow_host.boto3, "client", lambda service: secrets)
    password = mlflow_host.Password("postgresql://db.example:5432/mlflow?sslmode=require", "arn")
    assert password.connect() == "postgresql://mlflow:p%40s%2Fs@db.example:5432/mlflow?sslmode=require"
    assert not password.replaced()
    secrets.version = "2"
    assert password.replaced()


def document(**options: Any) -> dict[str, Any]:
    """The cloud-config of a machine."""
    text = base64.b64decode(mlflow_server.user_data(VARIABLES, **options)).decode()
    assert text.startswith("#cloud-config\n")
    assert len(text) < 16 * 1024  # EC2's limit
    return dict(yaml.safe_load(text))


VARIABLES = {
    "MLFLOW_HOST_BUCKET": "b",
    "MLFLOW_HOST_PORT": "5000",
    "MLFLOW_HOST_PACKAGES": "s3://b/packages/mlflow-1.zip",
    "MLFLOW_HOST_PYTHON": "3.11",
}


def test_the_machines_first_boot() -> None:
    files = {file["path"]: file["content"] for file in document()["write_files"]}
    assert files["/etc/shoestring/mlflow.env"] == "".join(f"{key}={value}\n" for key, value in VARIABLES.items())
    for name in ("mlflow_host.py", "install.py"):
        compile(files[f"/opt/shoestring/{name}"], name, "exec")
    unit = files["/etc/systemd/system/shoestring-mlflow.service"]
    assert "Restart=always" in unit and "StartLimitIntervalSec=0" in unit
    assert "ExecStartPre=+/bin/sh /opt/shoestring/install.sh\n" in unit
    assert f"ExecStart={ENVIRONMENT}/bin/python /opt/shoestring/mlflow_host.py\n" in unit


def test_the_machine_asks_no_package_index_and_builds_nothing() -> None:
    texts = [file["content"] for file in document()["write_files"]] + document()["runcmd"]
    assert not [text for text in texts if any(word in text for word in ("pip ", "pypi", "ensurepip", "git+"))]


def test_only_a_burstable_machine_buys_processor_time() -> None:
    assert document()["runcmd"][-1] == "systemctl enable --now --no-block shoestring-credits shoestring-mlflow"
    assert document(burstable=False)["runcmd"][-1] == "systemctl enable --now --no-block shoestring-mlflow"


ENVIRONMENT = "/opt/shoestring/venv"


class Host:
    """A machine's scripts below a folder, with programs of its own in place of those of the system."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.calls = folder, folder / "calls"
        for name in ("bin", "opt/shoestring", "var/tmp", "var/lib/cloud/data"):
            (folder / name).mkdir(parents=True)
        (folder / "var/lib/cloud/data/instance-id").write_text("i-1\n")
        self.calls.touch()

    def program(self, name: str, does: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.calls}\n{does}\n')
        path.chmod(0o755)

    def run(self, script: str, seconds: float = 30) -> int:
        text = (mlflow_server.VM / script).read_text()
        for inside in ("/opt/", "/var/"):
            text = text.replace(inside, f"{self.folder}{inside}")
        variables = {**VARIABLES, "MLFLOW_HOST_PYTHON": "3.0", "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin"}
        return subprocess.run(["sh", "-c", text], env=variables, timeout=seconds).returncode

    def called(self) -> list[str]:
        return self.calls.read_text().replace(str(self.folder), "").splitlines()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path)
    for name in ("aws", "dnf", "curl"):
        made.program(name, "exit 1")
    return made


def test_packages_are_installed_once_and_an_interrupted_installation_is_repeated(host: Host) -> None:
    assert host.run("install.sh") != 0
    host.program(
        "dnf", f"printf '#!/bin/sh\\nexit 1\\n' > {host.folder}/bin/python3.0; chmod +x {host.folder}/bin/python3.0"
    )
    assert host.run("install.sh") != 0
    host.program("aws", 'touch "$5"')
    assert host.run("install.sh") != 0
    host.program("python3.0", 'cat "$2" && mkdir "$3"')
    assert host.run("install.sh") == 0
    assert host.called()[-2:] == [
        "aws s3 cp --no-progress s3://b/packages/mlflow-1.zip /var/tmp/packages.zip",
        f"python3.0 /opt/shoestring/install.py /var/tmp/packages.zip {ENVIRONMENT}",
    ]
    assert not list((host.folder / "var/tmp").iterdir())
    before = host.called()
    assert host.run("install.sh") == 0
    assert host.called() == before


def test_processor_time_is_bought_until_mlflow_answers(host: Host) -> None:
    host.program("aws", "echo 1")
    host.program("curl", f"[ $(grep -c curl {host.calls}) = 3 ]")
    host.program("sleep", "")
    assert host.run("credits.sh") == 0
    called = host.called()
    assert [line.split(",")[-1] for line in called if line.startswith("aws")] == [
        "CpuCredits=unlimited", "CpuCredits=standard"
    ]  # fmt: skip
    assert called[-1].startswith("aws ec2 modify-instance-credit-specification ")
    assert " --instance-credit-specifications InstanceId=i-1," in called[-1]
    assert [line for line in called if line.startswith("curl")] == [
        f"curl --silent --fail --output {os.devnull} http://127.0.0.1:5000/health"
    ] * 3


def test_processor_time_is_not_bought_for_ever(host: Host) -> None:
    """MLflow never answers, and EC2 refuses twice."""
    host.program("timeout", 'echo "$1" > /dev/null; exit 124')
    host.program("sleep", "")
    host.program(
        "aws", f"case $(grep -c standard {host.calls}) in 0) exit 1;; 1) echo 0;; 2) exit 1;; *) echo 1;; esac"
    )
    assert host.run("credits.sh") == 0
    assert [line.split(",")[-1].split("=")[-1] for line in host.called() if line.startswith("aws")] == [
        "unlimited", "standard", "standard", "standard"
    ]  # fmt: skip
    assert any(line.startswith("timeout 1200 ") for line in host.called())


def test_what_lies_in_the_folder_goes_to_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = {file["path"]: file["content"] for file in mlflow_server.host_files({})}
    shipped = [file for file in mlflow_server.VM.iterdir() if file.is_file() and file.name != "__init__.py"]
    assert len(written) == len(shipped) + 1  # and the variables
    assert {Path(path).name for path in written} == {file.name for file in shipped} | {"mlflow.env"}
    assert all(text == (mlflow_server.VM / Path(path).name).read_text() for path, text in written.items() if text)
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.setattr(mlflow_server, "VM", tmp_path)
    with pytest.raises(UserError, match=r"notes.txt has no place on the machine(?s:.*)\.py, \.sh, \.service"):
        mlflow_server.host_files({})


def test_the_program_stands_alone_and_keeps_to_the_places_in_the_bucket() -> None:
    assert set(closure.trace(["mlflow_host"], scripts=mlflow_server.VM).files) == {"mlflow_host.py"}
    assert mlflow_host.KEY.startswith(MLFLOW)
    assert f's3://{{bucket}}/{ARTIFACTS.rstrip("/")}"' in Path(mlflow_host.__file__).read_text()


def test_the_packages_are_those_of_the_lock_file_beside_postgres() -> None:
    import importlib.metadata

    def pins(path: Path) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text(), re.M)[::-1])

    own, locked = pins(tracking_package.TRACKING.requirements), pins(ROOT / "requirements.lock")
    assert own.keys() - locked.keys() == {"psycopg2-binary"}
    assert {name: own[name] for name in own.keys() & locked.keys()} == {
        name: locked[name] for name in own.keys() & locked.keys()
    }
    assert own["mlflow"] == importlib.metadata.version("mlflow"), "what the jobs speak to"
