"""Holds requests against the table of refusals (`localcloud/refusals/`) before they are passed on."""

from __future__ import annotations

import functools
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from localcloud.gate.forward import Body
from localcloud.gate.operations import Operations
from localcloud.gate.signature import Request
from localcloud.keys import Keys
from localcloud.refusals.account import Account, Caller
from localcloud.refusals.table import TABLE, refuse

AGENT = "shoestring-gate"  # the checks' own requests bear this name, and are not judged


class Judge:
    """Judges for the account below `<home>/cloud`, which it asks through the gate itself, at `endpoint`."""

    def __init__(self, cloud: Path, endpoint: str, keys: Keys) -> None:
        self.operations = Operations(TABLE)
        self.variables, self.lock = keys.variables(endpoint), threading.Lock()
        self.account = Account(cloud, functools.cache(self._client))

    def concerns(self, signed: str, request: Request, body: Body) -> bool:
        """Whether the asked operation may stand in the table; told at once."""
        own = AGENT in request.headers.get("User-Agent", "")
        return not own and self.operations.may_find(signed, request, body.read)

    def check(self, signed: str, request: Request, body: Body, caller: Caller | None) -> None:
        """Raises ServiceError where AWS would refuse; it may ask the account meanwhile, so it has a thread."""
        if asked := self.operations.find(signed, request, body.read):
            refuse(*asked, replace(self.account, caller=caller))

    def _client(self, service: str) -> Any:
        import boto3  # both here: they are heavy, and a gate that has nothing to judge does without
        from botocore.config import Config

        with self.lock:  # making clients is not thread-safe
            return boto3.client(
                service,
                endpoint_url=self.variables["AWS_ENDPOINT_URL"],
                region_name=self.variables["AWS_REGION"],
                aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
                config=Config(user_agent_extra=AGENT, retries={"total_max_attempts": 1}),
            )
