"""S3's older presigned links (Signature Version 2), which boto3 still makes for some regions unless told otherwise."""

from __future__ import annotations

import hmac
import time
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import HmacV1QueryAuth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from localcloud.gate.signature import Refusal, Request, Signature

MEMBERS = ("AWSAccessKeyId", "Signature", "Expires")


class _Signer(HmacV1QueryAuth):  # type: ignore[misc]
    """Botocore's signer, for a link that ends at a given moment."""

    def __init__(self, secret: str, end: str) -> None:
        super().__init__(Credentials("", secret))
        self.end = end

    def _get_date(self) -> str:
        return self.end


def read(request: Request) -> Signature | None:
    """The signature of such a link; None for any other request. Raises Refusal for one that has ended."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if "Authorization" in request.headers or any(not query.get(name) for name in MEMBERS):
        return None
    if not query["Expires"].isdecimal():
        raise Refusal("incomplete", f"Invalid date (should be seconds since epoch): {query['Expires']}")
    if time.time() > int(query["Expires"]):
        raise Refusal("expired")
    token = query.get("x-amz-security-token", "")
    return Signature(query["AWSAccessKeyId"], "", "", "s3", (), query["Signature"], query["Expires"], token, version=2)


def verify(signature: Signature, request: Request, secret: str) -> None:
    """Raises Refusal unless the link is signed with `secret`."""
    named = dict(parse_qsl(request.query, keep_blank_values=True))
    headers = HTTPHeaders()
    for name, value in {**request.headers, **named}.items():
        if name.lower() in ("content-md5", "content-type") or name.lower().startswith("x-amz-"):
            headers[name] = value
    split = urlsplit(f"http://host{request.path}?{request.query}")
    host = request.headers["Host"].rpartition(":")[0]
    bucket = host.removesuffix(".localhost") if host.endswith(".localhost") else ""
    path = f"/{bucket}{split.path}" if bucket else split.path
    expected = _Signer(secret, signature.moment).get_signature(request.method, split, headers, auth_path=path)
    if not hmac.compare_digest(str(expected).encode(), signature.value.encode()):
        raise Refusal("mismatch")
