"""Signatures that AWS would take are taken, and what AWS refuses is refused for AWS's reason."""

from __future__ import annotations

import hashlib
import io
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from multidict import CIMultiDict, CIMultiDictProxy

from localcloud.gate import chunks, links, signature
from localcloud.gate.signature import Refusal, Request

KEY, SECRET, HOST = "AKIAEXAMPLE", "a secret", "127.0.0.1:4566"
KEYS = Credentials(KEY, SECRET)


def received(request: AWSRequest, **headers: str) -> Request:
    """What the gate sees of a request that botocore signed; `headers` were changed on the way."""
    parts = urlsplit(request.url)
    seen = CIMultiDict({"Host": HOST, **dict(request.headers.items())})
    for name, value in headers.items():
        seen[name.replace("_", "-")] = value
    return Request(request.method, parts.path or "/", parts.query, CIMultiDictProxy(seen))


def signed(service: str = "ssm", url: str = f"http://{HOST}/", body: bytes = b"{}", method: str = "POST", **headers):
    request = AWSRequest(method, url, headers={"X-Amz-Target": "A.B", **headers}, data=body)
    (S3SigV4Auth if service == "s3" else SigV4Auth)(KEYS, service, "us-east-1").add_auth(request)
    return request


def link(service: str = "s3", url: str = f"http://{HOST}/bucket/key", expires: int = 60) -> AWSRequest:
    request = AWSRequest("GET", url, headers={"Host": HOST})
    (S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth)(KEYS, service, "us-east-1", expires=expires).add_auth(
        request
    )
    return request


def judge(request: Request, body: bytes = b"{}", secret: str = SECRET, now: float | None = None) -> str:
    """`in`, or the reason of the refusal."""
    try:
        seen = signature.read(request)
        signature.check_time(seen, now)
        given = signature.payload(seen, request)
        signature.verify(seen, request, secret, given or hashlib.sha256(body).hexdigest())
    except Refusal as refusal:
        return refusal.reason
    return "in"


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("ssm", f"http://{HOST}/"),
        ("lambda", f"http://{HOST}/2015-03-31/functions/arn%3Aaws%3Alambda/x?Qualifier=a%2Fb&Empty="),
        ("s3", f"http://{HOST}/bucket/a%20b/%C3%BC%2B~x/../y//z?versionId=1&list-type=2&prefix=a%2Fb&flag"),
        ("s3", f"http://{HOST}/bucket/key%2Bwith%2Bplus?b=2&a=1&a=0"),
    ],
)
def test_what_botocore_signs_is_let_in(service: str, url: str) -> None:
    assert judge(received(signed(service, url))) == "in"
    assert judge(received(signed(service, url)), secret="another") == "mismatch"


@pytest.mark.parametrize("service", ["s3", "sts"])
def test_links_are_let_in_until_they_end(service: str) -> None:
    request = received(link(service))
    assert judge(request, b"") == "in"
    assert judge(request, b"", "another") == "mismatch"
    assert judge(request, b"", now=time.time() + 61) == "expired"
    assert judge(received(link(service, expires=604801)), b"") == "incomplete"
    other = Request("DELETE", request.path, request.query, request.headers)
    assert judge(other, b"") == "mismatch"
    assert judge(Request("GET", "/bucket/other", request.query, request.headers), b"") == "mismatch"


def test_a_link_signed_anew_is_as_good_with_the_other_key() -> None:
    request = received(link(url=f"http://{HOST}/bucket/a%20b?versionId=7&x-amz-meta-a=b%2Fc"))
    target = signature.signed_anew(signature.read(request), request, "OTHER", "other secret")
    path, _, query = target.partition("?")
    again = Request("GET", path, query, request.headers)
    assert signature.read(again).key == "OTHER" and path == "/bucket/a%20b"
    assert "versionId=7" in query and "x-amz-meta-a=b%2Fc" in query and KEY not in query
    assert judge(again, b"", "other secret") == "in"


def test_a_changed_request_is_refused() -> None:
    request = signed()
    assert judge(received(request), b'{"other": 1}') == "mismatch"
    assert judge(received(request, X_Amz_Target="A.Other")) == "mismatch"
    assert judge(received(request, Host="127.0.0.1:9")) == "mismatch"
    assert judge(received(request, X_Amz_Security_Token="more")) == "unsigned"
    moved = received(request)
    assert judge(Request("POST", "/other", "", moved.headers)) == "mismatch"
    assert judge(Request("POST", "/", "Action=Other", moved.headers)) == "mismatch"


@pytest.mark.parametrize(("service", "minutes"), [("s3", 15), ("ssm", 5)])
def test_a_clock_may_be_off_by_minutes_only(service: str, minutes: int) -> None:
    request = received(signed(service))
    now = datetime.now(UTC)
    for seconds, verdict in ((-10, "in"), (10, "skewed")):
        for direction in (1, -1):
            moment = now + direction * timedelta(minutes=minutes, seconds=seconds)
            assert judge(request, now=moment.timestamp()) == verdict


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("", "incomplete"),
        ("Bearer token", "incomplete"),
        (f"AWS {KEY}:c2lnbmF0dXJl", "incomplete"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c", "incomplete"),
        (f"AWS4-HMAC-SHA256 Credential={KEY}/20200101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0",
         "incomplete"),
        (f"AWS4-ECDSA-P256-SHA256 Credential={KEY}/20200101/ssm/aws4_request, SignedHeaders=host, Signature=0",
         "incomplete"),
    ],
)  # fmt: skip
def test_half_a_signature_is_refused(authorization: str, reason: str) -> None:
    assert judge(received(signed(), Authorization=authorization)) == reason


