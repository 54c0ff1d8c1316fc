"""Builds a Lambda function's zip from sources and wheels of the function's own architecture and Python; no docker.

The interpreter that runs this matters as little as its machine: wheels are only unpacked, never run. The zip's bytes
depend on the requirements, the sources, the architecture and the Python version, and on nothing else.
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
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from shoestring.base.errors import UserError

Architecture = Literal["arm64", "x86_64"]
Progress = Callable[[str], None]

# The wheels need glibc 2.28. AWS's python3.11 has 2.26 (Amazon Linux 2), python3.12 and later have 2.34.
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
LAMBDA_PYTHON = "3.12"  # the oldest on AWS that runs them; the local cloud runs functions on its own Python
UNZIPPED_LIMIT = 250 * 1024 * 1024  # AWS's limit for a function with its layers


@dataclass(frozen=True)
class Content:
    """What a function's zip is made of."""

    name: str
    """What the zip and the messages call the function."""
    requirements: Path
    """The wheels, each with version and hashes."""
    sources: Mapping[str, Path]
    """The project's own files, by their path in the zip."""
    needed: Callable[[PurePosixPath], bool] = lambda path: path.suffix != ".pyc"
    """Whether a file of the wheels is used by the function."""
    recipe: tuple[Path, ...] = field(default=(Path(__file__),))
    """What else decides about the zip's bytes."""
    download: str = ""
    """How much is fetched when nothing is cached."""


def host() -> tuple[Architecture, str]:
    """This machine's architecture and Python version: what the local cloud runs functions on."""
    architecture: Architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return architecture, f"{sys.version_info.major}.{sys.version_info.minor}"


def _key(content: Content, architecture: str, python_version: str) -> str:
    digest = hashlib.sha256(f"{architecture} {python_version} {' '.join(sorted(content.sources))}".encode())
    for source in (content.requirements, *content.recipe, *(content.sources[name] for name in sorted(content.sources))):
        digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _unpack_wheels(content: Content, architecture: str, python_version: str, target: Path) -> None:
    import uv  # here, because a zip that is there already needs none

    command = [
        uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
        "--python", sys.executable, "--python-platform", PLATFORMS[architecture], "--python-version", python_version,
        "--target", str(target), "--requirements", str(content.requirements),
    ]  # fmt: skip
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        folder = content.requirements.parent.name
        raise UserError(
            f"the wheels of the {content.name} function cannot be had:\n{done.stdout.strip()}",
            f"wheels of {folder}/{content.requirements.name} for {architecture}, Python {python_version}",
            "see that the package index answers, then run it again",
        )


def check_size(name: str, sizes: Mapping[str, int], requirements: str, limit: int = UNZIPPED_LIMIT) -> int:
    """The unzipped size of a function's files (`{path: bytes}`).

    Raises:
        UserError: it is above `limit`; names the largest packages.
    """
    total = sum(sizes.values())
    if total > limit:
        packages: Counter[str] = Counter()
        for path, size in sizes.items():
            packages[path.split("/")[0]] += size
        largest = ", ".join(f"{package} {size / 2**20:.1f} MB" for package, size in packages.most_common(5))
        raise UserError(
            f"the {name} function has {total / 2**20:.1f} MB unzipped; the largest packages: {largest}",
            f"{limit / 2**20:.0f} MB at most, AWS Lambda's limit",
            f"take packages out of {requirements}",
        )
    return total


def write_zip(files: Mapping[str, Path], target: Path) -> None:
    """A zip whose bytes depend on names and contents alone."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, so that the permissions count
            entry.external_attr = 0o100755 << 16 if ".so" in name else 0o100644 << 16
            archive.writestr(entry, files[name].read_bytes())


def build(content: Content, architecture: str, python_version: str, folder: Path, progress: Progress) -> Path:
    """Makes `<folder>/<name>-<hash>.zip`, or returns it where it was made before.

    Repeatable, safe when it is killed at any point or runs twice at once: the zip appears whole or not at all.

    Args:
        architecture: the function's.
        python_version: the function's, like `3.12`; see LAMBDA_PYTHON for what AWS can run.
        progress: receives a line for each step.

    Raises:
        UserError: unknown architecture; no such wheels, or no index; above Lambda's limit.
    """
    name = content.name
    if architecture not in PLATFORMS:
        raise UserError(f"unknown architecture {architecture!r}", f"one of {', '.join(PLATFORMS)}")
    target = folder / f"{name}-{_key(content, architecture, python_version)}.zip"
    if target.exists():
        return target
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        if target.exists():
            return target
        for left in folder.glob(f"{name}-*.part"):  # by one that was killed; its installer may still write there
            shutil.rmtree(left, ignore_errors=True)
        part = folder / f"{name}-{os.getpid()}.part"
        try:
            size = f" ({content.download} when not cached)" if content.download else ""
            progress(f"{name} package: wheels for {architecture}, Python {python_version}{size}")
            wheels = part / "wheels"
            _unpack_wheels(content, architecture, python_version, wheels)
            files = {path.relative_to(wheels).as_posix(): path for path in wheels.rglob("*") if path.is_file()}
            files = {path: file for path, file in files.items() if content.needed(PurePosixPath(path))}
            files |= content.sources
            sizes = {path: file.stat().st_size for path, file in files.items()}
            requirements = f"{content.requirements.parent.name}/{content.requirements.name}"
            unzipped = check_size(name, sizes, requirements)
            progress(f"{name} package: compressing {unzipped / 2**20:.0f} MB")
            write_zip(files, part / target.name)
            os.replace(part / target.name, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    progress(f"{name} package: {target.name}, {target.stat().st_size / 2**20:.1f} MB")
    return target
