"""Lists the emulated account itself, service by service: the proof of a teardown, independent of any bookkeeping.

What is listed, and how, say the rows of `localcloud/aws/`. A listing that fails raises; none is passed over.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jmespath

from localcloud.aws.types import TYPES
from localcloud.keys import client_arguments

LISTED = {row.key: row.listing for row in TYPES if row.listing}


def list_account(cloud: dict[str, Any]) -> list[dict[str, str]]:
    """Everything in the account that a new account does not have, as `{"service", "type", "id"}`.

    `cloud` is what `localcloud.supervisor.up` returns.
    What goes with its parent (a bucket's objects, a table's routes) is not listed by itself.

    Raises:
        botocore.exceptions.ClientError: a listing was refused.
        botocore.exceptions.EndpointConnectionError: an endpoint does not answer.
    """
    import boto3  # here, for it is heavy, and most commands load this module without listing

    arguments = client_arguments(cloud)
    services = sorted({key.partition("/")[0] for key in LISTED})
    clients = {service: boto3.client(service, **arguments) for service in services}  # making them is not thread-safe

    def listed(key: str) -> list[dict[str, str]]:
        (service, _, kind), listing = key.partition("/"), LISTED[key]
        items = [item for item in listing.all(clients[service]) if jmespath.search(listing.own, item)]
        return [{"service": service, "type": kind, "id": str(jmespath.search(listing.id, item))} for item in items]

    with ThreadPoolExecutor(max_workers=8) as pool:
        return [resource for resources in pool.map(listed, LISTED) for resource in resources]
