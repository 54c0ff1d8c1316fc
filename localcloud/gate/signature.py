"""Signature Version 4 as AWS verifies it: in the header `Authorization`, or in the query of a presigned link.

What is signed, and how, is botocore's own code; here is only what the receiving side adds: which parts a request must
sign, and for how long.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from botocore.auth import UNSIGNED_PAYLOAD, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from multidict import CIMultiDictProxy

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = 300.0  # seconds between a request's moment and ours; AWS's general limit
S3_SKEW = 900.0  # S3's
LONGEST_LINK = 604800  # seconds that a presigned link may be good for
STREAMING = "STREAMING-"
# Of the query, what belongs to the signature and to nothing else.
OWN = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature",
       "X-Amz-Security-Token")  # fmt: skip
UNSIGNED = ("x-amz-content-sha256", "x-amz-user-agent")  # the only x-amz- headers that need no signature
SCOPE = re.compile(r"([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")  # key id, date, region, service


class Refusal(Exception):
    """Why a request is not let in: `reason` is one of those that `localcloud/gate/answers.py` knows."""

    def __init__(self, reason: str, message: str = "") -> None:
        self.reason, self.message = reason, message
        super().__init__(f"{reason}: {message}")


@dataclass(frozen=True)
class Request:
    """A request as it came over the wire; `path` and `query` are still encoded."""

    method: str
    path: str
    query: str
    headers: CIMultiDictProxy[str]


@dataclass(frozen=True)
class Signature:
    """What a request says of its signature. `moment` is in AWS's own form, `20260102T030405Z`."""

    key: str
    date: str
    region: str
    service: str
    signed: tuple[str, ...]
    value: str
    moment: str
    token: str
    expires: int | None = None  # seconds, of a presigned link
    version: int = 4

    @property
    def presigned(self) -> bool:
        """Whether it stood in a link."""
        return self.expires is not None

    @property
    def of_s3(self) -> bool:
        """Whether S3's rules hold, which differ a little."""
        return self.service.startswith("s3")


def read(request: Request) -> Signature:
    """The signature of a request. Raises Refusal where there is none, or one that cannot be read."""
    authorization = request.headers.get("Authorization")
    linked = "X-Amz-Signature=" in request.query or "X-Amz-Algorithm=" in request.query
    if authorization is None and not linked:
        raise Refusal("missing")
    if authorization is not None and linked:
        raise Refusal("incomplete", "Only one auth mechanism allowed")
    return _from_query(request) if authorization is None else _from_header(request, authorization)


def _from_header(request: Request, authorization: str) -> Signature:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise Refusal("incomplete", f"Unsupported Authorization Type: {algorithm or 'none'}; {ALGORITHM} is supported")
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    moment = request.headers.get("X-Amz-Date") or _moment(request.headers.get("Date", ""))
    token = request.headers.get("X-Amz-Security-Token", "")
    return _signature(fields, moment, token, None)


def _from_query(request: Request) -> Signature:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise Refusal("incomplete", f"X-Amz-Algorithm only supports {ALGORITHM}")
    expires = query.get("X-Amz-Expires", "900")
    if not expires.isdecimal() or not 0 < int(expires) <= LONGEST_LINK:
        raise Refusal("incomplete", f"X-Amz-Expires must be between 1 and {LONGEST_LINK} seconds")
    fields = {name: query.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature")}
    return _signature(fields, query.get("X-Amz-Date", ""), query.get("X-Amz-Security-Token", ""), int(expires))


def _signature(fields: Mapping[str, str], moment: str, token: str, expires: int | None) -> Signature:
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not fields.get(name)]
    if missing:
        raise Refusal("incomplete", f"Authorization requires {' and '.join(missing)}")
    scope = SCOPE.fullmatch(fields["Credential"])
    if not scope:
        raise Refusal("incomplete", "Credential must be <key id>/<date>/<region>/<service>/aws4_request")
    if not re.fullmatch(r"\d{8}T\d{6}Z", moment) or not moment.startswith(scope[2]):
        raise Refusal("incomplete", "Date in Credential scope does not match X-Amz-Date, or there is none")
    signed = tuple(name.lower() for name in fields["SignedHeaders"].split(";"))
    key, date, region, service = scope.groups()
    return Signature(key, date, region, service, signed, fields["Signature"], moment, token, expires)


def _moment(date: str) -> str:
    """The header `Date` in AWS's form; empty where it is none."""
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except ValueError:
        return ""


