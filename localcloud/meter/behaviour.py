"""How Cost Explorer behaves where it does not behave well, for tests: `<home>/cloud/meter/behaviour.json`.

All keys are optional: `throttle_first` (so many calls are refused, from when the file was written), `deny` (every call
is), `delay_days` (the last days are missing, as AWS's bill lags), `empty` (nothing was ever spent), `active_tags_only`
(only activated cost allocation tags are seen, as on AWS; without it every tag is).
"""

from __future__ import annotations

import threading
from dataclasses import fields
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from localcloud.protocol import ServiceError, invalid
from localcloud.sagemaker.spot import problem


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Behaviour:
    """What the file says."""

    throttle_first: int = 0
    deny: bool = False
    delay_days: float = 0.0
    empty: bool = False
    active_tags_only: bool = False

    @classmethod
    def read(cls, path: Path) -> Behaviour:
        """The file's settings, or none where there is no file. Raises ServiceError that names what it cannot hold."""
        if not path.exists():
            return cls()
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except ValidationError as error:
            problems = "; ".join(map(problem, error.errors()))
            known = ", ".join(field.name for field in fields(cls))
            raise invalid(f"{path}: {problems}; known keys: {known}; edit or remove the file") from error


class Gate:
    """Lets calls through, or not."""

    def __init__(self, path: Path) -> None:
        self.path, self.refused, self.written, self.lock = path, 0, 0, threading.Lock()

    def enter(self, operation: str) -> Behaviour:
        """The behaviour of this call. Raises ServiceError where it is refused."""
        found = Behaviour.read(self.path)
        with self.lock:
            written = self.path.stat().st_mtime_ns if self.path.exists() else 0
            if written != self.written:
                self.written, self.refused = written, 0
            if self.refused < found.throttle_first:
                self.refused += 1
                raise ServiceError("ThrottlingException", "Rate exceeded")
        if found.deny:
            who = "arn:aws:iam::000000000000:user/test"
            raise ServiceError("AccessDeniedException", f"User: {who} is not authorized to perform: ce:{operation} "
                               "with an explicit deny")  # fmt: skip
        return found
