"""Shared by the tests of components."""

from __future__ import annotations

import sys
from importlib.resources import files
from types import ModuleType

# parliament asks setuptools' pkg_resources, which is gone since setuptools 82, where its own files are.
if "pkg_resources" not in sys.modules:
    resources = ModuleType("pkg_resources")
    resources.resource_filename = lambda package, name: str(files(package) / name)  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = resources