def check_time(signature: Signature, now: float | None = None) -> None:
    """Raises Refusal for a signature that is no longer good, or not yet."""
    now = time.time() if now is None else now
    try:
        signed_at = datetime.fromisoformat(signature.moment).timestamp()
    except ValueError:
        raise Refusal("incomplete", f"X-Amz-Date {signature.moment} is no moment") from None
    skew = S3_SKEW if signature.of_s3 else SKEW
    if signature.expires is not None:
        if now > signed_at + signature.expires:
            raise Refusal("expired")
        if signed_at > now + skew:
            raise Refusal("skewed", f"Request is not valid yet: it is from {signature.moment}")
    elif abs(now - signed_at) > skew:
        late = "Signature expired" if signed_at < now else "Signature not yet current"
        raise Refusal("skewed", f"{late}: {signature.moment} is more than {skew / 60:.0f} min. away")


def payload(signature: Signature, request: Request) -> str | None:
    """What stands for the body in what is signed: its hash or one of AWS's words; None where the body must be read.

    Raises Refusal for a word that AWS does not take there.
    """
    given = request.headers.get("X-Amz-Content-SHA256")
    if signature.presigned and signature.of_s3:
        in_link = re.search(r"(?:^|&)X-Amz-Content-SHA256=([^&]+)", request.query, re.IGNORECASE)
        return in_link[1] if in_link else UNSIGNED_PAYLOAD
    if given is not None and not re.fullmatch("[0-9a-f]{64}", given) and not signature.of_s3:
        raise Refusal("body", f"x-amz-content-sha256 must be the hash of the body, found {given}")
    return given


class _Headers(dict[str, list[str]]):
    """The signed headers, in the one form that botocore's signer reads."""

    def get_all(self, name: str) -> list[str]:
        return self[name]


class _Receiving:
    """Botocore's signers, for a request that was signed elsewhere."""

    def headers_to_sign(self, request: Any) -> _Headers:
        return _Headers({name: request.headers.getall(name) for name in request.signed})

    def canonical_query_string(self, request: Any) -> str:
        """Sorted, and encoded as AWS does, whatever the client left as it was."""
        pairs = [part.partition("=")[::2] for part in request.query.split("&") if part]
        encoded = [(_encoded(name), _encoded(value)) for name, value in pairs]
        return "&".join(f"{name}={value}" for name, value in sorted(encoded) if name != "X-Amz-Signature")

    def payload(self, request: Any) -> str:
        return str(request.body_hash)


class _Signer(_Receiving, SigV4Auth):  # type: ignore[misc]
    pass


class _S3Signer(_Receiving, S3SigV4Auth):  # type: ignore[misc]
    def _normalize_url_path(self, path: str) -> str:
        return _encoded(path, "/-_.~")


def _encoded(text: str, safe: str = "-_.~") -> str:
    return quote(unquote_to_bytes(text), safe=safe)


def verify(signature: Signature, request: Request, secret: str, body: str) -> None:
    """Raises Refusal unless the request is signed with `secret`; `body` is what stands for the body."""
    headers = request.headers
    if "host" not in signature.signed or any(name not in headers for name in signature.signed):
        raise Refusal("mismatch")
    for name in headers:
        lower = name.lower()
        if lower.startswith("x-amz-") and lower not in signature.signed and lower not in UNSIGNED:
            raise Refusal("unsigned", f"There were headers present in the request which were not signed: {lower}")
    plain = SimpleNamespace(
        method=request.method, url=f"http://host{request.path}", query=request.query, params=None, headers=headers,
        signed=signature.signed, body_hash=body, context={"timestamp": signature.moment},
    )  # fmt: skip
    if signature.presigned:
        plain.headers = _without_hash(headers)
    signer = (_S3Signer if signature.of_s3 else _Signer)(
        Credentials(signature.key, secret), signature.service, signature.region
    )
    try:
        expected = signer.signature(signer.string_to_sign(plain, signer.canonical_request(plain)), plain)
    except UnicodeEncodeError:
        raise Refusal("mismatch") from None
    if not hmac.compare_digest(str(expected).encode(), signature.value.encode()):
        raise Refusal("mismatch")


def signing_key(signature: Signature, secret: str) -> bytes:
    """What a body's pieces are signed with."""
    key = f"AWS4{secret}".encode()
    for part in (signature.date, signature.region, signature.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _without_hash(headers: CIMultiDictProxy[str]) -> Any:
    """The headers without the body's hash: that of a link stands in the link."""
    kept = headers.copy()
    kept.popall("X-Amz-Content-SHA256", None)
    return kept


def signed_anew(signature: Signature, request: Request, key: str, secret: str) -> str:
    """The path and query of a presigned link, signed with another key for the same host."""
    parts = [part for part in request.query.split("&") if part.partition("=")[0] not in OWN]
    url = f"http://{request.headers['Host']}{request.path}" + (f"?{'&'.join(parts)}" if parts else "")
    fresh = AWSRequest(request.method, url, headers={"Host": request.headers["Host"]})
    kind = S3SigV4QueryAuth if signature.of_s3 else SigV4QueryAuth
    kind(Credentials(key, secret), signature.service, signature.region, expires=60).add_auth(fresh)
    return str(fresh.url).removeprefix(f"http://{request.headers['Host']}")
