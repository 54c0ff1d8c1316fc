"""AWS's Pricing and EC2 spot history on loopback, in their own protocols and shapes, for real boto3 clients.

`AWSPriceListService.GetProducts` in JSON 1.1 with filters and `NextToken`; `DescribeSpotPriceHistory` in EC2's query
protocol with XML answers and `nextToken`; the Spot Advisor's JSON by GET.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

PAGE = 2
XMLNS = "http://ec2.amazonaws.com/doc/2016-11-15/"


def product(
    sku: str,
    usage: str,
    usd: str | list[tuple[str, str]],
    unit: str = "Hrs",
    family: str = "",
    region: str = "us-east-1",
    currency: str = "USD",
    **attributes: str,
) -> dict[str, Any]:
    """An entry of a price list as AWS writes it; `usd` is one price, or tiers of (beginRange, price)."""
    tiers = [("0", usd)] if isinstance(usd, str) else usd
    ends = [begin for begin, _ in tiers[1:]] + ["Inf"]
    offer = f"{sku}.JRTCKXETXF"
    dimensions = {
        f"{offer}.{number}": {
            "unit": unit, "beginRange": begin, "endRange": end, "description": f"${price} per {unit} ({usage})",
            "appliesTo": [], "rateCode": f"{offer}.{number}", "pricePerUnit": {currency: price},
        }
        for number, ((begin, price), end) in enumerate(zip(tiers, ends, strict=True))
    }  # fmt: skip
    terms = {offer: {"priceDimensions": dimensions, "sku": sku, "effectiveDate": "2026-11-01T00:00:00Z",
                     "offerTermCode": "JRTCKXETXF", "termAttributes": {}}}  # fmt: skip
    reserved = {f"{sku}.38NPMPTW36": {"priceDimensions": {}, "sku": sku, "offerTermCode": "38NPMPTW36"}}
    about = {
        "usagetype": usage,
        "regionCode": region,
        "locationType": "AWS Region",
        "location": "somewhere",
        **attributes,
    }
    described: dict[str, Any] = {"sku": sku, "attributes": about}
    if family:
        described["productFamily"] = family
    return {"product": described, "serviceCode": "x", "terms": {"OnDemand": terms, "Reserved": reserved},
            "version": "20261120000000", "publicationDate": "2026-11-20T21:15:02Z"}  # fmt: skip


def instance(sku: str, kind: str, usd: str, prefix: str = "", **attributes: str) -> dict[str, Any]:
    """An on-demand Linux instance."""
    about = {"instanceType": kind, "operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA",
             "capacitystatus": "Used", "licenseModel": "No License required", "marketoption": "OnDemand",
             "operation": "RunInstances", "memory": "16 GiB", "vcpu": "4"} | attributes  # fmt: skip
    return product(sku, f"{prefix}BoxUsage:{kind}", usd, family="Compute Instance", **about)


def training(sku: str, kind: str, usd: str, usage: str = "USE1-Train", plato: str = "Training") -> dict[str, Any]:
    """A SageMaker instance of one component."""
    return product(sku, f"{usage}:{kind}", usd, family="ML Instance", instanceName=kind, instanceType=f"{kind}-{plato}",
                   platoinstancetype=plato, component=plato, operation="RunInstance")  # fmt: skip


class FakeAws:
    """What the server answers, and what it was asked."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Any]] = {}  # by service code: entries, or texts that are no JSON
        self.spot: list[tuple[str, str, str, str]] = []  # type, zone, price, time
        self.advisor: bytes | None = None
        self.types: set[str] | None = None  # what EC2 knows; None for everything
        self.errors: dict[str, deque[tuple[int, str, str] | None]] = {}  # by service code or "spot"; None lets one pass
        self.asked: Counter[str] = Counter()
        self.pages: list[tuple[str, str | None]] = []
        self.hangs: set[str] = set()  # service codes that get no answer
        self.reached = threading.Event()  # such a service was asked for
        self.url = ""

    def fails(self, what: str, *errors: tuple[int, str, str] | None) -> None:
        """The next requests of a service code, or of `spot`, answer with these (status, code, message)."""
        self.errors[what] = deque(errors)

    def failure(self, what: str) -> tuple[int, str, str] | None:
        waiting = self.errors.get(what)
        return waiting.popleft() if waiting else None

    def products(self, code: str, filters: list[dict[str, str]]) -> list[str]:
        """The entries that match, as JSON texts."""
        found = []
        for entry in self.lists.get(code, []):
            if isinstance(entry, str):
                found.append(entry)
                continue
            attributes = {"productFamily": entry["product"].get("productFamily"), **entry["product"]["attributes"]}
            if all(attributes.get(one["Field"]) == one["Value"] for one in filters):
                found.append(json.dumps(entry))
        return found


