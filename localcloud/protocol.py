"""AWS JSON 1.1 over HTTP on loopback: one POST for each call, the operation in `X-Amz-Target`."""

from __future__ import annotations

import json
import signal
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from localcloud.requests import ServiceError


class JsonHandler(BaseHTTPRequestHandler):
    """One service; the subclass carries its calls out."""

    protocol_version = "HTTP/1.1"

    def call(self, target: str, request: dict[str, object]) -> object:
        """One call of the API: `target` as the header has it. Raises ServiceError."""
        raise NotImplementedError

    def local(self, path: str) -> object | None:
        """What the local cloud has and AWS has elsewhere, by GET; None where there is nothing at `path`."""
        return None

    def do_GET(self) -> None:
        """The health check, and what is local."""
        found = {"status": "ok"} if self.path == "/health" else self.local(self.path)
        self.answer(404 if found is None else 200, {"status": "unknown"} if found is None else found)

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


def serve(handler: type[JsonHandler], port: int) -> None:
    """Serves on loopback until SIGTERM."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()
