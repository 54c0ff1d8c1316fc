"""Cost allocation tags: which keys of tags the bill may be split by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from localcloud.aws.row import Json
from localcloud.meter.rate import LineItem
from localcloud.requests import page


def keys_of(lines: Sequence[LineItem]) -> dict[str, float]:
    """Every key on the bill, with the moment of its last use."""
    used: dict[str, float] = {}
    for line in lines:
        for key in line.tags:
            used[key] = max(used.get(key, 0.0), line.end)
    return used


def listed(active: dict[str, str], request: Json, lines: Sequence[LineItem]) -> Json:
    """ListCostAllocationTags; `active` holds when each active key was activated."""
    used, tags = keys_of(lines), []
    for key in sorted(used.keys() | active.keys()):
        tag = {"TagKey": key, "Type": "AWSGenerated" if key.startswith("aws:") else "UserDefined",
               "Status": "Active" if key in active else "Inactive"}  # fmt: skip
        if key in active:
            tag["LastUpdatedDate"] = active[key]
        if key in used:
            tag["LastUsedDate"] = datetime.fromtimestamp(used[key], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = all(request.get(member, tag[member]) == tag[member] for member in ("Status", "Type"))
        if wanted and key in request.get("TagKeys", [key]):
            tags.append(tag)
    shown, following = page(tags, request, "NextToken")
    return {"CostAllocationTags": shown, **following}


def update(active: dict[str, str], request: Json, lines: Sequence[LineItem], now: datetime) -> Json:
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
