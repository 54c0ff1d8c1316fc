"""`python -m localcloud.meter --port N --home DIR`: meters the account, and serves Cost Explorer, until it is ended."""

from __future__ import annotations

import argparse
import os
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.prices import PriceBook
from localcloud.meter.ledger import Ledger
from localcloud.meter.service import Service
from localcloud.meter.watch import Watch
from localcloud.protocol import JsonHandler, serve
from localcloud.sagemaker.spot import Spot

LINES = "/_local/lines"


class Handler(JsonHandler):
    """Cost Explorer's calls, and the line items by themselves."""

    service: Service
    watch: Watch

    def call(self, target: str, request: dict[str, Any]) -> object:
        """One call of the API."""
        self.watch.try_once()  # an answer knows of all that was done before it was asked for
        return self.service.call(target.rpartition(".")[2], request)

    def local(self, path: str) -> object | None:
        """All line items."""
        if path != LINES:
            return None
        self.watch.try_once()
        return [line.described() for line in self.service.lines()]


def _book() -> PriceBook:
    current = getattr(PriceBook, "current", PriceBook.load)
    return current()


def main() -> None:
    """Serves; at SIGTERM looks at the account a last time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    arguments = parser.parse_args()
    cloud = arguments.home / "cloud"
    ledger = Ledger.load(cloud / "meter", lambda line: print(line, flush=True))
    watch = Watch(cloud, os.environ["AWS_ENDPOINT_URL"], ledger)
    market = Decimal(str(Spot.read(cloud / "spot.json").price_ratio))
    Handler.service, Handler.watch = Service(cloud, ledger, _book(), market), watch
    ending = threading.Event()
    watching = threading.Thread(target=watch.run, args=(ending,), daemon=True)
    watching.start()
    serve(Handler, arguments.port)
    ending.set()
    watching.join(timeout=6)
    ledger.save()


if __name__ == "__main__":
    main()
