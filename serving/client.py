"""Calls the inference function through its URL, signed with the caller's AWS credentials."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30.0


class FunctionUrl:
    """One function URL with `AWS_IAM`; holds its connection open between calls.

    Args:
        url: as Lambda gives it, `https://<id>.lambda-url.<region>.on.aws/`.
        region: the function's.
        endpoint: the local cloud's AWS_ENDPOINT_URL; the call goes there and names the function in its Host header.
    """

    def __init__(self, url: str, region: str, endpoint: str | None = None) -> None:
        import botocore.session  # both here, for they are heavy
        import requests

        self._url = url if url.endswith("/") else f"{url}/"
        self._region = region
        self._to = f"{endpoint.rstrip('/')}/" if endpoint else self._url
        self._credentials = botocore.session.get_session().get_credentials()
        self._session = requests.Session()

    def predict(self, rows: list[dict[str, Any]], model: str = "") -> tuple[int, dict[str, Any]]:
        """Posts the rows to a model, the function's first one by default; returns the HTTP status and the answer.

        Raises:
            botocore.exceptions.NoCredentialsError: there are no AWS credentials to sign with.
            requests.RequestException: the function cannot be reached.
        """
        return self._call("POST", model, json.dumps({"rows": rows}))

    def describe(self, model: str = "") -> tuple[int, dict[str, Any]]:
        """What is served; takes, returns and raises as `predict` does."""
        return self._call("GET", model, "")

    def _call(self, method: str, model: str, body: str) -> tuple[int, dict[str, Any]]:
        from botocore.auth import SigV4Auth  # here, for it is heavy
        from botocore.awsrequest import AWSRequest

        headers = {"Content-Type": "application/json", "Host": urlsplit(self._url).netloc}
        request = AWSRequest(method, self._url + model, headers=headers, data=body)
        SigV4Auth(self._credentials, "lambda", self._region).add_auth(request)
        answer = self._session.request(
            method, self._to + model, headers=dict(request.headers.items()), data=body, timeout=TIMEOUT_SECONDS
        )
        try:
            return answer.status_code, answer.json()
        except ValueError:  # Lambda's own words, where the function never answered
            return answer.status_code, {"error": answer.text}
