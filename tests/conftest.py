"""Shared by all tests: the engine as the set-up left it, apart from the user's own Pulumi."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from localcloud import REGION, supervisor
from localcloud.keys import Keys, client_arguments
from shoestring.environment import local_environment, process_environment
from shoestring.setup.installation import pulumi_home

NO_CLOUD = {"variables": Keys("AKIA", "secret", "", "").variables("http://127.0.0.1:9")}


def hears_ctrl_c() -> None:
    """A shell has its background jobs ignore SIGINT, and what they start as well: not so here (for `preexec_fn`)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Project:
    """A small Pulumi project in a temporary folder, on its own state and its own PULUMI_HOME."""

    def __init__(self, folder: Path, program: str, cloud: dict[str, Any] | None = None) -> None:
        self.folder = folder
        (folder / "program").mkdir(parents=True)
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text("name: sample\nruntime: {name: python}\nmain: program/\n")
        self.write(program)
        own = {"PULUMI_HOME": str(folder / "home"), "PULUMI_BACKEND_URL": f"file://{folder / 'state'}"}
        self.environment = process_environment({**local_environment(cloud or NO_CLOUD), **own})
        (folder / "home").mkdir()
        (folder / "home" / "plugins").symlink_to(pulumi_home() / "plugins")
        self.pulumi("stack", "init", "test")

    def write(self, program: str) -> None:
        """Replaces the program."""
        (self.folder / "program" / "__main__.py").write_text(program)

    def pulumi(self, *words: str, code: int = 0) -> str:
        """Runs plain `pulumi`; returns both of its outputs, and fails unless it exits with `code`."""
        completed = subprocess.run(
            ["pulumi", *words, "--non-interactive", "--color", "never"],
            cwd=self.folder, env=self.environment, text=True, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert completed.returncode == code, (
            f"pulumi {' '.join(words)} exited with {completed.returncode}:\n{completed.stdout}"
        )
        return completed.stdout


def role(iam: Any, name: str, service: str) -> str:
    """The ARN of a role with all rights that a service of AWS may assume; made where it is not there."""
    try:
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])
    except iam.exceptions.NoSuchEntityException:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
        rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(rights))
        return arn


def raise_quota(cloud: dict[str, Any], service: str, code: str, value: float) -> None:
    """Asks for more of a quota, as a new account must."""
    ask = client(cloud, "service-quotas").request_service_quota_increase
    ask(ServiceCode=service, QuotaCode=code, DesiredValue=value)


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Makes a Pulumi project from the text of a program, and the running local cloud that it works on, if any."""
    return lambda program, cloud=None: Project(tmp_path / "project", program, cloud)


def client(cloud: dict[str, Any], service: str, region: str = REGION, **more: Any) -> Any:
    """A boto3 client for a local cloud, with its keys."""
    return boto3.client(service, **{**client_arguments(cloud), "region_name": region}, **more)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A local cloud of the test module's own."""
    home = tmp_path_factory.mktemp("home")
    yield supervisor.up(home)
    supervisor.down(home)
