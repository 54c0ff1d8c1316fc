"""Persistent spot requests that a machine left behind.

When the instance of a persistent request ends, AWS opens the request again and launches another instance, also where
somebody terminated it (EC2 User Guide, "Spot Instance request states"): only cancelling the request ends that. The
official provider cancels it as it removes an instance, but did not in version 5.84 (terraform-provider-aws 38142).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from localcloud.aws.row import as_object
from localcloud.provider.tagged import Tagged

TOKEN = "aws:ec2/spotInstanceRequest:SpotInstanceRequest"
LIVE = ("open", "active", "disabled")  # states in which a request can be cancelled


def left(ec2: Any, tags: Mapping[str, str], machines: Collection[str]) -> Iterator[Tagged]:
    """The requests with these tags that may launch an instance, and whose instance is none of `machines`."""
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
    pages = ec2.get_paginator("describe_spot_instance_requests").paginate(
        Filters=[{"Name": "state", "Values": list(LIVE)}, *filters]
    )
    for request in (item for page in pages for item in page["SpotInstanceRequests"]):
        if request.get("InstanceId") not in machines:
            profile = request.get("LaunchSpecification", {}).get("IamInstanceProfile", {})  # tells whose machine it is
            id, shown = request["SpotInstanceRequestId"], as_object(request.get("Tags"))
            yield Tagged(TOKEN, id, frozenset({id, shown.get("Name", ""), *profile.values()}), shown, alone=True)


def cancel(ec2: Any, requests: list[str]) -> None:
    """Cancels requests; their instances run on."""
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=requests)
