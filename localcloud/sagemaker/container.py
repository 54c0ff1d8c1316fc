"""One attempt of a job under SageMaker's training contract: the `/opt/ml` layout below a root that stands for `/`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import boto3

from localcloud import REGION
from localcloud.machines import reachable
from localcloud.processes import spawn

LOG_GROUP = "/aws/sagemaker/TrainingJobs"


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` URI."""
    parsed = urlparse(uri)
    return parsed.netloc, parsed.path.lstrip("/")


class Files:
    """Carries folders from and to the emulated S3."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        self.sent: dict[Path, tuple[int, int]] = {}

    def download(self, uri: str, folder: Path) -> int:
        """Everything below a prefix (or one object) into `folder`; returns how many files came."""
        bucket, prefix = split(uri)
        folder.mkdir(parents=True, exist_ok=True)
        count = 0
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                relative = item["Key"][len(prefix) :].lstrip("/") or Path(item["Key"]).name
                target = folder / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                self.s3.download_file(bucket, item["Key"], str(target))
                count += 1
        return count

    def upload_changed(self, folder: Path, uri: str) -> None:
        """New and changed files of `folder` to below a prefix, as SageMaker carries checkpoints."""
        bucket, prefix = split(uri)
        for path in sorted(folder.rglob("*")):
            try:
                if not path.is_file():
                    continue
                seen = path.stat().st_mtime_ns, path.stat().st_size
                if self.sent.get(path) == seen:
                    continue
                body = path.read_bytes()
            except FileNotFoundError:
                continue  # removed or renamed by the job meanwhile: the next round sees what became of it
            self.s3.put_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/{path.relative_to(folder)}", Body=body)
            self.sent[path] = seen

    def upload_archive(self, folder: Path, uri: str) -> None:
        """`folder` as a tar.gz at `uri`."""
        archive = folder.with_suffix(".tar.gz")
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(folder, arcname=".")
        bucket, key = split(uri)
        self.s3.upload_file(str(archive), bucket, key)


@dataclass
class Container:
    """The root of one attempt, the request that it serves, the folder of the local cloud, and the job's region."""

    root: Path
    request: dict[str, Any]
    files: Files
    cloud: Path
    region: str = REGION

    def place(self, inside: str) -> Path:
        """A path of the container, on this machine."""
        return self.root / inside.lstrip("/")

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.place(self.request.get("CheckpointConfig", {}).get("LocalPath", "/opt/ml/checkpoints"))

    def save_checkpoints(self) -> None:
        """Carries new and changed checkpoints to S3, where the job keeps any."""
        if config := self.request.get("CheckpointConfig"):
            self.files.upload_changed(self.checkpoints, config["S3Uri"])

    def prepare(self) -> None:
        """Makes the layout, and brings data, code and checkpoints in. Raises ValueError for an empty channel."""
        for inside in ("input/config", "model", "output/data", "code"):
            self.place(f"/opt/ml/{inside}").mkdir(parents=True, exist_ok=True)
        config = self.place("/opt/ml/input/config")
        channels = self.request.get("InputDataConfig", [])
        described = {c["ChannelName"]: {"TrainingInputMode": "File"} for c in channels}
        (config / "hyperparameters.json").write_text(json.dumps(self.request.get("HyperParameters", {})))
        (config / "inputdataconfig.json").write_text(json.dumps(described))
        (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
        for channel in channels:
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            if not self.files.download(uri, self.place(f"/opt/ml/input/data/{channel['ChannelName']}")):
                raise ValueError(f"ClientError: Data download failed: no object below {uri}")
        if kept := self.request.get("CheckpointConfig"):
            self.files.download(kept["S3Uri"], self.checkpoints)
        source = self._script_mode("sagemaker_submit_directory")
        if source:
            bucket, key = split(source)
            archive = self.place("/tmp/source.tar.gz")
            archive.parent.mkdir(parents=True, exist_ok=True)
            self.files.s3.download_file(bucket, key, str(archive))
            with tarfile.open(archive) as tar:
                tar.extractall(self.place("/opt/ml/code"), filter="data")

    def _script_mode(self, name: str) -> str:
        return _plain(self.request.get("HyperParameters", {}).get(name, ""))

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Starts the job's program, as the framework containers do, in a process group of its own."""
        parameters = self.request.get("HyperParameters", {})
        own = {key: value for key, value in parameters.items() if not key.startswith("sagemaker_")}
        program = self._script_mode("sagemaker_program")
        words = [word for key, value in own.items() for word in (f"--{key}", _plain(value))]
        channels = [channel["ChannelName"] for channel in self.request.get("InputDataConfig", [])]
        variables = {
            **{name: value for name, value in os.environ.items() if name != "AWS_DEFAULT_REGION"},
            "AWS_REGION": self.region,  # as SageMaker does; `AWS_DEFAULT_REGION`, which boto3 reads, it does not set
            **reachable(self.request.get("Environment", {}), self.cloud),  # the job runs on this machine
            "TRAINING_JOB_NAME": self.request["TrainingJobName"],
            "SM_MODEL_DIR": str(self.place("/opt/ml/model")),
            "SM_OUTPUT_DATA_DIR": str(self.place("/opt/ml/output/data")),
            "SM_OUTPUT_DIR": str(self.place("/opt/ml/output")),
            "SM_INPUT_CONFIG_DIR": str(self.place("/opt/ml/input/config")),
            "SM_CHECKPOINT_DIR": str(self.checkpoints),
            "SM_CHANNELS": json.dumps(channels),
            "SM_HPS": json.dumps(own),
            "SM_HOSTS": '["algo-1"]',
            "SM_CURRENT_HOST": "algo-1",
            "SM_NUM_GPUS": "0",
            "PYTHONUNBUFFERED": "1",
        }
        for name in channels:
            variables[f"SM_CHANNEL_{name.upper()}"] = str(self.place(f"/opt/ml/input/data/{name}"))
        code = self.place("/opt/ml/code")
        return spawn([sys.executable, program, *words], {**variables, "PYTHONPATH": str(code)}, log, code)


def _plain(value: str) -> str:
    try:
        decoded = json.loads(value)
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value
