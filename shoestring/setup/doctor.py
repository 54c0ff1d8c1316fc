"""`shoestring doctor`: what this machine and checkout lack, each with the command that mends it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from shoestring.base.errors import UserError
from shoestring.base.paths import home
from shoestring.setup.engine import OLDEST, version_of
from shoestring.setup.installation import AWS_PLUGIN, LAUNCHERS, bin_folder, installed, pulumi_home
from shoestring.updates import check_state

FREE_BYTES = 2 * 1024**3  # what a set-up and a run need below the checkout


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `needed` says whether its absence stops the product."""

    name: str
    good: bool
    found: str
    mend: str = ""
    needed: bool = True

    def facts(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer, then: make setup")


def _packages() -> Finding:
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "check", "--python", sys.executable],
        capture_output=True,
        text=True,
    )
    last = (done.stderr or done.stdout).strip().splitlines()[-1:]
    return Finding("packages", done.returncode == 0, last[0] if last else "?", "rm .venv/.installed; make setup")


def _engine() -> Finding:
    pulumi = bin_folder() / "pulumi"
    version = version_of(pulumi) if installed() and pulumi.exists() else None
    good = version is not None and tuple(map(int, version.split("."))) >= OLDEST
    return Finding("pulumi", good, version or "not set up, or does not run", "make setup")


def _launchers() -> Finding:
    places = [str(bin_folder()), os.environ.get("PATH", "")]
    missing = [name for name in LAUNCHERS if not shutil.which(name, path=os.pathsep.join(places))]
    return Finding("launchers", not missing, "missing: " + ", ".join(missing) if missing else "in place", "make setup")


def _aws_provider() -> Finding:
    which = (installed() or {}).get("aws_provider", "not set up")
    good = (pulumi_home() / "plugins" / AWS_PLUGIN / "pulumi-resource-aws").exists()
    return Finding("provider", good, which if good else "missing", "make setup")


def _disk() -> Finding:
    free = shutil.disk_usage(home()).free
    found = f"{free / 1024**3:.1f} GiB free"
    return Finding("disk", free >= FREE_BYTES, found, f"free 2 GiB on the disk of {home()}")


def _go() -> Finding:
    found = shutil.which("go") or "not installed"
    mend = "install Go 1.25 or newer; only needed where Pulumi's own installer cannot be reached"
    return Finding("go", found != "not installed", found, mend, needed=False)


def _state() -> Finding:
    for stack in ("local", "local-window"):
        try:
            check_state(stack)
        except UserError as error:
            return Finding("state", False, error.found, error.mend)
    return Finding("state", True, "readable")


CHECKS: tuple[Callable[[], Finding], ...] = (_python, _packages, _engine, _launchers, _aws_provider, _disk, _state, _go)


def examine() -> list[Finding]:
    """Every finding, good ones included; changes nothing."""
    return [check() for check in CHECKS]


def render(findings: list[Finding]) -> str:
    """One line for each finding, and the mending command below each that is not good."""
    lines = []
    for finding in findings:
        mark = "ok     " if finding.good else ("WRONG  " if finding.needed else "absent ")
        lines.append(f"{mark}{finding.name:<10} {finding.found}")
        if not finding.good:
            lines.append(f"       mend it:   {finding.mend}")
    return "\n".join(lines)
