"""Checkpoints that an interruption cannot spoil: written aside, made durable, renamed; read only when whole.

A checkpoint is one file, `step-<12 digits>.ckpt`: a line of JSON with the step, the payload's length and its SHA-256,
then the payload. On S3, where SageMaker carries the folder, an object is there whole or not at all; a torn file comes
from a disk that was cut off, and its checksum tells. The older ones are kept for that case.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"step-(\d{12})\.ckpt")
KEPT = 3


class CorruptCheckpoint(Exception):
    """A file that is not a whole checkpoint; the message says why."""


@dataclass(frozen=True)
class Checkpoint:
    """`payload` as it stood after `step` steps."""

    step: int
    payload: bytes


def _path(folder: Path, step: int) -> Path:
    return folder / f"step-{step:012d}.ckpt"


def steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint file, newest first, whether or not it is whole."""
    if not folder.is_dir():
        return []
    return sorted((int(match[1]) for path in folder.iterdir() if (match := NAME.fullmatch(path.name))), reverse=True)


def save(folder: Path, step: int, payload: bytes, keep: int = KEPT) -> Path:
    """Writes a checkpoint atomically and removes all but the newest `keep`.

    Args:
        folder: made when it is not there.
        step: steps done, 0 or more; a checkpoint of the same step is replaced.
        payload: the state, in whatever form the job gives it.
        keep: how many to keep, at least 2, so that a torn one has one before it.

    Raises:
        ValueError: `step` is negative or `keep` below 2.
        OSError: the disk refuses; the older checkpoints are untouched then.
    """
    if step < 0 or keep < 2:
        raise ValueError(f"step must be 0 or more and keep 2 or more, found step={step}, keep={keep}")
    folder.mkdir(parents=True, exist_ok=True)
    head = {"step": step, "length": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
    target = _path(folder, step)
    part = target.with_suffix(".part")
    try:
        with part.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n" + payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)  # the rename itself
    finally:
        os.close(entry)
    for old in steps(folder)[keep:]:
        _path(folder, old).unlink(missing_ok=True)
    return target


def read(folder: Path, step: int) -> Checkpoint:
    """One checkpoint.

    Raises:
        CorruptCheckpoint: the file is torn, changed, or of another step.
        FileNotFoundError: there is none of this step.
    """
    path = _path(folder, step)
    line, ended, payload = path.read_bytes().partition(b"\n")
    if not ended:
        raise CorruptCheckpoint(f"{path.name}: its first line has no end")
    try:
        head = json.loads(line)
        recorded = head["step"], head["length"], head["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptCheckpoint(f"{path.name}: its first line is not a checkpoint's") from error
    actual = step, len(payload), hashlib.sha256(payload).hexdigest()
    for name, value, expected in zip(("step", "length", "checksum"), actual, recorded, strict=True):
        if value != expected:
            raise CorruptCheckpoint(f"{path.name}: {name} is {value}, expected {expected}")
    return Checkpoint(step, payload)


def latest(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint, None where there is none.

    Each damaged one that is newer gives a warning and is removed: it would count as newest, and push whole ones out.
    """
    for step in steps(folder):
        try:
            return read(folder, step)
        except CorruptCheckpoint as error:
            warnings.warn(f"checkpoint skipped: {error}; using the one before it", stacklevel=2)
            _path(folder, step).unlink()
    return None
