"""`pulumi preview` of the platform takes at most 2.5 times what an empty program takes.

What counts is processor time, of the engine and of all that it starts: on a busy machine it stays nearly the same when
waiting times double. The least of the runs counts, as a disturbance only ever adds, or the middle, where a lucky run of
the empty program would decide; so a few runs say that it is good, and only many say that it is not.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.preview import EMPTY, LIMIT, PLATFORM, Bench
from shoestring.base.paths import ROOT

FEW, MANY = 3, 10  # runs
HEAVY = {"boto3", "botocore.session", "mlflow", "numpy", "pandas", "sklearn", "onnx", "onnxruntime", "requests"}


def test_preview_of_the_platform_takes_at_most_so_many_times_that_of_an_empty_program(
    tmp_path: Path, cloud: dict[str, Any]
) -> None:
    bench = Bench(tmp_path, cloud)
    for number in range(1, MANY + 1):
        bench.commands[EMPTY].run()
        bench.commands[PLATFORM].run()
        figures = bench.figures(PLATFORM)
        ratio = min(figures[f"{middle}_processor_seconds_ratio"] for middle in ("least", "median"))
        if ratio <= LIMIT and number >= FEW:
            break
    assert ratio <= LIMIT, {name: command.times for name, command in bench.commands.items()}


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
    assert not modules & (HEAVY | {"pydantic", "pulumi.resource", "pulumi.runtime.proto.language_pb2"})
