"""AWS's own clients work through the gate with the variables of `shoestring env local` alone."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import client, role

GO_PROGRAM = Path(__file__).with_name("go_client")


def environment_of(cloud: dict[str, Any], folder: Path) -> dict[str, str]:
    """The variables of a shell on the cloud, without anything else of AWS's."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    none = {"AWS_CONFIG_FILE": str(folder / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none")}
    return {**kept, **cloud["variables"], **none}


@pytest.mark.timeout(300)
def test_the_aws_command_line_works_unchanged(cloud, tmp_path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    environment = {**environment_of(cloud, tmp_path), "AWS_PAGER": ""}

    def aws(*words: str, **changed: str) -> subprocess.CompletedProcess[str]:
        command = [uv, "tool", "run", "--quiet", "--from", "awscli", "aws", *words]
        return subprocess.run(command, text=True, capture_output=True, timeout=200, env={**environment, **changed})

    version = aws("--version")
    if version.returncode != 0:
        pytest.skip(f"the command line cannot be had from the package registry: {version.stderr.strip()[-200:]}")
    assert json.loads(aws("sts", "get-caller-identity").stdout)["Account"] == "000000000000"
    (tmp_path / "file").write_bytes(os.urandom(9 << 20))
    for words in (
        ("s3", "mb", "s3://by-the-cli"),
        ("s3", "cp", str(tmp_path / "file"), "s3://by-the-cli/a b/file"),
        ("s3", "cp", "s3://by-the-cli/a b/file", str(tmp_path / "back")),
    ):
        done = aws(*words)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()
    assert json.loads(aws("sagemaker", "list-training-jobs").stdout) == {"TrainingJobSummaries": []}
    refused = aws("sts", "get-caller-identity", AWS_SECRET_ACCESS_KEY="wrong")
    assert refused.returncode != 0 and "SignatureDoesNotMatch" in refused.stderr


@pytest.mark.timeout(600)  # the first time on a machine the SDK is compiled, for a minute
def test_the_sdk_for_go_works_unchanged(cloud, tmp_path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("there is no Go")
    had = subprocess.run([go, "mod", "download"], cwd=GO_PROGRAM, text=True, capture_output=True, timeout=200)
    if had.returncode != 0:
        pytest.skip(f"the SDK for Go cannot be had from the module proxy: {had.stderr.strip()[-200:]}")
    program = tmp_path / "program"
    built = subprocess.run(
        [go, "build", "-buildvcs=false", "-o", program], cwd=GO_PROGRAM, text=True, capture_output=True, timeout=500
    )
    assert built.returncode == 0, built.stderr
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", "def handler(event, context):\n    return {'was': event}\n")
    arn = role(client(cloud, "iam"), "functions", "lambda.amazonaws.com")
    client(cloud, "lambda").create_function(
        FunctionName="asked", Runtime="python3.11", Role=arn, Handler="f.handler", Code={"ZipFile": packed.getvalue()}
    )
    words, variables = [program, "by-go", "asked", arn], environment_of(cloud, tmp_path)
    done = subprocess.run(words, text=True, capture_output=True, timeout=60, env=variables)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "account": "000000000000",
        "objects": {"": True, "SHA256": True, "CRC64NVME": True},
        "link": "by link",
        "as role": "by link",
        "session": True,
        "invoked": '{"was": "given"}',
        "quota": 10,
        "refused": "SignatureDoesNotMatch",
    }
