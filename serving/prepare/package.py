"""The inference function's zip: ONNX Runtime, numpy, and what of this folder runs in the function."""

from __future__ import annotations

from shoestring.base.function_package import FunctionPackage

INFERENCE = FunctionPackage(
    "inference",
    "serving/function",
    # what no prediction imports; tests/serving/prepare/test_package.py predicts with the rest alone
    unused=(
        "numpy/_pyinstaller",
        "numpy/distutils",
        "numpy/f2py",
        "numpy/random",
        "onnxruntime/backend",
        "onnxruntime/datasets",
        "onnxruntime/quantization",
        "onnxruntime/tools",
        "onnxruntime/transformers",
        "libonnxruntime.so.*",  # for C alone
        "_*_tests.*.so",
    ),
    download="40 MB",
)
build = INFERENCE.build
