"""Holds requests against the table of refusals (`localcloud/refusals/`) before they are passed on."""

from __future__ import annotations

import functools
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSResponse

from localcloud import sockets
from localcloud.gate.forward import ACCOUNT_PART, PLAYED, Body
from localcloud.gate.operations import Operations
from localcloud.gate.signature import Request
from localcloud.keys import Keys
from localcloud.refusals.account import Account, Caller
from localcloud.refusals.table import TABLE, refuse

SECONDS = 60.0  # for which an answer of the account is waited for


class Judge:
    """Judges for the account below `<home>/cloud`, whose parts it asks on their sockets."""

    def __init__(self, cloud: Path, keys: Keys) -> None:
        self.operations = Operations(TABLE)
        self.cloud, self.variables, self.lock = cloud, keys.variables("http://127.0.0.1"), threading.Lock()
        self.account = Account(cloud, functools.cache(self._client))

    def concerns(self, signed: str, request: Request, body: Body) -> bool:
        """Whether the asked operation may stand in the table; told at once."""
        return self.operations.may_find(signed, request, body.read)

    def check(self, signed: str, request: Request, body: Body, caller: Caller | None) -> None:
        """Raises ServiceError where AWS would refuse; it may ask the account meanwhile, so it has a thread."""
        if asked := self.operations.find(signed, request, body.read):
            refuse(*asked, replace(self.account, caller=caller))

    def _client(self, service: str) -> Any:
        import boto3  # both here: they are heavy, and a gate that has nothing to judge does without
        from botocore.config import Config

        with self.lock:  # making clients is not thread-safe
            client = boto3.client(
                service,
                endpoint_url=self.variables["AWS_ENDPOINT_URL"],
                region_name=self.variables["AWS_REGION"],
                aws_access_key_id=self.variables["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.variables["AWS_SECRET_ACCESS_KEY"],
                config=Config(retries={"total_max_attempts": 1}),
            )
        part = PLAYED.get(client.meta.service_model.signing_name, ACCOUNT_PART)
        straight = functools.partial(_straight, sockets.path(self.cloud, part))
        client.meta.events.register("before-send", straight)
        return client


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _straight(socket: Path, request: Any, **_: Any) -> AWSResponse:
    """Carries one of botocore's requests to a socket instead of a port. Raises OSError where nothing answers."""
    connection = sockets.Connection(socket, SECONDS)
    try:
        path = request.url.partition("://")[2].partition("/")[2]
        connection.request(request.method, f"/{path}", request.body, dict(request.headers.items()))
        answer = connection.getresponse()
        return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.read()))
    finally:
        connection.close()
