"""The SDK's packages, put in place without running them, still offer everything."""

from __future__ import annotations

import subprocess
import sys

from shoestring.base.paths import ROOT

SINGLY = "import sys; from stacks.sdk import load_modules_singly; load_modules_singly()\n"


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


def test_a_service_that_nothing_was_asked_of_is_loaded_when_it_is() -> None:
    assert run_python(SINGLY + "import pulumi_aws as aws\nprint(aws.sqs.Queue.__name__)\n") == ["Queue"]
