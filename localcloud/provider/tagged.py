"""Everything in an account that has given tags, as the rows list it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import jmespath

from localcloud.aws.row import as_object, text
from localcloud.aws.types import BY_TOKEN
from localcloud.provider.resources import Emulator, Resource

NAMES = ("Name", "GroupName", "LaunchTemplateName", "MonitorName")  # of what AWS gives an id of its own


@dataclass(frozen=True)
class Tagged:
    """A resource: its type and id, what else it is called, all of its tags, and whether it stands `alone`, and is not a
    part of another one that takes it along."""

    token: str
    id: str
    names: frozenset[str]
    tags: Mapping[str, str]
    alone: bool

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.token, self.id

    def __str__(self) -> str:
        return f"{self.token.rpartition(':')[2]} {self.id}"


def tagged(account: Emulator, tags: Mapping[str, str]) -> Iterator[Tagged]:
    """What has these tags, of the types whose rows list and tag them. Raises botocore's errors."""
    for row in BY_TOKEN.values():
        if not row.calls or not row.calls.tags or not row.listing:
            continue
        template, member = row.calls.id, row.calls.id.rpartition(".")[2]
        own = {"AccountId": account.number} if "AccountId" in row.listing.arguments else {}
        listing = replace(row.listing, arguments={**row.listing.arguments, **own})
        for item in listing.all(account.client(row.service)):
            shown = as_object(item.get("Tags", tags))  # many a listing shows none
            if not jmespath.search(row.listing.own, item) or not tags.items() <= shown.items():
                continue
            resource = Resource(account, row.token, {row.calls.named: jmespath.search(row.listing.id, item)})
            resource.id = item[member] if template.startswith("=") else text(template, resource._context())
            resource.inputs = {}
            if "Tags" not in item:
                shown = dict(resource.inputs.get("tags") or {}) if resource.read() else {}
            if tags.items() <= shown.items():
                names = {resource.id, *(item[name] for name in NAMES if name in item), shown.get("Name", "")}
                alone = bool(jmespath.search(row.listing.alone, item))
                yield Tagged(row.token, resource.id, frozenset(names), shown, alone)
