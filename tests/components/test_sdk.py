"""A program that uses components finds the AWS SDK as whole as without them, and loads what it asks for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shoestring.base.paths import ROOT

SINGLY = "import sys, components\n"
ALL_COMPONENTS = """
import importlib, pkgutil, sys
import components
for module in pkgutil.iter_modules(components.__path__, "components."):
    importlib.import_module(module.name)
loaded = {name: module for name, module in sys.modules.items() if name.startswith("pulumi_aws.")}
for name, module in loaded.items():
    package, _, leaf = name.rpartition(".")
    if package in loaded and not leaf.startswith("_") and leaf != "outputs":
        lost = [word for word in module.__all__ if getattr(loaded[package], word, None) is not getattr(module, word)]
        if lost:
            print(name, *lost)
print(len(loaded))
"""


def run_python(text: str) -> list[str]:
    """What a program prints in a Python of its own."""
    command = [sys.executable, "-W", "ignore", "-c", text]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_module_loads_without_its_neighbours() -> None:
    program = "from pulumi_aws.iam.role import Role\nprint('pulumi_aws.iam.user' in sys.modules)\n"
    assert run_python(SINGLY + program) == ["False"]
    assert run_python("import sys\n" + program) == ["True"]


def test_everything_else_is_there_and_the_same() -> None:
    printed = run_python(
        SINGLY + "from pulumi_aws.iam.role import Role\n"
        "import pulumi_aws as aws\n"
        "from pulumi_aws import iam\n"
        "from pulumi_aws.iam import User\n"
        "from pulumi_aws.ec2 import InstanceEbsBlockDeviceArgs\n"
        "print(aws.iam.Role is Role, iam.User is User)\n"
        "print(InstanceEbsBlockDeviceArgs is aws.ec2.InstanceEbsBlockDeviceArgs)\n"
        "print(aws.ec2.InstanceType.T4G_NANO.value, hasattr(iam, 'Nothing'), 'Vpc' in dir(aws.ec2))\n"
    )
    assert printed == ["True", "True", "True", "t4g.nano", "False", "True"]


def test_a_star_takes_everything() -> None:
    assert run_python(SINGLY + "from pulumi_aws.sqs import *\nprint(Queue.__name__)\n") == ["Queue"]


def test_a_service_that_nothing_was_asked_of_is_loaded_when_it_is() -> None:
    assert run_python(SINGLY + "import pulumi_aws as aws\nprint(aws.sqs.Queue.__name__)\n") == ["Queue"]


@pytest.mark.parametrize("first", ["", "import pulumi_aws as aws\n", "import pulumi_aws as aws; aws.ec2.Vpc\n"])
def test_no_class_of_the_sdk_is_lost(first: str) -> None:
    (loaded,) = run_python(first + ALL_COMPONENTS)
    assert int(loaded) > 100
