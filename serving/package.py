"""Builds the Lambda function's zip from wheels of the function's own architecture and Python; no docker.

The interpreter that runs this matters as little as its machine: wheels are only unpacked, never run. The zip's bytes
depend on the requirements, this folder's sources, the architecture and the Python version, and on nothing else.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

import uv
from filelock import FileLock

from shoestring.errors import UserError

Architecture = Literal["arm64", "x86_64"]
Progress = Callable[[str], None]

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"
MODULES = ("__init__.py", "handler.py", "predictor.py")  # what of this folder runs inside the function
# The wheels need glibc 2.28. AWS's python3.11 has 2.26 (Amazon Linux 2), python3.12 and later have 2.34.
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
LAMBDA_PYTHON = "3.12"  # the oldest on AWS that runs them; the local cloud runs functions on its own Python
UNZIPPED_LIMIT = 250 * 1024 * 1024  # AWS's limit for a function with its layers

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


def host() -> tuple[Architecture, str]:
    """This machine's architecture and Python version: what the local cloud runs functions on."""
    architecture: Architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return architecture, f"{sys.version_info.major}.{sys.version_info.minor}"


def _needed(path: PurePosixPath) -> bool:
    return not (
        UNUSED_FOLDERS.intersection(path.parts)
        or path.suffix in UNUSED_SUFFIXES
        or any(path.is_relative_to(unused) for unused in UNUSED_PATHS)
        or any(path.match(name) for name in UNUSED_NAMES)
    )


def _key(architecture: str, python_version: str) -> str:
    sources = [REQUIREMENTS, Path(__file__), *(HERE / name for name in MODULES)]
    digest = hashlib.sha256(f"{architecture} {python_version}".encode())
    for source in sources:
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _unpack_wheels(architecture: str, python_version: str, target: Path) -> None:
    command = [
        uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--python", sys.executable, "--python-platform", PLATFORMS[architecture], "--python-version", python_version,
        "--target", str(target), "--requirements", str(REQUIREMENTS),
    ]  # fmt: skip
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise UserError(
            f"the wheels of the inference function cannot be had:\n{done.stdout.strip()}",
            f"wheels of serving/requirements.txt for {architecture}, Python {python_version}",
            "see that the package index answers, then run it again",
        )


def check_size(sizes: Mapping[str, int], limit: int = UNZIPPED_LIMIT) -> int:
    """The unzipped size of files (`{path: bytes}`).

    Raises:
        UserError: it is above `limit`; names the largest packages.
    """
    total = sum(sizes.values())
    if total > limit:
        packages: Counter[str] = Counter()
        for path, size in sizes.items():
            packages[path.split("/")[0]] += size
        largest = ", ".join(f"{name} {size / 2**20:.1f} MB" for name, size in packages.most_common(5))
        raise UserError(
            f"the inference function has {total / 2**20:.1f} MB unzipped; the largest packages: {largest}",
            f"{limit / 2**20:.0f} MB at most, AWS Lambda's limit",
            "take packages out of serving/requirements.txt",
        )
    return total


def _write_zip(files: Mapping[str, Path], target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, so that the permissions count
            entry.external_attr = 0o100755 << 16 if ".so" in name else 0o100644 << 16
            archive.writestr(entry, files[name].read_bytes())


def build(architecture: Architecture, python_version: str, folder: Path, progress: Progress) -> Path:
    """Makes `<folder>/inference-<hash>.zip`, or returns it where it was made before.

    Repeatable, safe when it is killed at any point or runs twice at once: the zip appears whole or not at all.

    Args:
        architecture: the function's.
        python_version: the function's, like `3.12`; see LAMBDA_PYTHON for what AWS can run.
        progress: receives a line for each step.

    Raises:
        UserError: unknown architecture; no such wheels, or no index; above Lambda's limit.
    """
    if architecture not in PLATFORMS:
        raise UserError(f"unknown architecture {architecture!r}", f"one of {', '.join(PLATFORMS)}")
    target = folder / f"inference-{_key(architecture, python_version)}.zip"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "inference.lock"):
        if target.exists():
            return target
        for left in folder.glob("inference-*.part"):  # by one that was killed; its installer may still write there
            shutil.rmtree(left, ignore_errors=True)
        part = folder / f"inference-{os.getpid()}.part"
        try:
            progress(f"inference package: wheels for {architecture}, Python {python_version} (40 MB when not cached)")
            wheels = part / "wheels"
            _unpack_wheels(architecture, python_version, wheels)
            files = {path.relative_to(wheels).as_posix(): path for path in wheels.rglob("*") if path.is_file()}
            files = {name: path for name, path in files.items() if _needed(PurePosixPath(name))}
            files |= {f"serving/{name}": HERE / name for name in MODULES}
            unzipped = check_size({name: path.stat().st_size for name, path in files.items()})
            progress(f"inference package: compressing {unzipped / 2**20:.0f} MB (usually 5 s)")
            _write_zip(files, part / target.name)
            os.replace(part / target.name, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    progress(f"inference package: {target.name}, {target.stat().st_size / 2**20:.0f} MB")
    return target
