"""`pulumi preview` of the platform takes at most twice what an empty program takes.

What counts is processor time, of the engine and of all that it starts: on a busy machine it stays nearly the same when
waiting times double. The least of the runs counts, as a disturbance only ever adds; so a few runs say that it is good,
and only many say that it is not.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shoestring.base.paths import ROOT

MOST = 2.0
FEW, MANY = 3, 10  # runs
HEAVY = {"boto3", "botocore.session", "mlflow", "numpy", "pandas", "sklearn", "onnx", "onnxruntime", "requests"}


def pulumi(folder: Path, environment: dict[str, str], *words: str) -> float:
    """Runs `pulumi` and returns the seconds of processor time of everything that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["pulumi", *words, "--non-interactive", "--color", "never"],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stdout
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def test_preview_of_the_platform_takes_at_most_twice_that_of_an_empty_program(
    project: Callable[..., Any], cloud: dict[str, Any]
) -> None:
    empty = project("import pulumi\n", cloud)
    environment = empty.environment
    pulumi(ROOT, environment, "stack", "init", "local")
    places = {"test": empty.folder, "local": ROOT}
    taken: dict[str, list[float]] = {"test": [], "local": []}
    for stack, folder in places.items():  # builds and caches
        pulumi(folder, environment, "preview", "--stack", stack)
    for number in range(1, MANY + 1):
        for stack, folder in places.items():
            taken[stack].append(pulumi(folder, environment, "preview", "--stack", stack))
        good = min(taken["local"]) <= MOST * min(taken["test"])
        if good and number >= FEW:
            break
    assert good, taken


def loaded(code: str) -> set[str]:
    """The modules that a new interpreter has loaded after `code`."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules, file=sys.stderr)"]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_the_platforms_program_loads_only_what_it_uses() -> None:
    modules = loaded("import stacks.settings, stacks.platform_stack")
    assert "pulumi_aws.ec2.vpc" in modules
    assert not modules & HEAVY
    assert "pulumi_aws.ec2.ami" not in modules  # nor the hundreds of others that no component uses
    assert not [name for name in modules if name.startswith("pulumi_aws.rds.")]  # the default has no database


def test_the_stand_in_provider_starts_without_boto3_and_without_the_sdk() -> None:
    modules = loaded(
        "from localcloud.provider.__main__ import _stubs_alone\n_stubs_alone()\nimport localcloud.provider.service"
    )
    assert "pulumi.runtime.proto.provider_pb2" in modules
    assert not modules & (HEAVY | {"pulumi.resource", "pulumi.runtime.proto.language_pb2"})
