"""The keys that the gate accepts: the cloud's own, that of its functions, and those that the account has given out."""

from __future__ import annotations

import hmac
import json
import re
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from localcloud import ACCOUNT
from localcloud.gate.signature import Refusal, Signature
from localcloud.keys import ISSUED, Keys
from shoestring.base.paths import write_atomically

REMEMBERED = 86400.0  # seconds for which an expired key is still known, and refused as expired
XML = "<{0}>([^<]+)</{0}>"


@dataclass(frozen=True)
class Issued:
    """One key of a user, or of a session: then with a token, and the moment (epoch seconds) of its end."""

    secret: str
    token: str = ""
    expires: float | None = None


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

    def note(self, answer: bytes) -> None:
        """Takes up the key in an answer of STS or IAM, if there is one."""
        text = answer.decode(errors="replace")
        values = {name: re.search(XML.format(name), text)
                  for name in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")}  # fmt: skip
        if not values["AccessKeyId"] or not values["SecretAccessKey"]:
            return
        token, end = values["SessionToken"], values["Expiration"]
        expires = datetime.fromisoformat(end[1]).timestamp() if end else None
        self.issued[values["AccessKeyId"][1]] = Issued(values["SecretAccessKey"][1], token[1] if token else "", expires)
        self._keep()

    def forget(self, key: str) -> None:
        """Forgets a key that was deleted."""
        if self.issued.pop(key, None):
            self._keep()

    def _keep(self) -> None:
        known = time.time() - REMEMBERED
        self.issued = {name: key for name, key in self.issued.items() if key.expires is None or key.expires > known}
        described = {name: asdict(key) for name, key in self.issued.items()}
        write_atomically(self.path, json.dumps(described, indent=2) + "\n", mode=0o600)
