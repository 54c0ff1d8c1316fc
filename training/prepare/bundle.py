"""Packs a job's code into the `sourcedir.tar.gz` that SageMaker's script mode takes. Runs on the user's machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from shoestring.base.closure import trace
from shoestring.base.paths import write_atomically
from training.prepare.artifact import Artifact
from training.prepare.jobfile import JobFile
from training.prepare.wheels import requirements

RUNTIME = "training.session"  # what a job's script imports of the project


def build(job: JobFile, folder: Path, wheels: Artifact | None = None) -> Artifact:
    """Packs `training/` (what a job needs of it), `requirements.txt`, the entry point and what it imports from beside.

    Taken along are the Python modules of the entry point's own folder that it imports, directly or not, and the lines
    of a `requirements.txt` there; other files are not: put them into the data or the image. The file is
    `<folder>/<hash>/sourcedir.tar.gz`, by the hash of its uncompressed bytes, which are alike on every machine.

    Args:
        wheels: what the job finds in its channel `wheels` and installs from there alone; None: it asks a package index.

    Raises:
        UserError: the entry point, or a module that it imports, is not Python, or imports a name that is not there.
    """
    needed = (wheels.path / "requirements.txt").read_bytes() if wheels else requirements(job)
    code = trace((RUNTIME, job.entry_path.stem), scripts=job.entry_path.parent)
    packed = _tar({name: path.read_bytes() for name, path in code.files.items()} | {"requirements.txt": needed})
    digest = hashlib.sha256(packed).hexdigest()
    path = folder / digest / "sourcedir.tar.gz"
    write_atomically(path, gzip.compress(packed, mtime=0))
    return Artifact(path, digest)


def job_name(job: JobFile, *, code: str, data: str, image: str, run: int = 1) -> str:
    """`<name>-<12 hex>`: changes with whatever goes into the result, and with nothing else; `-<run>` after the first.

    Args:
        code: the bundle's hash.
        data: the training set's hash.
        image: the container image's URI.
        run: which run of the same inputs it is; there is room for three digits (see `jobfile.LONGEST_NAME`).
    """
    inputs = [code, data, image, job.instance_type, sorted(job.hyperparameters.items())]
    digest = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:12]
    return f"{job.name}-{digest}" + (f"-{run}" if run > 1 else "")


def _tar(files: dict[str, bytes]) -> bytes:
    """A tar whose bytes depend on `files` alone: sorted, without times, owners and modes of their own."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(body), 0o644
            tar.addfile(entry, io.BytesIO(body))
    return packed.getvalue()
