"""`python -m localcloud.meter --socket PATH --home DIR`: meters the account until it is ended.

It serves what AWS knows of the account as a whole: Cost Explorer, budgets, quotas, and who pays.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from localcloud import organization, quotas, sockets
from localcloud.meter.ledger import Ledger
from localcloud.meter.prices import Prices
from localcloud.meter.service import Service
from localcloud.meter.trail import LOOK
from localcloud.meter.watch import Watch
from localcloud.protocol import JsonHandler, ServiceError, arguments, serve

LINES = "/_local/lines"
BUDGETS = "AWSBudgetServiceGateway"


class Handler(JsonHandler):
    """Cost Explorer's calls, those of Budgets on their way to the account, and the line items by themselves."""

    service: Service
    watch: Watch
    quotas: quotas.Service
    account: Path  # the socket of what plays the rest of the account

    def call(self, target: str, request: dict[str, Any]) -> object:
        """One call of the API."""
        service, _, name = target.rpartition(".")
        if service == quotas.TARGET:
            return self.quotas.call(name, request)
        if service == organization.TARGET:
            return organization.call(name, request, self.quotas.quotas.cloud)
        if target == LOOK:
            return self.watch.know(request["Names"])
        self.watch.try_once()  # an answer knows of all that was done before it was asked for
        if service == BUDGETS:
            return self._budgets(target, request)
        return self.service.call(name, request)

    def _budgets(self, target: str, request: dict[str, Any]) -> object:
        """The account's own answer, with what was spent in it."""
        names = ("Content-Type", "Authorization", "User-Agent", "X-Amz-Date")
        headers = {"X-Amz-Target": target, **{name: self.headers[name] for name in names if name in self.headers}}
        status, answer = sockets.ask(self.account, "/", json.dumps(request).encode(), headers)
        described: dict[str, Any] = json.loads(answer or b"{}")
        if status != 200:
            code = described.get("__type", "InternalErrorException")
            raise ServiceError(code, described.get("message", ""), status)
        self.watch.try_once()  # what was changed counts from now on
        budgets = [*described.get("Budgets", []), *([described["Budget"]] if "Budget" in described else [])]
        if budgets:
            lines = self.service.lines()
            for budget in budgets:
                self.watch.budgets.fill(budget, lines)
        return described

    def local(self, path: str) -> object | None:
        """All line items."""
        if path != LINES:
            return None
        self.watch.try_once()
        return [line.described() for line in self.service.lines()]


def main() -> None:
    """Serves; at SIGTERM looks at the account a last time."""
    options = arguments()
    cloud = options.home / "cloud"
    ledger = Ledger.load(cloud / "meter", lambda line: print(line, flush=True))
    prices = Prices(options.home)
    ledger.stamp = lambda stretch: prices.rater().stamp(stretch)
    service = Service(cloud, ledger, prices)
    watch = Watch(cloud, os.environ["AWS_ENDPOINT_URL"], ledger, service.lines)
    Handler.service, Handler.watch, Handler.quotas = service, watch, quotas.Service(cloud)
    Handler.account = sockets.path(cloud, "aws")
    serve(Handler, options.socket, watch.run)
    ledger.save()


if __name__ == "__main__":
    main()
