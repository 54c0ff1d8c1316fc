"""`pulumi-resource-aws` on machines without the official plugin."""

from __future__ import annotations

import importlib.util
import sys
import types


def _stubs_alone() -> None:
    """Lets modules of `pulumi.runtime.proto` be imported without all the SDK, which takes every command a second."""
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        spec = importlib.util.find_spec(name)
        assert spec and spec.submodule_search_locations
        module = types.ModuleType(name)
        module.__path__ = list(spec.submodule_search_locations)
        sys.modules[name] = module


if __name__ == "__main__":
    _stubs_alone()  # before what imports them
    from localcloud.provider.service import serve

    serve()
