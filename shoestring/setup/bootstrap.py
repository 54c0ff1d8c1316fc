"""First half of the set-up: the virtual environment, from the lock file, with the standard library alone.

Run by the Makefile with any Python 3.11+. Repeatable, resumable after Ctrl-C, safe when two run at once. The second
half (the engine) is `shoestring setup`, which runs inside the environment made here.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMP = VENV / ".installed"
LOCK = ROOT / "requirements.lock"


def fingerprint() -> str:
    """What the environment was made from: lock, package description, interpreter and place."""
    parts = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds the checkout's set-up lock; says so while it waits. The kernel frees it when its holder dies."""
    (ROOT / ".shoestring").mkdir(exist_ok=True)
    with open(ROOT / ".shoestring" / "setup.lock", "w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("set-up: another set-up of this checkout is running; waiting for it", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def pinned(name: str) -> str:
    """The lock file's own requirement line of one package, with its hashes."""
    requirement = re.search(rf"^{name}==.*?(?=^\S|\Z)", LOCK.read_text(), re.M | re.S)
    if not requirement:
        raise SystemExit(f"requirements.lock does not name {name}; restore the file: git checkout requirements.lock")
    return requirement.group(0)


def run(label: str, command: list[str]) -> None:
    """One step with its time; its output is shown only when it fails."""
    print(f"set-up: {label} …", flush=True)
    began = time.monotonic()
    completed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if completed.returncode:
        tail = "\n".join(completed.stdout.splitlines()[-20:])
        raise SystemExit(f"{tail}\nset-up: {label}: failed (exit {completed.returncode}). Run it again: make setup")
    print(f"set-up: {label}: {time.monotonic() - began:.0f} s", flush=True)


def make_environment() -> None:
    """Makes `.venv` anew when what it was made from changed; does nothing otherwise."""
    if STAMP.exists() and STAMP.read_text() == fingerprint():
        return
    if VENV.exists() and not (VENV / "bin" / "python").exists():
        shutil.rmtree(VENV)
    print("set-up: Python packages from requirements.lock (usually 20 s to 2 min)", flush=True)
    STAMP.unlink(missing_ok=True)
    venv.EnvBuilder(with_pip=True, upgrade=False, symlinks=True).create(VENV)
    python = str(VENV / "bin" / "python")
    installer = ROOT / ".shoestring" / "uv.lock.txt"
    installer.write_text(pinned("uv"))
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run("installer", [*pip, "--require-hashes", "-r", str(installer)])
    uv = [python, "-m", "uv", "pip"]
    # compiled here once: where Python may not write its bytecode, each command would compile anew, twice as slow
    packages = [*uv, "install", "--python", python, "--compile-bytecode", "--require-hashes", "-r", str(LOCK)]
    run("locked packages", packages)
    run("shoestring itself", [*uv, "install", "--python", python, "--no-deps", "--no-build-isolation", "-e", "."])
    STAMP.write_text(fingerprint())


def main() -> None:
    """Makes the environment, then hands over to `shoestring setup` inside it."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the Makefile runs whatever python3 is
        version = ".".join(map(str, sys.version_info[:3]))
        raise SystemExit(f"Python 3.11 or newer is needed, found {version}. Name another: make PYTHON=python3.12 setup")
    try:
        with one_at_a_time():
            make_environment()
            completed = subprocess.run([str(VENV / "bin" / "python"), "-m", "shoestring.cli", "setup"], cwd=ROOT)
        sys.exit(completed.returncode)
    except KeyboardInterrupt:
        print("\nset-up: stopped; the next run goes on from here: make setup")
        sys.exit(130)
    except OSError as error:
        raise SystemExit(
            f"set-up: {error.strerror or error}: {error.filename or ROOT}; mend it and run: make setup"
        ) from error


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
