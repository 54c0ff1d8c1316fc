"""The inference function's zip: ONNX Runtime, numpy, and what of this folder runs in the function."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from shoestring.base import closure, function_package
from shoestring.base.function_package import LAMBDA_PYTHON, UNZIPPED_LIMIT, Architecture, Progress, host
from shoestring.base.paths import ROOT

__all__ = ["LAMBDA_PYTHON", "REQUIREMENTS", "Architecture", "build", "check_size", "host"]

REQUIREMENTS = ROOT / "serving/function/requirements.txt"
ENTRIES = ("serving.function.handler",)

# What no prediction imports; tests/serving/test_package.py predicts with the rest alone.
UNUSED_FOLDERS = frozenset({"tests", "testing", "__pycache__", "include"})
UNUSED_PATHS = (
    "bin",
    "numpy/_pyinstaller",
    "numpy/distutils",
    "numpy/f2py",
    "numpy/random",
    "onnxruntime/backend",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
UNUSED_SUFFIXES = (".pyi", ".pyx", ".pxd", ".pyc", ".a", ".h", ".lib")
UNUSED_NAMES = ("libonnxruntime.so.*", "_*_tests.*.so", "RECORD", "INSTALLER", "REQUESTED")  # the first is for C alone


def _needed(path: PurePosixPath) -> bool:
    return not (
        UNUSED_FOLDERS.intersection(path.parts)
        or path.suffix in UNUSED_SUFFIXES
        or any(path.is_relative_to(unused) for unused in UNUSED_PATHS)
        or any(path.match(name) for name in UNUSED_NAMES)
    )


def check_size(sizes: Mapping[str, int], limit: int = UNZIPPED_LIMIT) -> int:
    """The unzipped size of the function's files (`{path: bytes}`); raises UserError above Lambda's limit."""
    return function_package.check_size("inference", sizes, "serving/function/requirements.txt", limit)


def build(architecture: str, python_version: str, folder: Path, progress: Progress) -> Path:
    """Makes `<folder>/inference-<hash>.zip`, or returns it where it was made before; see `function_package.build`."""
    content = function_package.Content(
        name="inference",
        requirements=REQUIREMENTS,
        sources=closure.sources(ENTRIES),
        needed=_needed,
        recipe=(Path(__file__), Path(function_package.__file__)),
        download="40 MB",
    )
    return function_package.build(content, architecture, python_version, folder, progress)
