"""The keys that the gate accepts: the cloud's own, that of its functions, and those that the account has given out."""

from __future__ import annotations

import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from localcloud import ACCOUNT
from localcloud.gate.signature import Refusal, Signature
from localcloud.keys import ISSUED, Keys
from localcloud.refusals.account import Caller
from shoestring.base.paths import write_atomically

REMEMBERED = 86400.0  # seconds for which an expired key is still known, and refused as expired
XML = "<{0}>([^<]+)</{0}>"
NARROWING = re.compile(r"Policy|PolicyArns\.member\.\d+\.arn")  # what STS takes to narrow a session


@dataclass(frozen=True)
class Issued:
    """One key of a user, or of a session: then with a token, and the moment (epoch seconds) of its end.

    `owner` is the ARN of the user or of the role's session, empty for the account itself; `policies` narrow a session.
    """

    secret: str
    token: str = ""
    expires: float | None = None
    owner: str = ""
    policies: tuple[str, ...] = ()


NOBODY = Issued("")


class Credentials:
    """The keys of the cloud at `<home>/cloud`; what the account gives out is kept there across restarts."""

    def __init__(self, keys: Keys, cloud: Path) -> None:
        self.keys, self.path = keys, cloud / ISSUED
        self.own = {keys.access_key: Issued(keys.secret_key), ACCOUNT: Issued(keys.functions_secret)}
        kept = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.issued = {name: Issued(**values) for name, values in kept.items()}

    def secret(self, signature: Signature) -> str:
        """The secret of a signature's key. Raises Refusal where there is no such key, or none that is still good."""
        found = self.own.get(signature.key) or self.issued.get(signature.key)
        if found is None:
            raise Refusal("key")
        if not hmac.compare_digest(found.token.encode(), signature.token.encode()):
            raise Refusal("token")
        if found.expires is not None and time.time() > found.expires:
            raise Refusal("old token")
        return found.secret

    def caller(self, signature: Signature) -> Caller | None:
        """Whose a verified request is; None for the account's own keys, which may do everything."""
        found = self.issued.get(signature.key, NOBODY)
        if not found.owner and not found.policies:
            return None
        return Caller(found.owner or f"arn:aws:iam::{ACCOUNT}:root", signature.region, tuple(found.policies))

    def note(self, answer: bytes, asked: Mapping[str, str], key: str) -> None:
        """Takes up the key in an answer of STS or IAM, if there is one, and forgets one that was deleted.

        Args:
            answer: the XML.
            asked: the parameters of the request.
            key: the one that the request was signed with.
        """
        deleted = asked.get("AccessKeyId") if asked.get("Action") == "DeleteAccessKey" else None
        if deleted in self.issued:
            del self.issued[deleted]
            self._keep()
        text = answer.decode(errors="replace")
        values = {name: re.search(XML.format(name), text)
                  for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")}  # fmt: skip
        if not values["AccessKeyId"] or not values["SecretAccessKey"]:
            return
        token, end = values["SessionToken"], values["Expiration"]
        expires = datetime.fromisoformat(end[1]).timestamp() if end else None
        self.issued[values["AccessKeyId"][1]] = Issued(
            values["SecretAccessKey"][1], token[1] if token else "", expires, *self._rights(text, asked, key)
        )
        self._keep()

    def _rights(self, text: str, asked: Mapping[str, str], key: str) -> tuple[str, tuple[str, ...]]:
        """Whose a new key is, and what narrows it: a role's, a user's, or (of any other session) the caller's."""
        policies = tuple(value for name, value in asked.items() if NARROWING.fullmatch(name))
        if role := re.search(XML.format("Arn"), text.partition("<AssumedRoleUser>")[2]):
            return role[1], policies
        if user := re.search(XML.format("UserName"), text):
            return f"arn:aws:iam::{ACCOUNT}:user/{user[1]}", ()
        caller = self.issued.get(key, NOBODY)
        if "<FederatedUser>" in text:  # it may do nothing that no policy of its session allows
            return caller.owner, policies or ("{}",)
        return caller.owner, tuple(caller.policies)

    def _keep(self) -> None:
        known = time.time() - REMEMBERED
        self.issued = {name: key for name, key in self.issued.items() if key.expires is None or key.expires > known}
        described = {name: asdict(key) for name, key in self.issued.items()}
        write_atomically(self.path, json.dumps(described, indent=2) + "\n", mode=0o600)
