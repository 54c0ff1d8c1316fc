"""`python -m localcloud.sagemaker --port N --home DIR`: serves the API on loopback until it is ended."""

from __future__ import annotations

import argparse
import json
import signal
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from localcloud.sagemaker.client import INTERRUPT
from localcloud.sagemaker.requests import ServiceError
from localcloud.sagemaker.service import Service


class Handler(BaseHTTPRequestHandler):
    """AWS JSON 1.1: one POST for each call, the operation in `X-Amz-Target`; and interruptions on demand."""

    service: Service
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """The health check."""
        self._answer(200 if self.path == "/health" else 404, {"status": "ok" if self.path == "/health" else "unknown"})

    def do_POST(self) -> None:
        """One call of the API."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        try:
            try:
                request = json.loads(body or b"{}")
            except ValueError as error:
                raise ServiceError("SerializationException", f"the body is not JSON: {error}") from error
            if self.path == INTERRUPT:
                self._answer(200, self.service.interrupt(request))
            else:
                self._answer(200, self.service.call(name, request))
        except ServiceError as error:
            self._answer(error.status, {"__type": error.code, "message": str(error)})
        except Exception as error:
            traceback.print_exc()  # into the part's log
            self._answer(500, {"__type": "InternalFailure", "message": f"{type(error).__name__}: {error}"})

    def _answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not logged; jobs are."""


def main() -> None:
    """Serves; at SIGTERM ends the running jobs first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    Handler.service = Service(arguments.home)
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    Handler.service.close()


if __name__ == "__main__":
    main()
