"""Errors in AWS's own words, and in the form in which the asked service speaks."""

from __future__ import annotations

import json
import uuid
from html import escape

from aiohttp import web

from localcloud.gate.signature import Refusal, Request

BAD_TOKEN = "The security token included in the request is invalid."
NOT_VALIDATED = "AWS was not able to validate the provided access credentials"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
# By reason: the code of S3, of services that speak XML (query), of EC2, and of those that speak JSON.
CODES = {
    "missing": ("AccessDenied", "MissingAuthenticationToken", "MissingAuthenticationToken",
                "MissingAuthenticationTokenException"),
    "incomplete": ("AuthorizationHeaderMalformed", "IncompleteSignature", "AuthFailure",
                   "IncompleteSignatureException"),
    "key": ("InvalidAccessKeyId", "InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException"),
    "token": ("InvalidToken", "InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException"),
    "old token": ("ExpiredToken", "ExpiredToken", "RequestExpired", "ExpiredTokenException"),
    "mismatch": ("SignatureDoesNotMatch", "SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException"),
    "unsigned": ("AccessDenied", "SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException"),
    "skewed": ("RequestTimeTooSkewed", "SignatureDoesNotMatch", "RequestExpired", "InvalidSignatureException"),
    "expired": ("AccessDenied", "RequestExpired", "RequestExpired", "ExpiredTokenException"),
    "body": ("XAmzContentSHA256Mismatch", "SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException"),
}  # fmt: skip
MESSAGES = {
    "missing": "Request is missing Authentication Token",
    "key": BAD_TOKEN,
    "token": BAD_TOKEN,
    "old token": "The security token included in the request is expired",
    "mismatch": MISMATCH,
    "expired": "Request has expired",
    "body": "The provided 'x-amz-content-sha256' header does not match what was computed.",
}
S3_MESSAGES = {
    "missing": "Access Denied",
    "key": "The AWS Access Key Id you provided does not exist in our records.",
    "old token": "The provided token has expired.",
    "token": "The provided token is malformed or otherwise invalid.",
}
BAD_REQUESTS = ("incomplete", "token", "old token", "body")  # 400 in XML; all others are 403
REST_XML = ("route53", "cloudfront")
DIALECTS = ("s3", "query", "ec2", "json", "rest")


def dialect(request: Request, service: str) -> str:
    """How the asked service speaks: `s3`, `query`, `ec2`, `json` or `rest` (JSON with paths of its own)."""
    if "X-Amz-Target" in request.headers:
        return "json"
    if service.startswith("s3"):
        return "s3"
    kind = request.headers.get("Content-Type", "")
    if kind.startswith("application/x-www-form-urlencoded") or "Action=" in request.query or service in REST_XML:
        return "ec2" if service == "ec2" else "query"
    return "rest" if service or request.path.startswith("/20") else "s3"


def refused(request: Request, service: str, refusal: Refusal) -> web.Response:
    """The answer to what is not let in."""
    speaks, reason = dialect(request, service), refusal.reason
    column = min(DIALECTS.index(speaks), 3)
    code = CODES[reason][column]
    message = refusal.message or (S3_MESSAGES.get(reason) if speaks == "s3" else None) or MESSAGES[reason]
    if code == "AuthFailure":
        return error(speaks, code, NOT_VALIDATED, 401)
    bad = speaks == "json" or reason in BAD_REQUESTS or code == "RequestExpired"
    if reason in ("token", "old token") and speaks in ("query", "rest"):
        bad = False
    return error(speaks, code, message, 400 if bad else 403)


def error(speaks: str, code: str, message: str, status: int) -> web.Response:
    """An error in one of the dialects."""
    number = str(uuid.uuid4())
    inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if speaks == "s3":
        text = f"<Error>{inner}<RequestId>{number}</RequestId></Error>"
    elif speaks == "query":
        text = (f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>"
                f"<RequestId>{number}</RequestId></ErrorResponse>")  # fmt: skip
    elif speaks == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{number}</RequestID></Response>"
    else:
        body = json.dumps({"__type": code, "message": message})
        headers = {"x-amzn-ErrorType": code, "x-amzn-RequestId": number}
        return web.Response(status=status, text=body, content_type="application/x-amz-json-1.1", headers=headers)
    headers = {"x-amz-request-id": number}
    return web.Response(status=status, text=f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', content_type="text/xml",
                        headers=headers)  # fmt: skip


def forbidden(message: str, status: int = 403) -> web.Response:
    """The answer to what no client of AWS sends; it tells a foreign page nothing."""
    return web.Response(status=status, text=message + "\n")
