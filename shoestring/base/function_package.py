"""Builds the zip of a Lambda function, or of a machine, from sources and wheels for its architecture and Python; no
docker.

The interpreter that runs this matters as little as its machine: wheels are only unpacked, never run. The zip's bytes
depend on the requirements, the sources, the architecture and the Python version, and on nothing else.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal

import uv

from shoestring.base.closure import trace
from shoestring.base.errors import UserError
from shoestring.base.once import make_once
from shoestring.base.paths import ROOT

Architecture = Literal["arm64", "x86_64"]
Progress = Callable[[str], None]

# The wheels need glibc 2.28. AWS's python3.11 has 2.26 (Amazon Linux 2), python3.12 and later have 2.34.
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
LAMBDA_PYTHON = "3.12"  # the oldest on AWS that runs them; the local cloud runs functions on its own Python
LAMBDA_PACKAGES = frozenset({"boto3", "botocore"})  # in the managed runtimes
UNZIPPED_LIMIT = 250 * 1024 * 1024  # AWS's limit for a function with its layers
UNUSED = (
    "bin", "__pycache__", "tests", "testing", "include", "*.pyc", "*.pyi", "*.pyx", "*.pxd", "*.c", "*.h", "*.a",
    "*.lib", ".lock", "RECORD", "INSTALLER", "REQUESTED",
)  # fmt: skip


@dataclass(frozen=True)
class FunctionPackage:
    """The zip of the functions that lie in one folder.

    Args:
        name: what the zip and the messages call it.
        folder: of the project; its modules are the entry points, its `requirements.txt` names the wheels with hashes.
        unused: what of the wheels the functions never import, beside `UNUSED`: paths, or patterns of names.
        constraints: versions and hashes that the requirements keep to; None: their own.
        level: of the compression, 1 (fast) to 9 (small).
        download: how much is fetched when nothing is cached, for people.
        root: the project's folder.
    """

    name: str
    folder: str
    unused: tuple[str, ...] = ()
    constraints: Path | None = None
    level: int = 6
    download: str = ""
    root: Path = ROOT

    @property
    def requirements(self) -> Path:
        """The wheels, each with version and hashes."""
        return self.root / self.folder / "requirements.txt"

    @property
    def entries(self) -> list[str]:
        """The modules that Lambda may be told to call."""
        modules = (path.relative_to(self.root).with_suffix("") for path in self.requirements.parent.glob("*.py"))
        return sorted(".".join(module.parts) for module in modules)

    def build(self, architecture: str, python_version: str, folder: Path, progress: Progress) -> Path:
        """Makes `<folder>/<name>-<hash>.zip`, or returns it where it was made before.

        Repeatable, safe when it is killed at any point or runs twice at once: the zip appears whole or not at all.

        Args:
            architecture: the function's.
            python_version: the function's, like `3.12`; see LAMBDA_PYTHON for what AWS can run.
            progress: receives a line for each step.

        Raises:
            UserError: unknown architecture; no such wheels, or no index; an import of what is not there; above Lambda's
                limit.
        """
        if architecture not in PLATFORMS:
            raise UserError(f"unknown architecture {architecture!r}", f"one of {', '.join(PLATFORMS)}")
        code = trace(self.entries, self.root)
        digest = hashlib.sha256(repr((architecture, python_version, self.unused, sorted(code.files))).encode())
        sources = (self.requirements, Path(__file__), *(code.files[name] for name in sorted(code.files)))
        for source in (*sources, self.constraints) if self.constraints else sources:
            digest.update(hashlib.sha256(source.read_bytes()).digest())
        target = folder / f"{self.name}-{digest.hexdigest()[:16]}.zip"

        def make(part: Path) -> Path:
            size = f" ({self.download} when not cached)" if self.download else ""
            progress(f"{self.name} package: wheels for {architecture}, Python {python_version}{size}")
            wheels = part / "wheels"
            self._unpack_wheels(architecture, python_version, wheels)
            files = {path.relative_to(wheels).as_posix(): path for path in wheels.rglob("*") if path.is_file()}
            files = {name: path for name, path in files.items() if self._uses(name)}
            self._check_imports(code.foreign, files)
            files |= code.files
            unzipped = self.check_size({name: path.stat().st_size for name, path in files.items()})
            progress(f"{self.name} package: compressing {unzipped / 2**20:.0f} MB")
            write_zip(files, part / target.name, self.level)
            progress(f"{self.name} package: {target.name}, {(part / target.name).stat().st_size / 2**20:.1f} MB")
            return part / target.name

        return make_once(target, make)

    def check_size(self, sizes: Mapping[str, int], limit: int = UNZIPPED_LIMIT) -> int:
        """The unzipped size of files (`{path: bytes}`). Raises UserError above `limit`, with the largest packages."""
        total = sum(sizes.values())
        if total > limit:
            packages: Counter[str] = Counter()
            for path, size in sizes.items():
                packages[path.split("/")[0]] += size
            largest = ", ".join(f"{package} {size / 2**20:.1f} MB" for package, size in packages.most_common(5))
            raise UserError(
                f"the {self.name} package has {total / 2**20:.1f} MB unzipped; the largest packages: {largest}",
                f"{limit / 2**20:.0f} MB at most, AWS Lambda's limit",
                f"take packages out of {self.folder}/requirements.txt",
            )
        return total

    def _uses(self, path: str) -> bool:
        return not any(
            path.startswith(f"{unused}/") or any(fnmatchcase(part, unused) for part in path.split("/"))
            for unused in (*UNUSED, *self.unused)
        )

    def _check_imports(self, modules: Mapping[str, str], files: Iterable[str]) -> None:
        """Raises UserError where the wheels' `files` lack one of the `modules` (`{name: place of its import}`).

        The standard library is taken to be this Python's.
        """
        there = {file.partition(".")[0] for file in files}
        there |= {str(folder) for file in files for folder in PurePosixPath(file).parents}
        missing = [
            f"{module} ({place})"
            for module, place in modules.items()
            if module.partition(".")[0] not in LAMBDA_PACKAGES | sys.stdlib_module_names
            and module.replace(".", "/") not in there
        ]
        if missing:
            raise UserError(
                f"the {self.name} package lacks what its code imports: {', '.join(missing)}",
                f"the standard library, {', '.join(sorted(LAMBDA_PACKAGES))}, wheels of {self.folder}/requirements.txt",
                f"edit {self.folder}/requirements.txt, or take the import away",
            )

    def _unpack_wheels(self, architecture: str, python_version: str, target: Path) -> None:
        command = [
            uv.find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
            "--python", sys.executable, "--python-platform", PLATFORMS[architecture],
            "--python-version", python_version, "--target", str(target), "--requirements", str(self.requirements),
            *(("--constraints", str(self.constraints)) if self.constraints else ()),
        ]  # fmt: skip
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise UserError(
                f"the wheels of the {self.name} package cannot be had:\n{done.stdout.strip()}",
                f"wheels of {self.folder}/requirements.txt for {architecture}, Python {python_version}",
                "see that the package index answers, then run it again",
            )


def host() -> tuple[Architecture, str]:
    """This machine's architecture and Python version: what the local cloud runs functions on."""
    architecture: Architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return architecture, f"{sys.version_info.major}.{sys.version_info.minor}"


def write_zip(files: Mapping[str, Path], target: Path, level: int = 6) -> None:
    """A zip whose bytes depend on names, contents and the level of compression (1 to 9) alone."""
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, so that the permissions count
            entry.external_attr = 0o100755 << 16 if ".so" in name else 0o100644 << 16
            archive.writestr(entry, files[name].read_bytes(), compresslevel=level)