def _handler(aws: FakeAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            return

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            aws.asked["advisor"] += 1
            body = aws.advisor
            self._answer(200 if body else 404, body or b"", "application/json")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("X-Amz-Target") == "AWSPriceListService.GetProducts":
                self._products(json.loads(body))
            else:
                self._history(dict(parse_qsl(body.decode())))

        def _products(self, asked: dict[str, Any]) -> None:
            code, token = asked["ServiceCode"], asked.get("NextToken")
            aws.asked[code] += 1
            aws.pages.append((code, token))
            if code in aws.hangs:
                aws.reached.set()
                self.close_connection = True
                self.rfile.read(1)  # until the client is gone
                return
            if failure := aws.failure(code):
                status, name, message = failure
                body = json.dumps({"__type": name, "message": message})
                self._answer(status, body.encode(), "application/x-amz-json-1.1")
                return
            found, start = aws.products(code, asked["Filters"]), int(token or 0)
            answer: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": found[start : start + PAGE]}
            if start + PAGE < len(found):
                answer["NextToken"] = str(start + PAGE)
            self._answer(200, json.dumps(answer).encode(), "application/x-amz-json-1.1")

        def _history(self, asked: dict[str, str]) -> None:
            aws.asked["spot"] += 1
            assert asked["Action"] == "DescribeSpotPriceHistory" and asked["ProductDescription.1"] == "Linux/UNIX"
            wanted = [value for key, value in asked.items() if key.startswith("InstanceType.")]
            failure = aws.failure("spot")
            unknown = [name for name in wanted if aws.types is not None and name not in aws.types]
            if unknown and not failure:
                failure = (400, "InvalidParameterValue",
                           f"The following supplied instance types do not exist: [{', '.join(unknown)}]")  # fmt: skip
            if failure:
                status, name, message = failure
                error = f"<Error><Code>{name}</Code><Message>{message}</Message></Error>"
                text = f"<Response><Errors>{error}</Errors></Response>"
                self._answer(status, text.encode(), "text/xml")
                return
            found, start = [row for row in aws.spot if row[0] in wanted], int(asked.get("NextToken") or 0)
            items = "".join(
                f"<item><instanceType>{kind}</instanceType><productDescription>Linux/UNIX</productDescription>"
                f"<spotPrice>{price}</spotPrice><timestamp>{at}</timestamp><availabilityZone>{zone}</availabilityZone></item>"
                for kind, zone, price, at in found[start : start + PAGE]
            )
            token = str(start + PAGE) if start + PAGE < len(found) else ""
            text = (
                f'<DescribeSpotPriceHistoryResponse xmlns="{XMLNS}"><spotPriceHistorySet>{items}'
                f"</spotPriceHistorySet><nextToken>{token}</nextToken></DescribeSpotPriceHistoryResponse>"
            )
            self._answer(200, text.encode(), "text/xml")

    return Handler


@contextmanager
def serve() -> Iterator[FakeAws]:
    """A server on loopback, for the time of a `with`."""
    aws = FakeAws()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(aws))
    aws.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
