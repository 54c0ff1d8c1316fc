"""A program that uses components finds the AWS SDK as whole as without them."""

from __future__ import annotations

import subprocess
import sys

from shoestring.base.paths import ROOT

PROGRAM = """
import importlib, pkgutil, sys
import components
for module in pkgutil.iter_modules(components.__path__, "components."):
    importlib.import_module(module.name)
loaded = {name: module for name, module in sys.modules.items() if name.startswith("pulumi_aws.")}
for name, module in loaded.items():
    package, _, leaf = name.rpartition(".")
    if package in loaded and not leaf.startswith("_") and leaf != "outputs":
        lost = [word for word in module.__all__ if getattr(loaded[package], word, None) is not getattr(module, word)]
        if lost:
            print(name, *lost)
print(len(loaded))
"""


def test_no_class_of_the_sdk_is_lost() -> None:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100, done.stdout
