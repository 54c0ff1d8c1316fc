"""AWS's own command line works through the gate with the variables of `shoestring env local` alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(300)
def test_the_aws_command_line_works_unchanged(cloud, tmp_path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment = {**kept, **cloud["variables"], "AWS_PAGER": "", "AWS_CONFIG_FILE": str(tmp_path / "none")}

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
