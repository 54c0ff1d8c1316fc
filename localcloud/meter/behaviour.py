"""How Cost Explorer behaves where it does not behave well, for tests: `<home>/cloud/meter/behaviour.json`.

All keys are optional: `throttle_first` (so many calls are refused, from when the file was written), `deny` (every call
is), `delay_days` (the last days are missing, as AWS's bill lags), `empty` (nothing was ever spent), `active_tags_only`
(only activated cost allocation tags are seen, as on AWS; without it every tag is).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from localcloud import ACCOUNT
from localcloud.protocol import ServiceError, invalid
from localcloud.settings import read_settings


@dataclass(frozen=True)
class Behaviour:
    """What the file says."""

    throttle_first: int = 0
    deny: bool = False
    delay_days: float = 0.0
    empty: bool = False
    active_tags_only: bool = False


class Gate:
    """Lets calls through, or not."""

    def __init__(self, path: Path) -> None:
        self.path, self.refused, self.written, self.lock = path, 0, 0, threading.Lock()

    def enter(self, operation: str) -> Behaviour:
        """The behaviour of this call. Raises ServiceError where it is refused."""
        try:
            behaviour = read_settings(Behaviour, self.path)
        except ValueError as error:
            raise invalid(str(error)) from error
        with self.lock:
            written = self.path.stat().st_mtime_ns if self.path.exists() else 0
            if written != self.written:
                self.written, self.refused = written, 0
            if self.refused < behaviour.throttle_first:
                self.refused += 1
                raise ServiceError("ThrottlingException", "Rate exceeded")
        if behaviour.deny:
            who = f"arn:aws:iam::{ACCOUNT}:user/test"
            raise ServiceError("AccessDeniedException", f"User: {who} is not authorized to perform: ce:{operation} "
                               "with an explicit deny")  # fmt: skip
        return behaviour
