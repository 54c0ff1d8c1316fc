"""Lets a component load the few modules of the AWS SDK that it uses.

`from pulumi_aws.ec2.vpc import Vpc` first runs `pulumi_aws/ec2/__init__.py`, which loads the hundreds of modules of
that service: 3.3 s of processor time for the services of the platform, in every preview. With bare packages in their
place the same import loads `vpc.py` and the types that it names: 1.3 s.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

SERVICES = (
    "budgets", "cloudwatch", "costexplorer", "ec2", "iam", "lambda_", "rds", "s3", "sagemaker", "scheduler", "sns",
    "ssm", "vpc",
)  # fmt: skip


def _bare(name: str) -> ModuleType:
    """The package `name` without what its `__init__` would load; that follows when anybody asks for an attribute."""
    spec = importlib.util.find_spec(name)
    assert spec and spec.loader
    package = importlib.util.module_from_spec(spec)
    folder = Path(package.__path__[0])

    def load(attribute: str) -> Any:
        if attribute.startswith("__") or (folder / f"{attribute}.py").exists():
            raise AttributeError(attribute)  # the import system asks for these, and finds modules by itself
        del package.__dict__["__getattr__"]
        spec.loader.exec_module(package)  # type: ignore[union-attr]
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = load
    return package


def load_modules_singly() -> None:
    """Puts bare packages in the place of `SERVICES`; the modules and classes that are loaded already stay the same."""
    import pulumi_aws

    for service in SERVICES:
        package = _bare(f"pulumi_aws.{service}")
        sys.modules[package.__name__] = package
        setattr(pulumi_aws, service, package)
