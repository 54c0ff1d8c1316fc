"""`pulumi-resource-aws` on machines without the official plugin."""

from __future__ import annotations

import importlib.util
import sys
import types


def _stubs_alone() -> None:
    """Lets `pulumi.runtime.proto` be imported without the SDK around it, which takes every command a second."""
    spec = importlib.util.find_spec("pulumi")
    assert spec and spec.submodule_search_locations
    folder = spec.submodule_search_locations[0]
    for name, path in (("pulumi", folder), ("pulumi.runtime", f"{folder}/runtime")):
        module = types.ModuleType(name)
        module.__path__ = [path]
        sys.modules[name] = module


if __name__ == "__main__":
    _stubs_alone()
    from localcloud.provider.service import serve

    serve()
