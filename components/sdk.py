"""Lets components import single modules of the AWS SDK, whose packages need not run for it.

`import pulumi_aws` puts the package of each service in place without running it. `from pulumi_aws.ec2.vpc import Vpc`
then runs `pulumi_aws/ec2/__init__.py` after all, with its hundreds of modules; and as that happens in the midst of the
import of `vpc`, the package lacks `Vpc` ever after, in anybody's program. Here a package runs when it is asked for
something else than one of its modules. Nothing is missing, and `benchmarks/preview.py` shows what it saves.
"""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pulumi_aws


class _Service(ModuleType):
    """A package of the SDK that has not run."""

    def __getattr__(self, name: str) -> Any:
        if name != "__all__" and (name.startswith("__") or find_spec(f"{self.__name__}.{name}")):
            raise AttributeError(name)  # the import system asks for these, and finds modules by itself
        self.__class__ = ModuleType  # type: ignore[assignment]
        SourceFileLoader(self.__name__, str(self.__file__)).exec_module(self)
        return getattr(self, name)


def import_modules_singly() -> None:
    """Has the services of the SDK that have not run yet wait until they are asked for."""
    for name, module in list(sys.modules.items()):
        if name.startswith(f"{pulumi_aws.__name__}.") and type(module).__name__ == "_LazyModule":
            module.__class__ = _Service
