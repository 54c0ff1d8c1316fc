"""`python -m localcloud.sagemaker --port N --home DIR`: serves the API on loopback until it is ended."""

from __future__ import annotations

from typing import Any

from localcloud.protocol import JsonHandler, arguments, serve
from localcloud.sagemaker.client import INTERRUPT
from localcloud.sagemaker.service import Service


class Handler(JsonHandler):
    """SageMaker's calls, and interruptions on demand."""

    service: Service

    def call(self, target: str, request: dict[str, Any]) -> object:
        """One call of the API."""
        if self.path == INTERRUPT:
            return self.service.interrupt(request)
        return self.service.call(target.rpartition(".")[2], request)


def main() -> None:
    """Serves; at SIGTERM ends the running jobs first."""
    options = arguments()
    Handler.service = Service(options.home)
    serve(Handler, options.port)
    Handler.service.close()


if __name__ == "__main__":
    main()
