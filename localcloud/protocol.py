"""What the parts of the local cloud have in common: arguments, a log, and AWS JSON 1.1 over HTTP on a Unix socket.

AWS JSON 1.1 is one POST for each call, with the operation in `X-Amz-Target`.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import threading
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

from localcloud import REGION

SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([a-z0-9-]+)/")  # of a signature: key, day, region, service


class ServiceError(Exception):
    """An error that the client sees: `code` as AWS names it, and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code, self.status = code, status
        super().__init__(message)


def invalid(message: str) -> ServiceError:
    """AWS's answer to a request that makes no sense."""
    return ServiceError("ValidationException", message)


class Notice:
    """Writes a line into the part's log, once for each change of it."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, line: str) -> None:
        if line and line != self.last:
            print(line, flush=True)
        self.last = line


class JsonHandler(BaseHTTPRequestHandler):
    """One service; the subclass carries its calls out."""

    protocol_version = "HTTP/1.1"

    def call(self, target: str, request: dict[str, object]) -> object:
        """One call of the API: `target` as the header has it. Raises ServiceError."""
        raise ServiceError("UnknownOperationException", f"{target or self.path} is unknown")

    @property
    def region(self) -> str:
        """The region that the request is signed for."""
        signed = SCOPE.search(self.headers.get("Authorization", ""))
        return signed[1] if signed else REGION

    def local(self, path: str) -> object | None:
        """What the local cloud has and AWS has elsewhere, by GET; None where there is nothing at `path`."""
        return None

    def do_GET(self) -> None:
        """The health check, and what is local."""
        value = {"status": "ok"} if self.path == "/health" else self.local(self.path)
        self.answer(404 if value is None else 200, {"status": "unknown"} if value is None else value)

    def do_POST(self) -> None:
        """One call of the API."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            try:
                request = json.loads(body or b"{}")
            except ValueError as error:
                raise ServiceError("SerializationException", f"the body is not JSON: {error}") from error
            self.answer(200, self.call(self.headers.get("X-Amz-Target", ""), request))
        except ServiceError as error:
            self.answer(error.status, {"__type": error.code, "message": str(error)})
        except Exception as error:
            traceback.print_exc()  # into the part's log
            self.answer(500, {"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"})

    def answer(self, status: int, value: object) -> None:
        """Sends `value` as JSON."""
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged."""


def arguments() -> argparse.Namespace:
    """`socket` and `home` (the checkout's `.shoestring`), as the supervisor gives them to each part."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    return parser.parse_args()


class Server(ThreadingUnixStreamServer):
    """An HTTP server on a Unix socket, which takes many requests at once."""

    daemon_threads = True
    request_queue_size = 128


def serve(
    handler: type[JsonHandler], socket: Path, work: Callable[[threading.Event], object] = threading.Event.wait
) -> None:
    """Serves on a socket while `work` is done, which returns soon after its event is set: at SIGTERM."""
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    socket.unlink(missing_ok=True)  # of a part that was killed
    with Server(str(socket), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        work(ending)
        server.shutdown()
