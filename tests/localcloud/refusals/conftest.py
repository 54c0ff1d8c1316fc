"""An account whose requests are judged by the table of refusals."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud import supervisor
from tests.conftest import client

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/x:1"


class Door:
    """The account as its users meet it, and the file that says what kind of account it is."""

    def __init__(self, home: Path, cloud: dict[str, Any]) -> None:
        self.home, self.cloud = home, cloud
        self.path = home / "cloud" / "account.json"

    def settings(self, **values: Any) -> None:
        """Writes the account's settings."""
        self.path.write_text(json.dumps(values))

    def client(self, service: str) -> Any:
        """A client of one service."""
        return client(self.cloud, service)

    def role(self, name: str, *services: str) -> str:
        """Makes a role that services may assume; returns its ARN."""
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": list(services)}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        answer = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
        listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}  # a job's output is checked by it
        rights = json.dumps({"Version": "2012-10-17", "Statement": [listing]})
        self.client("iam").put_role_policy(RoleName=name, PolicyName="listing", PolicyDocument=rights)
        return str(answer["Role"]["Arn"])

    def function(self, name: str, role: str, **more: Any) -> None:
        """Makes a small function."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as file:
            file.writestr("app.py", "def handler(event, context): return 1\n")
        words = {"Runtime": "python3.12", "Handler": "app.handler", "Code": {"ZipFile": packed.getvalue()}, **more}
        self.client("lambda").create_function(FunctionName=name, Role=role, **words)

    def job(self, name: str, role: str, kind: str = "ml.m5.large", spot: bool = False, **more: Any) -> None:
        """Starts a training job."""
        stopping = {"MaxRuntimeInSeconds": 60, **({"MaxWaitTimeInSeconds": 60} if spot else {})}
        self.client("sagemaker").create_training_job(
            TrainingJobName=name,
            RoleArn=role,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            OutputDataConfig={"S3OutputPath": "s3://nowhere/out"},
            ResourceConfig={"InstanceType": kind, "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition=stopping,
            EnableManagedSpotTraining=spot,
            **more,
        )  # fmt: skip


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A new account."""
    home = tmp_path_factory.mktemp("home")
    yield Door(home, supervisor.up(home))
    supervisor.down(home)


@pytest.fixture(autouse=True)
def new_account(door: Door) -> Iterator[None]:
    """Settings do not outlive a test."""
    yield
    door.path.unlink(missing_ok=True)


@pytest.fixture
def refused() -> Callable[..., str]:
    """Calls what AWS refuses with a code; returns its words."""

    def refused(code: str, call: Callable[..., object], *positional: Any, **arguments: Any) -> str:
        with pytest.raises(ClientError) as caught:
            call(*positional, **arguments)
        assert caught.value.response["Error"]["Code"] == code, caught.value
        return str(caught.value.response["Error"]["Message"])

    return refused
