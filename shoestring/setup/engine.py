"""Finds or obtains the Pulumi engine: on PATH, in the cache, by the SDK's installer, or by a build from Go modules.

What is obtained lies in the user's cache, keyed by version, so that a machine does it once. The Python launchers that a
build from Go modules lacks are put in place per checkout by `shoestring.setup.installation`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import semver
from filelock import FileLock

from shoestring.base.errors import UserError
from shoestring.base.once import cache
from shoestring.base.paths import home

VERSION = "3.257.0"  # what is obtained; the newest that can be built from published Go modules
OLDEST = (3, 200, 0)  # what is accepted on PATH
PACKAGES = 1560  # Go packages in the build, for the progress line only
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Engine:
    """A Pulumi CLI: its executable, its version, and where it came from (path, cache, installer, build)."""

    path: Path
    version: str
    source: str


def version_of(executable: Path) -> str | None:
    """`3.257.0` for a working Pulumi CLI, None for anything else."""
    try:
        completed = subprocess.run([executable, "version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"v?(\d+\.\d+\.\d+)", completed.stdout.strip())
    return version.group(1) if completed.returncode == 0 and version else None


def is_new_enough(version: str) -> bool:
    """Whether a CLI of this version, like `3.257.0`, is used where it stands on PATH."""
    return tuple(map(int, version.split("."))) >= OLDEST


def _cached() -> Path:
    return cache() / "pulumi" / VERSION / "bin" / "pulumi"


def path_of_others() -> str:
    """PATH without what the set-up itself puts there, so that it never takes its own work for the user's."""
    own = {str(home() / "bin"), str(_cached().parent)}
    return os.pathsep.join(part for part in os.environ.get("PATH", "").split(os.pathsep) if part not in own)


def find_engine() -> Engine | None:
    """The engine that is here already: on PATH when new enough, else in the cache. Starts and downloads nothing."""
    on_path = shutil.which("pulumi", path=path_of_others())
    if on_path:
        version = version_of(Path(on_path))
        if version and is_new_enough(version):
            return Engine(Path(on_path), version, "path")
    if _cached().exists() and (version := version_of(_cached())):
        source = _cached().with_name("source").read_text() if _cached().with_name("source").exists() else "cache"
        return Engine(_cached(), version, source)
    return None


def ensure_engine(progress: Progress) -> Engine:
    """The engine, obtained where there is none; repeatable, one at a time on a machine.

    Raises:
        UserError: neither the installer nor a build worked; names what is missing.
    """
    if engine := find_engine():
        return engine
    (cache() / "pulumi").mkdir(parents=True, exist_ok=True)
    with FileLock(cache() / "pulumi" / "lock"):
        if engine := find_engine():
            return engine
        refusal = _install(progress)
        if refusal:
            progress(f"Pulumi's own installer did not work here ({refusal}); building from Go modules instead")
            _build(progress)
        _cached().with_name("source").write_text("build" if refusal else "installer")
    engine = find_engine()
    if engine is None:
        raise UserError(
            f"the Pulumi CLI at {_cached()} does not run",
            "a working Pulumi CLI",
            f"rm -r {_cached().parent}; make setup",
        )
    return engine


def _install(progress: Progress) -> str | None:
    """Tries the SDK's installer; returns why it failed, or None."""
    from pulumi.automation import PulumiCommand  # here, for it is heavy: whoever has an engine does without

    progress(f"Pulumi {VERSION}: asking its own installer (usually 30 s)")
    try:
        PulumiCommand.install(root=str(_cached().parent.parent), version=semver.VersionInfo.parse(VERSION))
    except Exception as error:  # the installer raises whatever its downloads and scripts raise
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return None if _cached().exists() else "it left no executable"


def _build(progress: Progress) -> None:
    go = shutil.which("go")
    if not go:
        raise UserError(
            "there is no Pulumi CLI, its installer cannot be reached, and Go is not installed",
            f"Pulumi {'.'.join(map(str, OLDEST))} or newer on PATH, or Go 1.25 or newer to build it",
            "install Pulumi (https://www.pulumi.com/docs/install/) or Go, then: make setup",
        )
    work = cache() / "pulumi" / f"build-{VERSION}"
    work.mkdir(parents=True, exist_ok=True)
    for name in ("go.mod", "go.sum"):
        shutil.copy(Path(__file__).parent / "engine_build" / name, work / name)
    version_flag = f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={VERSION}"
    command = [
        go, "build", "-v", "-trimpath", "-mod=readonly", "-o", "pulumi", "-ldflags", f"-s -w -X {version_flag}",
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    ]  # fmt: skip
    progress(f"Pulumi {VERSION}: building from Go modules (usually 3 to 6 min, once on a machine)")
    process = subprocess.Popen(
        command, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"},
    )  # fmt: skip
    assert process.stdout
    last_lines: list[str] = []
    compiled = 0
    try:
        for line in process.stdout:
            last_lines = [*last_lines[-19:], line]
            if not line.startswith("go: "):
                compiled += 1
                if compiled % 100 == 0:
                    progress(f"Pulumi {VERSION}: {compiled} of about {PACKAGES} packages built")
        code = process.wait()
    except BaseException:
        process.terminate()  # Ctrl-C: Go keeps what it has built, the next run goes on from there
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        raise
    if code:
        raise UserError(
            f"building Pulumi {VERSION} failed:\n{''.join(last_lines).rstrip()}",
            "Go 1.25 or newer and access to the Go module proxy",
            "mend what the lines above say, then: make setup",
        )
    _cached().parent.mkdir(parents=True, exist_ok=True)
    os.replace(work / "pulumi", _cached())
    shutil.rmtree(work)
