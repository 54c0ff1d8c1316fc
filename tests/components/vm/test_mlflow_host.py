"""The program on the tracking server's machine: a database that outlives it."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import mlflow_server
from components.vm import mlflow_host
from shoestring.base import closure
from shoestring.base.errors import UserError
from shoestring.base.names import ARTIFACTS, MLFLOW


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


def test_the_machines_first_boot() -> None:
    text = base64.b64decode(mlflow_server.user_data({"MLFLOW_HOST_BUCKET": "b", "MLFLOW_HOST_PORT": "5000"})).decode()
    assert text.startswith("#cloud-config\n")
    assert len(text) < 16 * 1024  # EC2's limit
    document = yaml.safe_load(text)
    files = {file["path"]: file["content"] for file in document["write_files"]}
    assert files["/etc/shoestring/mlflow.env"] == "MLFLOW_HOST_BUCKET=b\nMLFLOW_HOST_PORT=5000\n"
    compile(files["/opt/shoestring/mlflow_host.py"], "mlflow_host.py", "exec")
    assert "Restart=always" in files["/etc/systemd/system/shoestring-mlflow.service"]
    assert any(f"mlflow=={mlflow_server.MLFLOW_VERSION}" in command for command in document["runcmd"])


def test_what_lies_in_the_folder_goes_to_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = {file["path"]: file["content"] for file in mlflow_server.host_files({})}
    shipped = [file for file in mlflow_server.VM.iterdir() if file.is_file() and file.name != "__init__.py"]
    assert len(written) == len(shipped) + 1  # and the variables
    assert {Path(path).name for path in written} == {file.name for file in shipped} | {"mlflow.env"}
    assert all(text == (mlflow_server.VM / Path(path).name).read_text() for path, text in written.items() if text)
    (tmp_path / "notes.txt").write_text("")
    monkeypatch.setattr(mlflow_server, "VM", tmp_path)
    with pytest.raises(UserError, match=r"notes.txt has no place on the machine(?s:.*)\.py, \.service"):
        mlflow_server.host_files({})


def test_the_program_stands_alone_and_keeps_to_the_places_in_the_bucket() -> None:
    assert set(closure.trace(["mlflow_host"], scripts=mlflow_server.VM).files) == {"mlflow_host.py"}
    assert mlflow_host.KEY.startswith(MLFLOW)
    assert f's3://{{bucket}}/{ARTIFACTS.rstrip("/")}"' in Path(mlflow_host.__file__).read_text()


def test_the_first_boot_survives_a_mirror_that_does_not_answer(tmp_path: Path) -> None:
    document = yaml.safe_load(base64.b64decode(mlflow_server.user_data({})))
    fetches = [command for command in document["runcmd"] if "install" in command]
    assert [command.split()[:2] for command in fetches] == [["until", "dnf"], ["until", "TMPDIR=/var/tmp"]]
    for number, command in enumerate(fetches):
        tries = tmp_path / str(number)
        succeeds_at_last = f"[ $(echo x >> {tries}; wc -l < {tries}) = 3 ]"
        fetch = command.removeprefix("until ").split(";")[0]
        tried = command.replace(fetch, succeeds_at_last).replace("sleep 30", "true")
        subprocess.run(["sh", "-c", tried], check=True, timeout=20)
        assert tries.read_text() == "x\n" * 3


def test_the_machine_runs_the_version_that_the_jobs_speak_to() -> None:
    import importlib.metadata

    assert importlib.metadata.version("mlflow") == mlflow_server.MLFLOW_VERSION
