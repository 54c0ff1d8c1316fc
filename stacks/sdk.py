"""Lets the programs load the single modules of the AWS SDK that they use.

`from pulumi_aws.ec2.vpc import Vpc` first runs `pulumi_aws/ec2/__init__.py`, which loads the hundreds of modules of
that service. Here the package is put in place without running it, which follows when anybody asks it for something else
than one of its modules. Nothing is missing; `benchmarks/preview.py` shows what it saves.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any


class _Service(ModuleType):
    """A package of the SDK that has not run."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or importlib.util.find_spec(f"{self.__name__}.{name}"):
            raise AttributeError(name)  # the import system asks for these, and finds modules by itself
        self.__class__ = ModuleType  # type: ignore[assignment]
        SourceFileLoader(self.__name__, str(self.__file__)).exec_module(self)
        return getattr(self, name)


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__class__ = _Service


class _Finder:
    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not name.startswith("pulumi_aws.") or name.count(".") > 1:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and spec.origin and spec.submodule_search_locations:
            spec.loader = _Loader(name, spec.origin)
        return spec


def load_modules_singly() -> None:
    """Has the services of the SDK that are imported from here on load what is asked of them."""
    sys.meta_path.insert(0, _Finder)
