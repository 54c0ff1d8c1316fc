"""Carries requests on to what listens behind the gate, and answers back; bodies of any size pass in pieces."""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

ACCOUNT_PART = "aws"  # the emulator, which answers for all services that no other part plays
# Who plays what else there is, by the service that a request is signed for.
PLAYED = {
    "sagemaker": "sagemaker",
    "ce": "meter",
    "budgets": "meter",
    "servicequotas": "meter",
    "organizations": "meter",
}
IN_MEMORY = 1 << 20  # bytes of a body that are kept in memory; more goes into a temporary file
AT_ONCE = 1 << 16  # bytes of an answer that goes back in one write, with its headers
IDLE_SECONDS = 60.0  # how long a connection is kept; the emulator keeps its side for 75
BY_HOP = frozenset(("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
                    "transfer-encoding", "upgrade", "expect"))  # fmt: skip
ADDED = ("User-Agent", "Content-Type", "Accept", "Accept-Encoding")  # what aiohttp adds by itself


@dataclass
class Body:
    """A body that was received whole: its hash, its size in bytes, and its content in memory or in a file."""

    sha256: str
    size: int
    content: bytes | IO[bytes]

    @property
    def text(self) -> bytes:
        """The content of a body in memory; empty for a larger one."""
        return self.content if isinstance(self.content, bytes) else b""

    def file(self) -> IO[bytes]:
        """The content to be read; who reads a file goes back to its begin."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content

    def read(self) -> bytes:
        """The whole content."""
        file = self.file()
        content = file.read()
        file.seek(0)
        return content

    def close(self) -> None:
        """Lets go of the file."""
        if not isinstance(self.content, bytes):
            self.content.close()


async def receive(request: web.BaseRequest, folder: Path) -> Body:
    """Reads a request's body; `folder` is for a large one."""
    if not request.body_exists:
        return Body(hashlib.sha256(b"").hexdigest(), 0, b"")
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    digest, size, pieces, file = hashlib.sha256(), 0, bytearray(), None
    async for piece in request.content.iter_any():
        digest.update(piece)
        size += len(piece)
        if file is None and size > IN_MEMORY:
            file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (it lives as long as the body)
            file.write(pieces)
        if file is None:
            pieces += piece
        else:
            file.write(piece)
    if file is not None:
        file.seek(0)
    return Body(digest.hexdigest(), size, bytes(pieces) if file is None else file)


class Behind:
    """The server on one Unix socket."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session: aiohttp.ClientSession | None = None

    def _session(self) -> aiohttp.ClientSession:
        if self.session is None:
            self.session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self.path), limit=0, keepalive_timeout=IDLE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=ADDED,
                auto_decompress=False,
                max_line_size=65536,
                max_field_size=65536,
            )
        return self.session

    async def close(self) -> None:
        """Closes its connections."""
        if self.session:
            await self.session.close()

    async def ask(
        self, request: web.BaseRequest, target: str, body: Body | None, without: frozenset[str] = frozenset()
    ) -> aiohttp.ClientResponse:
        """Sends a request on; `target` is its path and query, `without` are headers that stay here.

        Raises aiohttp.ClientError where nothing answers.
        """
        dropped = BY_HOP | without
        headers = CIMultiDict((name, value) for name, value in request.headers.items() if name.lower() not in dropped)
        data: Any = None
        if body is not None and body.size:
            headers["Content-Length"] = str(body.size)
            data = body.content
        url = URL(f"http://{request.headers['Host']}{target}", encoded=True)
        return await self._session().request(request.method, url, headers=headers, data=data, allow_redirects=False)


async def answer(
    request: web.BaseRequest, upstream: aiohttp.ClientResponse, text: bytes | None = None
) -> web.StreamResponse:
    """Carries an answer back, without what would let a foreign page read it: in pieces, unless it is small or its
    `text` was read.
    """
    headers = CIMultiDict(
        (name, value) for name, value in upstream.headers.items()
        if name.lower() not in BY_HOP and not name.lower().startswith("access-control-")
    )  # fmt: skip
    if text is None and request.method != "HEAD" and (upstream.content_length or AT_ONCE + 1) <= AT_ONCE:
        text = await upstream.read()
    if text is not None:
        return web.Response(status=upstream.status, reason=upstream.reason, headers=headers, body=text)
    response = web.StreamResponse(status=upstream.status, reason=upstream.reason, headers=headers)
    await response.prepare(request)
    try:
        if request.method != "HEAD":
            async for piece in upstream.content.iter_any():
                await response.write(piece)
    except aiohttp.ClientError as error:  # half of it is sent: the client must see that the rest is missing
        if request.transport:
            request.transport.abort()
        raise ConnectionResetError(f"the answer broke off: {error}") from error
    await response.write_eof()
    return response
