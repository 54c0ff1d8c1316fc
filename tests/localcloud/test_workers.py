"""Processes of function versions end when no alias reaches them any more."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import boto3
import psutil
import pytest

from localcloud import supervisor
from localcloud.workers import NAME, VERSION, Workers
from shoestring.environment import local_environment

ROLE = "arn:aws:iam::000000000000:role/function"


def package(word: str) -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w") as zipped:
        zipped.writestr("f.py", f"def handler(event, context):\n    return '{word}'\n")
    return file.getvalue()


def versions(folder: Path) -> set[str]:
    """The versions of the function of which a process runs."""
    found = set()
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and process.environ().get(NAME) == "sample":
                found.add(process.environ()[VERSION])
        except psutil.Error:
            continue
    return found


def test_a_replaced_version_ends_and_the_served_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = supervisor.up(tmp_path)
    try:
        for name, value in local_environment(cloud).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the keys that it was made with
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"},
                                "Action": "sts:AssumeRole"}], "Version": "2012-10-17"}  # fmt: skip
        boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(trust))
        client = boto3.client("lambda")
        first = client.create_function(
            FunctionName="sample", Runtime="python3.11", Role=ROLE, Handler="f.handler", Publish=True,
            Code={"ZipFile": package("first")},
        )["Version"]  # fmt: skip
        client.create_alias(FunctionName="sample", Name="live", FunctionVersion=first)
        client.invoke(FunctionName="sample", Qualifier="live")
        client.update_function_code(FunctionName="sample", ZipFile=package("second"))
        second = client.publish_version(FunctionName="sample")["Version"]
        client.update_alias(FunctionName="sample", Name="live", FunctionVersion=second)
        client.invoke(FunctionName="sample", Qualifier="live")
        assert versions(tmp_path / "cloud") == {first, second}
        workers = Workers(tmp_path / "cloud", pause=0)
        workers.tend()
        assert versions(tmp_path / "cloud") == {first, second}, "it may be at work: only one that stays idle ends"
        workers.tend()
        assert versions(tmp_path / "cloud") == {second}
        answer = client.invoke(FunctionName="sample", Qualifier=first)
        assert json.loads(answer["Payload"].read()) == "first"  # asked again, it comes again
    finally:
        supervisor.down(tmp_path)
