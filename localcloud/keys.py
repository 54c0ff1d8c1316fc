"""The keys of one local cloud: random, made with its account, and readable by the user alone."""

from __future__ import annotations

import json
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localcloud import REGION
from shoestring.base.paths import write_atomically

ISSUED = "issued-keys.json"  # the keys that the account has given out, below `<home>/cloud`
ID_CHARACTERS = string.ascii_uppercase + "234567"
SECRET_CHARACTERS = string.ascii_letters + string.digits + "+/"


def _random(length: int, characters: str = SECRET_CHARACTERS) -> str:
    return "".join(secrets.choice(characters) for _ in range(length))


@dataclass(frozen=True)
class Keys:
    """What opens the gate of one cloud.

    Attributes:
        access_key: the id of the account's own key.
        secret_key: its secret.
        functions_secret: the secret of what the emulated account runs itself; the key's id is the account's number.
        tracking_token: opens the pages of the MLflow servers.
    """

    access_key: str
    secret_key: str
    functions_secret: str
    tracking_token: str

    @classmethod
    def path(cls, cloud: Path) -> Path:
        """Where they lie."""
        return cloud / "keys.json"

    @classmethod
    def load(cls, cloud: Path) -> Keys:
        """The keys of the cloud at `<home>/cloud`. Raises OSError or ValueError where there are none."""
        try:
            return cls(**json.loads(cls.path(cloud).read_text()))
        except TypeError as error:
            raise ValueError(f"{cls.path(cloud)} does not hold a cloud's keys: {error}") from error

    @classmethod
    def load_or_make(cls, cloud: Path) -> Keys:
        """The same; made where there are none, or none that can be read."""
        try:
            return cls.load(cloud)
        except (FileNotFoundError, ValueError):
            keys = cls("AKIA" + _random(16, ID_CHARACTERS), _random(40), _random(40), secrets.token_urlsafe(32))
            write_atomically(cls.path(cloud), json.dumps(asdict(keys), indent=2) + "\n", mode=0o600)
            return keys

    def variables(self, endpoint: str) -> dict[str, str]:
        """The variables under which AWS's clients, and MLflow's, work on the cloud behind `endpoint`."""
        return {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "MLFLOW_TRACKING_TOKEN": self.tracking_token,
        }


def client_arguments(cloud: dict[str, Any]) -> dict[str, str]:
    """What boto3 is given to make a client for the cloud that `localcloud.supervisor.up` returned."""
    variables = cloud["variables"]
    return {
        "endpoint_url": variables["AWS_ENDPOINT_URL"],
        "region_name": variables["AWS_REGION"],
        "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
    }
