"""What a check may ask: the account behind, its settings and its quotas."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from costs.book.quotas import Quota, quotas
from localcloud.aws.row import Json, as_object
from localcloud.protocol import ServiceError
from localcloud.quotas import Quotas
from localcloud.settings import AccountSettings


@dataclass(frozen=True)
class Account:
    """The account below `cloud`; `client` gives boto3's client of a service that nothing stands in front of."""

    cloud: Path
    client: Callable[[str], Any]
    lock: threading.Lock = field(default_factory=threading.Lock)
    admitted: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Jobs that were let through and may not be there yet, with quota and moment: two at once must not share one."""

    @property
    def settings(self) -> AccountSettings:
        """What `account.json` says now."""
        return AccountSettings.read(self.cloud)

    def limit(self, quota: Quota | str) -> float:
        """The value of a quota, or of the one with that code."""
        return Quotas(self.cloud).value(quotas()[quota] if isinstance(quota, str) else quota)


Check = Callable[[Json, Account], None]
TAGS = 50  # on one resource


def check_tags(refusal: Callable[[], ServiceError], member: str = "Tags") -> Check:
    """A check that a request has no more tags than a resource may carry."""

    def check(request: Json, account: Account) -> None:
        if len(as_object(request.get(member))) > TAGS:
            raise refusal()

    return check
