"""`python -m localcloud.meter --port N --home DIR`: meters the account until it is ended.

It serves what AWS knows of the account as a whole: Cost Explorer, budgets, quotas, and who pays.
"""

from __future__ import annotations

import os
from typing import Any

import requests

from localcloud import organization, quotas
from localcloud.meter.ledger import Ledger
from localcloud.meter.prices import Prices
from localcloud.meter.service import Service
from localcloud.meter.watch import Watch
from localcloud.protocol import JsonHandler, ServiceError, arguments, serve

LINES = "/_local/lines"
BUDGETS = "AWSBudgetServiceGateway"


class Handler(JsonHandler):
    """Cost Explorer's calls, those of Budgets on their way to the account, and the line items by themselves."""

    service: Service
    watch: Watch
    quotas: quotas.Service

    def call(self, target: str, request: dict[str, Any]) -> object:
        """One call of the API."""
        service, _, name = target.rpartition(".")
        if service == quotas.TARGET:
            return self.quotas.call(name, request)
        if service == organization.TARGET:
            return organization.call(name, request, self.quotas.quotas.cloud)
        self.watch.try_once()  # an answer knows of all that was done before it was asked for
        if service == BUDGETS:
            return self._budgets(target, request)
        return self.service.call(name, request)

    def _budgets(self, target: str, request: dict[str, Any]) -> object:
        """The account's own answer, with what was spent in it."""
        names = ("Content-Type", "Authorization", "User-Agent", "X-Amz-Date")
        headers = {"X-Amz-Target": target, **{name: self.headers[name] for name in names if name in self.headers}}
        answer = requests.post(os.environ["AWS_ENDPOINT_URL"], json=request, headers=headers, timeout=30)
        described: dict[str, Any] = answer.json()
        if not answer.ok:
            code = described.get("__type", "InternalErrorException")
            raise ServiceError(code, described.get("message", ""), answer.status_code)
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
    serve(Handler, options.port, watch.run)
    ledger.save()


if __name__ == "__main__":
    main()
