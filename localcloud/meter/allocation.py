"""Cost allocation tags: which keys of tags the bill may be split by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from localcloud.meter.explorer import offset
from localcloud.meter.rate import LineItem

Found = dict[str, Any]


def keys_of(lines: Sequence[LineItem]) -> dict[str, float]:
    """Every key on the bill, with the moment of its last use."""
    found: dict[str, float] = {}
    for line in lines:
        for key in line.tags:
            found[key] = max(found.get(key, 0.0), line.end)
    return found


def _generated(key: str) -> bool:
    return key.startswith("aws:")


def listed(active: dict[str, str], request: Found, lines: Sequence[LineItem]) -> Found:
    """ListCostAllocationTags; `active` holds when each active key was activated."""
    used, tags = keys_of(lines), []
    for key in sorted(used.keys() | active.keys()):
        tag = {"TagKey": key, "Type": "AWSGenerated" if _generated(key) else "UserDefined",
               "Status": "Active" if key in active else "Inactive"}  # fmt: skip
        if key in active:
            tag["LastUpdatedDate"] = active[key]
        if key in used:
            tag["LastUsedDate"] = datetime.fromtimestamp(used[key], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        tags.append(tag)
    for name, member in (("Status", "Status"), ("Type", "Type")):
        tags = [tag for tag in tags if request.get(name, tag[member]) == tag[member]]
    tags = [tag for tag in tags if tag["TagKey"] in request.get("TagKeys", [tag["TagKey"]])]
    first = offset(request.get("NextToken"), max(1, len(tags)))
    last = first + request.get("MaxResults", 100)
    return {"CostAllocationTags": tags[first:last], **({"NextToken": str(last)} if last < len(tags) else {})}


def update(active: dict[str, str], request: Found, lines: Sequence[LineItem], now: datetime) -> Found:
    """UpdateCostAllocationTagsStatus: a key that was never used is an error of its own."""
    used, errors = keys_of(lines), []
    for entry in request["CostAllocationTagsStatus"]:
        key = entry["TagKey"]
        if key not in used and key not in active:
            errors.append({"TagKey": key, "Code": "TagKeysNotFoundException", "Message": f"Tag keys not found: {key}"})
        elif entry["Status"] == "Active":
            active.setdefault(key, now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        else:
            active.pop(key, None)
    return {"Errors": errors}
