"""What a check may ask: the account behind, its settings and its quotas."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from costs.book.quotas import Quota, quotas
from localcloud import ACCOUNT
from localcloud.aws.row import Json, as_object
from localcloud.protocol import ServiceError
from localcloud.quotas import Quotas
from localcloud.settings import AccountSettings


@dataclass(frozen=True)
class Caller:
    """Who asks with a key that the account gave out.

    Attributes:
        arn: of a user, or of a role's session; of the account itself for a session of its own keys.
        region: the one that the request is signed for.
        session_policies: what a session was narrowed by when it began: texts of policies, and ARNs of managed ones.
    """

    arn: str
    region: str
    session_policies: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """`role` or `user`; empty for the account itself."""
        return {"assumed-role": "role", "user": "user"}.get(self.arn.rpartition(":")[2].partition("/")[0], "")

    @property
    def name(self) -> str:
        """The name of the role or user."""
        parts = self.arn.split("/")
        return parts[1] if self.kind == "role" else parts[-1]

    @property
    def principal(self) -> str:
        """What policies call it: of a session, its role."""
        return f"arn:aws:iam::{ACCOUNT}:role/{self.name}" if self.kind == "role" else self.arn


@dataclass(frozen=True)
class Account:
    """The account below `cloud`; `client` gives boto3's client of a service that nothing stands in front of."""

    cloud: Path
    client: Callable[[str], Any]
    lock: threading.Lock = field(default_factory=threading.Lock)
    admitted: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Jobs that were let through and may not be there yet, with quota and moment: two at once must not share one."""
    caller: Caller | None = None  # of the request that is judged; None where it bears the account's own keys

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
