"""`shoestring --help` answers at once, because it loads nothing that only some commands need."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"boto3", "botocore", "costs", "grpc", "jinja2", "localcloud", "matplotlib", "mlflow", "numpy", "onnxruntime",
         "pandas", "pulumi", "pulumi_aws",
         "pydantic", "requests", "rich", "sklearn", "yaml"}  # fmt: skip


def test_help_loads_no_heavy_library() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "shoestring.cli", "--help"], text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in modules
    assert not {name.partition(".")[0] for name in modules} & HEAVY
