"""AWS's clients, for the commands that ask an account."""

from __future__ import annotations

from typing import Any


def client(service: str, **settings: Any) -> Any:
    """`boto3.client` with the same words."""
    import boto3  # here, for it is heavy: most commands, and every `--help`, do without

    return boto3.client(service, **settings)
