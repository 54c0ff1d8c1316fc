"""Brings a job's packages to where no package index answers. Runs on the user's machine.

On AWS a job works in the platform's network, where its interfaces get no public address and no NAT gateway is paid for:
it reaches S3 and the tracking server, and nothing else. So its packages come as an input channel, wheel by wheel.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import uv

from shoestring.base.errors import UserError
from shoestring.base.once import make_once
from shoestring.base.paths import ROOT
from training.prepare.artifact import Artifact
from training.prepare.jobfile import JobFile

CHANNEL = "/opt/ml/input/data/wheels"  # where SageMaker puts the files of the channel `wheels`
PYTHON = "3.11"  # that of every image in jobfile.FRAMEWORKS; an image of one's own needs the same
GLIBC = 28  # 2.28, what the newest wheels ask for; the images have 2.35
LOCK = ROOT / "requirements.lock"
REQUIREMENTS = ROOT / "training/job/requirements.txt"
LARGE = re.compile(r"([^/\s]+\.whl) \((\d+\.\d MB)\)")


def requirements(job: JobFile) -> bytes:
    """What a job needs, and the lines of the `requirements.txt` beside its entry point, if there is one."""
    own = job.entry_path.with_name("requirements.txt")
    return REQUIREMENTS.read_bytes() + (b"\n" + own.read_bytes() if own.is_file() else b"")


def build(job: JobFile, folder: Path, progress: Callable[[str], None]) -> Artifact:
    """Makes `<folder>/wheels-<hash>/`, or returns it where it was made before: all that the job's packages need.

    It holds `.whl` files and the `requirements.txt` that installs them, whose hash stands for all of it.

    The versions are those of `requirements.lock` wherever it names the package. The requirements list every wheel with
    its hash, dependencies included, so that what the image has of them in other versions is replaced: compiled packages
    fit each other only in the versions that were tried together.

    156 MB (59 wheels), above all SciPy, ONNX Runtime, ONNX, NumPy and botocore: some 20 s to fetch, once, and as much
    again to upload for each window. They lie in the bucket while the window is up: 0.156 x 0.023 = 0.004 $ a month, and
    59 requests, 0.0003 $. To install them takes each attempt of a job some 45 s: 0.115 x 45 / 3600 = 0.0015 $.

    Repeatable, safe when it is killed at any point or runs twice at once: the folder appears whole or not at all.

    Args:
        folder: where folders of wheels are kept.
        progress: receives a line for each step.

    Raises:
        UserError: the requirements contradict each other; no such wheels; no index.
    """
    wanted = requirements(job)
    inputs = (wanted, LOCK.read_bytes(), Path(__file__).read_bytes(), PYTHON.encode())
    key = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in inputs)).hexdigest()[:16]
    target = make_once(folder / f"wheels-{key}", lambda part: _fill(part, wanted, progress))
    return Artifact(target, hashlib.sha256((target / "requirements.txt").read_bytes()).hexdigest())


def _fill(part: Path, requirements: bytes, progress: Callable[[str], None]) -> Path:
    progress(f"training wheels: for Linux on x86_64, Python {PYTHON} (150 MB when not cached)")
    wanted, listed = part / "requirements.in", part / "requirements.txt"
    wanted.write_bytes(requirements)
    # uv judges the markers by the job's Python, which pip would do by this machine's.
    resolve = [
        uv.find_uv_bin(), "pip", "compile", "--quiet", "--only-binary", ":all:", "--generate-hashes", "--no-header",
        "--no-annotate", "--emit-index-url", "--emit-find-links", "--constraint", str(LOCK), "--python", sys.executable,
        "--python-platform", f"x86_64-manylinux_2_{GLIBC}", "--python-version", PYTHON, "--output-file", listed.name,
        wanted.name,
    ]  # fmt: skip
    _run(resolve, part, progress)
    wanted.unlink()
    tags = ["manylinux1", "manylinux2010", "manylinux2014", *(f"manylinux_2_{minor}" for minor in range(5, GLIBC + 1))]
    download = [
        sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--progress-bar", "off", "--no-deps",
        "--require-hashes", "--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON,
        *(f"--platform={tag}_x86_64" for tag in tags), "--dest", ".", "--requirement", listed.name,
    ]  # fmt: skip
    _run(download, part, progress)
    wheels = sorted(part.glob("*.whl"))
    listed.write_text("".join([f"--no-index\n--find-links {CHANNEL}\n", *map(_line, wheels)]))
    size = sum(wheel.stat().st_size for wheel in wheels)
    progress(f"training wheels: {len(wheels)} files, {size / 2**20:.0f} MB")
    return part


def _line(wheel: Path) -> str:
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _run(command: list[str], folder: Path, progress: Callable[[str], None]) -> None:
    """Runs a command in `folder`; tells of the large files that it names."""
    lines = []
    with subprocess.Popen(
        command, cwd=folder, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if large := LARGE.search(line):
                progress(f"training wheels: {large[1]}, {large[2]}")
    if process.returncode:
        raise UserError(
            "the job's packages cannot be had:\n" + "\n".join(lines[-20:]),
            f"wheels of training/job/{REQUIREMENTS.name} and the job's own requirements.txt for Linux on x86_64 and "
            f"Python {PYTHON}, in the versions of {LOCK.name} where it names them",
            "see that the package index answers, or change the job's requirements.txt",
        )
