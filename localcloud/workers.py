"""Ends the processes of function versions that no alias reaches any more.

MiniStack keeps one process of every version that was ever asked, also when an update has published the next one. A
version that is asked again gets a new one.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import boto3
import psutil
from botocore.exceptions import ClientError

from localcloud.aws.row import absent

NAME, VERSION, LATEST = "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"
PAUSE = 10.0  # seconds between two looks


class Workers:
    """The processes of functions below `<home>/cloud/tmp`."""

    def __init__(self, cloud: Path, pause: float = PAUSE) -> None:
        self.folder, self.pause, self.next_look = cloud / "tmp", pause, 0.0
        self.client = boto3.client("lambda")
        self.spent: dict[psutil.Process, float] = {}  # seconds of processor time at the last look

    def tend(self) -> None:
        """One look, where it is time for one. Raises botocore's errors."""
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + self.pause
        before, self.spent = self.spent, {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if not Path(process.cwd()).is_relative_to(self.folder):
                    continue
                variables = process.environ()
                if variables.get(VERSION, LATEST) == LATEST or self._reached(variables[NAME], variables[VERSION]):
                    continue
                self.spent[process] = sum(process.cpu_times()[:2])
                if before.get(process) == self.spent[process]:  # idle since the last look
                    process.kill()

    def _reached(self, name: str, version: str) -> bool:
        try:
            aliases = self.client.list_aliases(FunctionName=name)["Aliases"]
        except ClientError as error:
            if not absent(error):
                raise
            return False
        return any(version in (alias["FunctionVersion"], *_weights(alias)) for alias in aliases)


def _weights(alias: dict[str, object]) -> dict[str, float]:
    routing = alias.get("RoutingConfig")
    return dict(routing.get("AdditionalVersionWeights") or {}) if isinstance(routing, dict) else {}
