"""One shell, several environments: what `env local` sets never reaches a real account, nor the other way round."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Bed

# A user's own shell, as it is before any environment is entered.
OWN = {
    "AWS_PROFILE": "work",
    "AWS_SESSION_TOKEN": "token",
    "AWS_ENDPOINT_URL_S3": "https://s3.example",
    "PULUMI_BACKEND_URL": "s3://state",
}


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    bed = Bed(tmp_path_factory.mktemp("environments"))
    yield bed
    bed.shoestring("cloud", "down")


def after(bed: Bed, *environments: str, **own: str) -> dict[str, str]:
    """The variables of a shell in which the environments were entered one after the other."""
    start = {name: value for name, value in bed.variables.items() if name not in of_aws(bed.variables)}
    lines = "".join(f'eval "$("$@" env {name})" && ' for name in environments) + "env -0"
    completed = subprocess.run(
        ["bash", "-c", lines, "bash", *bed.command],
        cwd=bed.tree,
        env={**start, **own},
        capture_output=True,
        timeout=120,
    )
    assert completed.returncode == 0, completed.stderr.decode()
    return dict(entry.split("=", 1) for entry in completed.stdout.decode().split("\0") if "=" in entry)


def of_aws(variables: dict[str, str]) -> dict[str, str]:
    """What leads to an account, and to a state."""
    return {name: value for name, value in variables.items() if name.startswith(("AWS_", "PULUMI_", "SHOESTRING_E"))}


def test_dev_after_local_has_nothing_of_the_local_cloud(shell):
    assert of_aws(after(shell, "local"))["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert of_aws(after(shell, "local", "dev")) == {}
    assert of_aws(after(shell, "local", "dev", "dev")) == {}


def test_local_after_dev_is_as_local_alone(shell):
    alone = of_aws(after(shell, "local"))
    assert of_aws(after(shell, "dev", "local")) == alone
    assert of_aws(after(shell, "local", "dev", "local")) == alone
    assert of_aws(after(shell, "local", **OWN)) == alone


def test_dev_alone_leaves_the_shell_as_it_is(shell):
    assert of_aws(after(shell, "dev", **OWN)) == OWN
    keys = {"AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "own", "AWS_REGION": "eu-west-1"}
    assert of_aws(after(shell, "dev", "dev", **keys)) == keys


def test_nothing_that_local_put_aside_comes_back_by_itself(shell):
    assert of_aws(after(shell, "local", "dev", **OWN)) == {}


def test_command_of_another_environment_in_a_local_shell_does_not_ask_the_local_cloud(shell):
    # no credentials are left: the emulator's own would have given an answer
    shell.variables |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
    shown = shell.shoestring("jobs", "list", "-e", "dev", code=1)
    assert "credentials" in shown and "Traceback" not in shown
