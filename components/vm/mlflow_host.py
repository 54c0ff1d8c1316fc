"""Runs an MLflow server whose database outlives its machine; needs boto3 and mlflow, and nothing else of this project.

It restores the SQLite file from S3, starts the server, copies the file to S3 whenever it has changed, and once more
when it is told to stop. Whatever else happens it ends with a code other than 0, and systemd starts it again.

Environment: MLFLOW_HOST_BUCKET, MLFLOW_HOST_PORT (5000), MLFLOW_HOST_BIND (0.0.0.0), MLFLOW_HOST_SOCKET (a Unix socket
instead of both), MLFLOW_HOST_FOLDER (/var/lib/mlflow), MLFLOW_HOST_BACKUP_SECONDS (60), MLFLOW_HOST_ALLOWED
(comma-separated Host headers), MLFLOW_HOST_DATABASE (`sqlite`, or a postgresql:// URI without a user),
MLFLOW_HOST_DATABASE_SECRET (ARN of its user and password in Secrets Manager).
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import boto3

KEY = "mlflow/mlflow.db"
STOP_SECONDS = 20  # what the server gets to finish its requests


def log(text: str) -> None:
    print(f"mlflow_host: {text}", flush=True)


class Backup:
    """The copy of one SQLite file in S3."""

    def __init__(self, path: Path, bucket: str) -> None:
        self.path, self.bucket = path, bucket
        self.s3: Any = boto3.client("s3")
        self.version = importlib.metadata.version("mlflow")
        self.watch: sqlite3.Connection | None = None
        self.saved: int | None = None

    def restore(self) -> str | None:
        """Brings the file back where it is missing; returns the MLflow version that wrote it, None if nothing came.

        Raises whatever boto3 raises when S3 cannot be asked: to start empty then would overwrite the copy.
        """
        if self.path.exists():
            log(f"{self.path} is here")
            return None
        # A listing, since without a right to list everything a missing object is answered as a forbidden one.
        if not self.s3.list_objects_v2(Bucket=self.bucket, Prefix=KEY, MaxKeys=1).get("Contents"):
            log("no backup yet: an empty database")
            return None
        fresh = self.path.with_suffix(".restored")
        self.s3.download_file(self.bucket, KEY, str(fresh))
        metadata = self.s3.head_object(Bucket=self.bucket, Key=KEY)["Metadata"]
        with sqlite3.connect(fresh) as database:
            (verdict,) = database.execute("PRAGMA quick_check").fetchone()
        database.close()
        if verdict != "ok":
            raise RuntimeError(
                f"the backup s3://{self.bucket}/{KEY} is damaged ({verdict}); restore an older version of it"
            )
        fresh.replace(self.path)
        log(f"restored {self.path.stat().st_size} bytes from s3://{self.bucket}/{KEY}")
        return str(metadata.get("mlflow-version", ""))

    def save(self) -> bool:
        """Uploads a consistent copy if the database has changed since the last one; returns whether it did."""
        if not self.path.exists():
            return False
        if self.watch is None:
            self.watch = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        (current,) = self.watch.execute("PRAGMA data_version").fetchone()
        if current == self.saved:
            return False
        copy = self.path.with_suffix(".backup")
        copy.unlink(missing_ok=True)
        target = sqlite3.connect(copy)
        self.watch.backup(target)
        target.close()
        self.s3.upload_file(str(copy), self.bucket, KEY, ExtraArgs={"Metadata": {"mlflow-version": self.version}})
        copy.unlink()
        self.saved = current
        return True


class Password:
    """The user and password of a PostgreSQL database, which AWS replaces from time to time."""

    def __init__(self, uri: str, secret: str) -> None:
        self.uri, self.secret = uri, secret
        self.client: Any = boto3.client("secretsmanager")
        self.version = ""

    def connect(self) -> str:
        """The URI with user and password; remembers which version of the secret it used."""
        answer = self.client.get_secret_value(SecretId=self.secret)
        self.version = answer["VersionId"]
        value = json.loads(answer["SecretString"])
        parts = urlsplit(self.uri)
        user = f"{quote(value['username'], safe='')}:{quote(value['password'], safe='')}"
        return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))

    def replaced(self) -> bool:
        return bool(self.client.get_secret_value(SecretId=self.secret)["VersionId"] != self.version)


def start(database: str, folder: Path) -> subprocess.Popen[bytes]:
    """The MLflow server, as one uvicorn process.

    `mlflow server` would stay beside it as a second one of the same size, only to set these variables.
    """
    bucket = os.environ["MLFLOW_HOST_BUCKET"]
    variables = {
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": f"s3://{bucket}/artifacts",
        "_MLFLOW_SGI_NAME": "uvicorn",
    }
    if allowed := os.environ.get("MLFLOW_HOST_ALLOWED"):
        variables["MLFLOW_SERVER_ALLOWED_HOSTS"] = allowed
    if socket := os.environ.get("MLFLOW_HOST_SOCKET"):
        address = ["--uds", socket]
    else:
        host, port = os.environ.get("MLFLOW_HOST_BIND", "0.0.0.0"), os.environ.get("MLFLOW_HOST_PORT", "5000")
        address = ["--host", host, "--port", port]
    command = [sys.executable, "-m", "uvicorn", *address, "--no-access-log", "mlflow.server.fastapi_app:app"]
    return subprocess.Popen(command, cwd=folder, env={**os.environ, **variables}, stdin=subprocess.DEVNULL)


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ends the server, gently first; returns when it is gone."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        log(f"the server did not stop within {STOP_SECONDS} s: killed")
        server.kill()
        server.wait()


def main() -> int:
    """Returns 0 after SIGTERM or SIGINT with the last backup made, 1 otherwise."""
    stopping = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stopping.set())
    folder = Path(os.environ.get("MLFLOW_HOST_FOLDER", "/var/lib/mlflow"))
    folder.mkdir(parents=True, exist_ok=True)
    seconds = float(os.environ.get("MLFLOW_HOST_BACKUP_SECONDS", "60"))
    source = os.environ.get("MLFLOW_HOST_DATABASE", "sqlite")
    backup: Backup | None = None
    password: Password | None = None
    if source == "sqlite":
        backup = Backup(folder / "mlflow.db", os.environ["MLFLOW_HOST_BUCKET"])
        version = backup.restore()
        database = f"sqlite:///{backup.path}"
        if version is not None and version != backup.version:
            log(f"the backup is of MLflow {version or 'unknown'}: upgrading it to {backup.version}")
            subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", database], check=True)
    else:
        password = Password(source, os.environ["MLFLOW_HOST_DATABASE_SECRET"])
        database = password.connect()
    server = start(database, folder)
    due = time.monotonic() + seconds
    while not stopping.wait(0.5) and server.poll() is None:
        if time.monotonic() < due:
            continue
        due = time.monotonic() + seconds
        try:
            if backup and backup.save():
                log("backup made")
            if password and password.replaced():
                log("the database has a new password: starting again with it")
                break
        except Exception as error:  # S3 may be away for a while: the next round tries again
            log(f"failed, next try in {seconds:g} s: {error}")
    if server.poll() is not None:
        log(f"the server ended with code {server.returncode}")
    stop(server)
    if backup and backup.save():
        log("last backup made")
    return 0 if stopping.is_set() else 1


if __name__ == "__main__":
    sys.exit(main())