def test_none_at_all_and_two_at_once_are_refused() -> None:
    request = signed()
    del request.headers["Authorization"]
    assert judge(received(request)) == "missing"
    twice = received(link())
    headers = CIMultiDict(twice.headers)
    headers["Authorization"] = signed().headers["Authorization"]
    assert judge(Request("GET", twice.path, twice.query, CIMultiDictProxy(headers))) == "incomplete"


def test_a_signature_must_cover_the_host() -> None:
    request = signed()
    authorization = request.headers["Authorization"].replace("host;", "")
    assert "host" not in authorization
    assert judge(received(request, Authorization=authorization)) == "mismatch"


def test_only_s3_takes_a_body_without_its_hash() -> None:
    assert judge(received(signed("ssm"), X_Amz_Content_SHA256="UNSIGNED-PAYLOAD")) == "body"
    request = AWSRequest("PUT", f"https://{HOST}/bucket/key", data=b"x")
    request.context["payload_signing_enabled"] = False
    signer = S3SigV4Auth(KEYS, "s3", "us-east-1")
    signer.payload = lambda request: "UNSIGNED-PAYLOAD"  # as over TLS
    signer.add_auth(request)
    assert judge(received(request), b"anything") == "in"


@pytest.mark.parametrize("path", ["/bucket/key", "/bucket/a%20b%2Bc?versionId=1"])
def test_the_older_links_of_s3_are_let_in_until_they_end(path: str) -> None:
    s3 = boto3.client(
        "s3", region_name="us-east-1", endpoint_url=f"http://{HOST}", aws_access_key_id=KEY,
        aws_secret_access_key=SECRET, config=Config(signature_version="s3"),
    )  # fmt: skip
    key = {"Key": "a b+c", "VersionId": "1"} if "?" in path else {"Key": "key"}
    parts = urlsplit(s3.generate_presigned_url("get_object", {"Bucket": "bucket", **key}, ExpiresIn=60))
    request = Request("GET", parts.path, parts.query, CIMultiDictProxy(CIMultiDict({"Host": HOST})))
    seen = links.read(request)
    assert seen and (seen.key, seen.service) == (KEY, "s3")
    links.verify(seen, request, SECRET)
    with pytest.raises(Refusal, match="mismatch"):
        links.verify(seen, request, "another")
    with pytest.raises(Refusal, match="mismatch"):
        links.verify(seen, Request("PUT", parts.path, parts.query, request.headers), SECRET)
    past = Request("GET", parts.path, parts.query.replace(seen.moment, "1000"), request.headers)
    with pytest.raises(Refusal, match="expired"):
        links.read(past)


# The example of AWS's documentation, "Signature calculations for the Authorization header: transferring payload in
# multiple chunks": 66,560 bytes in two pieces.
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
PIECES = (
    (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)
DOCUMENTED = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def example(changed: bytes = b"a") -> bytes:
    pieces = [b"%x;chunk-signature=%s\r\n%s\r\n" % (size, given.encode(), b"a" * size) for size, given in PIECES]
    return b"".join(pieces).replace(b"a" * 1024 + b"\r\n0", changed + b"a" * 1023 + b"\r\n0")


def test_a_body_in_signed_pieces_is_verified_piece_by_piece() -> None:
    seen = signature.Signature("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3", (), SEED, "20130524T000000Z", "")
    body = io.BytesIO(example())
    chunks.verify(chunks.SIGNED, seen, DOCUMENTED, body)
    assert body.tell() == 0
    for wrong in (example(b"b"), example()[:-100], example() + b"more", b"", b"zz;chunk-signature=0\r\n"):
        with pytest.raises(Refusal, match="mismatch"):
            chunks.verify(chunks.SIGNED, seen, DOCUMENTED, io.BytesIO(wrong))
    with pytest.raises(Refusal, match="mismatch"):  # a trailer is announced, and none is there
        chunks.verify(chunks.SIGNED_TRAILER, seen, DOCUMENTED, io.BytesIO(example()))


def test_a_trailer_is_verified_as_well() -> None:
    """AWS's second example, with a checksum in the trailer."""
    seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
    given = ("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
             "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
             "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992")  # fmt: skip
    sizes = zip((65536, 1024, 0), given, strict=True)
    text = b"".join(b"%x;chunk-signature=%s\r\n%s" % (size, name.encode(), b"a" * size + (b"\r\n" if size else b""))
                    for size, name in sizes)  # fmt: skip
    trailer = b"x-amz-checksum-crc32c:sOO8/Q==\r\n"
    last = b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
    seen = signature.Signature("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3", (), seed, "20130524T000000Z", "")
    chunks.verify(chunks.SIGNED_TRAILER, seen, DOCUMENTED, io.BytesIO(text + trailer + last))
    with pytest.raises(Refusal, match="mismatch"):
        chunks.verify(
            chunks.SIGNED_TRAILER, seen, DOCUMENTED, io.BytesIO(text + trailer.replace(b"sOO8", b"sOO9") + last)
        )


def test_the_time_of_a_request_may_stand_in_date() -> None:
    request = signed()
    seen = received(request)
    headers = CIMultiDict(seen.headers)
    moment = datetime.strptime(headers.pop("X-Amz-Date"), "%Y%m%dT%H%M%SZ")
    headers["Date"] = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
    plain = Request("POST", "/", "", CIMultiDictProxy(headers))
    assert signature.read(plain).moment == moment.strftime("%Y%m%dT%H%M%SZ")
