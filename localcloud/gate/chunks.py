"""Bodies that come in signed pieces (`aws-chunked`), as S3 takes them.

Each piece is `<size in hex>;chunk-signature=<signature>`, a line's end, the bytes, and a line's end; the last one has
size 0, and after it may come headers (a trailer) with a signature of their own.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import IO

from botocore.auth import EMPTY_SHA256_HASH, STREAMING_UNSIGNED_PAYLOAD_TRAILER

from localcloud.gate.signature import Refusal, Signature, signing_key

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = f"{SIGNED}-TRAILER"
WORDS = (SIGNED, SIGNED_TRAILER, STREAMING_UNSIGNED_PAYLOAD_TRAILER)  # what X-Amz-Content-SHA256 says of such a body
LONGEST_LINE = 8192  # bytes
TRAILER_SIGNATURE = b"x-amz-trailer-signature"
PIECE = 1 << 20  # bytes that are hashed at a time


class Chain:
    """The signatures of one body's pieces: each signs the one before."""

    def __init__(self, signature: Signature, secret: str) -> None:
        self.key, self.last = signing_key(signature, secret), signature.value
        scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
        self.head = f"{signature.moment}\n{scope}"

    def check(self, kind: str, digest: str, given: str) -> None:
        """Raises Refusal unless `given` signs a piece's hash, or the trailer's."""
        empty = f"{EMPTY_SHA256_HASH}\n" if kind == "PAYLOAD" else ""
        text = f"AWS4-HMAC-SHA256-{kind}\n{self.head}\n{self.last}\n{empty}{digest}"
        self.last = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(self.last.encode(), given.encode()):
            raise Refusal("mismatch")


def verify(word: str, signature: Signature, secret: str, body: IO[bytes]) -> None:
    """Reads a body from its begin to its end, and goes back there. Raises Refusal where a piece is not as signed."""
    if word == STREAMING_UNSIGNED_PAYLOAD_TRAILER:  # AWS takes it on the word of the checksum in its trailer
        return
    chain, size = Chain(signature, secret), -1
    while size:
        line = body.readline(LONGEST_LINE).decode(errors="replace").rstrip("\r\n")
        text, _, given = line.partition(";chunk-signature=")
        try:
            size = left = int(text, 16)
        except ValueError:
            raise Refusal("mismatch") from None
        digest = hashlib.sha256()
        while left:
            piece = body.read(min(left, PIECE))
            if not piece:
                raise Refusal("mismatch")
            digest.update(piece)
            left -= len(piece)
        chain.check("PAYLOAD", digest.hexdigest(), given)
        if size and body.read(2) != b"\r\n":
            raise Refusal("mismatch")
    rest = body.read(LONGEST_LINE)
    if word == SIGNED_TRAILER:
        _trailer(chain, rest)
    elif rest.strip():
        raise Refusal("mismatch")
    body.seek(0)


def _trailer(chain: Chain, text: bytes) -> None:
    """Checks the headers behind the last piece."""
    lines = [line for line in text.split(b"\r\n") if line]
    signed, given = hashlib.sha256(), ""
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == TRAILER_SIGNATURE:
            given = value.strip().decode(errors="replace")
        else:
            signed.update(name.strip().lower() + b":" + value.strip() + b"\n")
    chain.check("TRAILER", signed.hexdigest(), given)
