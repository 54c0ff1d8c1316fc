"""`shoestring doctor`: what this machine and checkout lack, each with the command that mends it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from shoestring.base.paths import home
from shoestring.setup.engine import is_new_enough, version_of
from shoestring.setup.installation import AWS_PLUGIN, LAUNCHERS, bin_folder, installed, pulumi_home

FREE_BYTES = 2 * 1024**3  # what a set-up and a run need below the checkout


@dataclass(frozen=True)
class Check:
    """One thing looked at; `needed` says whether its absence stops the product, `unknown` that nobody could look."""

    name: str
    good: bool
    found: str
    mend: str = ""
    needed: bool = True
    unknown: bool = False


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer, then: make setup")


def _packages() -> Check:
    command = [sys.executable, "-m", "uv", "pip", "check", "--python", sys.executable]
    completed = subprocess.run(command, capture_output=True, text=True)
    last = (completed.stderr or completed.stdout).strip().splitlines()[-1:]
    return Check("packages", completed.returncode == 0, last[0] if last else "?", "rm .venv/.installed; make setup")


def _engine() -> Check:
    pulumi = bin_folder() / "pulumi"
    version = version_of(pulumi) if installed() and pulumi.exists() else None
    good = version is not None and is_new_enough(version)
    return Check("pulumi", good, version or "not set up, or does not run", "make setup")


def _launchers() -> Check:
    places = [str(bin_folder()), os.environ.get("PATH", "")]
    missing = [name for name in LAUNCHERS if not shutil.which(name, path=os.pathsep.join(places))]
    return Check("launchers", not missing, "missing: " + ", ".join(missing) if missing else "in place", "make setup")


def _aws_provider() -> Check:
    which = (installed() or {}).get("aws_provider", "not set up")
    good = (pulumi_home() / "plugins" / AWS_PLUGIN / "pulumi-resource-aws").exists()
    return Check("provider", good, which if good else "missing", "make setup")


def _disk() -> Check:
    free = shutil.disk_usage(home()).free
    return Check("disk", free >= FREE_BYTES, f"{free / 1024**3:.1f} GiB free", f"free 2 GiB on the disk of {home()}")


def _go() -> Check:
    place = shutil.which("go")
    mend = "install Go 1.25 or newer; only needed where Pulumi's own installer cannot be reached"
    return Check("go", place is not None, place or "not installed", mend, needed=False)


def examine() -> list[Check]:
    """Everything that is looked at, good or not; changes nothing."""
    return [_python(), _packages(), _engine(), _launchers(), _aws_provider(), _disk(), _go()]


def render(checks: list[Check]) -> str:
    """A line for each check, and the command that mends it below each that is not good."""
    lines = []
    for check in checks:
        mark = "ok" if check.good else "WRONG" if check.needed else "unknown" if check.unknown else "absent"
        lines.append(f"{mark:<6} {check.name:<10} {check.found}")
        if not check.good:
            lines.append(f"       mend it:   {check.mend}")
    return "\n".join(lines)
