"""One kind of error for people: what was found, what was expected, and the command that mends it."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

MEND = "  mend it:  "


class UserError(Exception):
    """Shown as one message without a traceback; the command exits with 1.

    Args:
        found: what is the case.
        expected: what should be the case; may be empty where `found` says it all.
        mend: the command or edit that mends it; may be empty.
    """

    def __init__(self, found: str, expected: str = "", mend: str = "") -> None:
        self.found, self.expected, self.mend = found, expected, mend
        lines = [found]
        if expected:
            lines.append(f"  expected: {expected}")
        if mend:
            lines.append(f"{MEND}{mend}")
        super().__init__("\n".join(lines))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question after the known name that is close to an unknown one; empty where there is none."""
    close = get_close_matches(name, list(known), 1)
    return f"did you mean {close[0]}?" if close else ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """What was meant by a name that is unknown: the known one that is close to it, or all of them."""
    names = list(known)
    return did_you_mean(name, names) or "known: " + ", ".join(names)


def of_the_disk(error: OSError, place: Path) -> UserError | None:
    """The error for people where the disk refuses to write; None where `error` is about something else."""
    refusal = f"{error.strerror}: {error.filename or place}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return UserError(refusal, f"room on the disk of {place}", f"df -h {place}    (then the same command again)")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return UserError(refusal, f"a folder that you may write to: {place}", f"ls -ld {error.filename or place}")
    return None


AUTHENTICATE = "aws sts get-caller-identity    (until it answers: aws sso login, aws configure, or AWS_PROFILE)"
# What AWS's codes mean for who asks: what is expected, and the command that mends it.
EXPIRED = ("credentials that have not expired", AUTHENTICATE)
UNKNOWN_KEYS = ("credentials that AWS knows, in a region that the account has enabled", AUTHENTICATE)
REFUSALS = {
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"), EXPIRED),
    **dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidAccessKeyId.NotFound",
         "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "MissingAuthenticationToken",
         "MissingAuthenticationTokenException", "InvalidToken", "OptInRequired"),
        UNKNOWN_KEYS,
    ),
    **dict.fromkeys(
        ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException",
         "AuthorizationError"),
        ("that right for who asks, in the role or user that AWS takes you for", "aws sts get-caller-identity"),
    ),
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown",
         "ServiceUnavailable", "InternalError", "InternalFailure", "InternalServerError"),
        ("an answer of AWS", "the same command again, in a minute"),
    ),
}  # fmt: skip


def of_aws(error: Exception) -> UserError | None:
    """The error for people where AWS refuses or does not answer; None where `error` is something else.

    The classes are looked up among the loaded modules: what was not loaded has not been raised, and loading takes long.
    """
    aws = sys.modules.get("botocore.exceptions")
    if aws and isinstance(error, aws.ClientError):
        code = error.response["Error"].get("Code", "")
        return UserError(f"AWS: {error}", *REFUSALS.get(code, ("a request that AWS carries out", "shoestring doctor")))
    if not aws or not isinstance(error, aws.BotoCoreError):
        return None
    if isinstance(error, aws.NoRegionError):
        hint = "pulumi config set aws:region us-east-1 --stack dev    (or export AWS_DEFAULT_REGION)"
        return UserError(f"AWS: {error}", "the region of the stack", hint)
    if isinstance(error, aws.ConnectionError | aws.HTTPClientError):
        hint = "aws sts get-caller-identity    (for local: shoestring cloud up)"
        return UserError(f"AWS: {error}", "a network, and a region that there is; for local its cloud up", hint)
    return UserError(f"AWS: {error}", "credentials that work", AUTHENTICATE)


def of_the_network(error: Exception) -> UserError | None:
    """The error for people where AWS, or a server, refuses or does not answer; None where `error` is something else."""
    if refusal := of_aws(error):
        return refusal
    http = sys.modules.get("requests")
    if http and isinstance(error, http.RequestException):
        return UserError(f"no answer: {error}", "a server that answers", "shoestring doctor")
    return None
