"""`python -m localcloud.sagemaker --socket PATH --home DIR`: serves the API until it is ended."""

from __future__ import annotations

from typing import Any

from localcloud.protocol import JsonHandler, arguments, serve
from localcloud.sagemaker.client import INTERRUPT
from localcloud.sagemaker.service import Regions


class Handler(JsonHandler):
    """SageMaker's calls, and interruptions on demand."""

    regions: Regions

    def call(self, target: str, request: dict[str, Any]) -> object:
        """One call of the API."""
        service = self.regions.service(self.region)
        if self.path == INTERRUPT:
            return service.interrupt(request)
        return service.call(target.rpartition(".")[2], request)


def main() -> None:
    """Serves; at SIGTERM ends the running jobs first."""
    options = arguments()
    Handler.regions = Regions(options.home)
    serve(Handler, options.socket)
    Handler.regions.close()


if __name__ == "__main__":
    main()
