"""What is made on the user's machine for a job to find in the bucket."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Artifact:
    """A file or folder at `path`, and the hash of its content, which its key in the bucket is made of."""

    path: Path
    sha256: str
