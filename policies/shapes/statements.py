"""Statements of IAM policies, and what their conditions hold them to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from policies.values import at, items, texts

CALLERS = (  # keys that name who asks; aws:ViaAWSService is none, anybody may ask through a service
    "sourceip", "sourcevpc", "sourcevpce", "vpceaccount", "vpceorgid", "vpceorgpaths", "principalorgid",
    "principalorgpaths", "principalaccount", "principalarn", "userid", "sourceaccount", "sourcearn", "sourceowner",
    "sourceorgid", "sourceorgpaths", "dataaccesspointaccount", "dataaccesspointarn",
)  # fmt: skip
WIDE = {4: 8, 6: 16}  # prefixes shorter than these hold much of the internet, whatever they are called


def statements(policy: Any) -> Iterator[Mapping[str, Any]]:
    """The statements of an IAM policy, written as JSON or as an object."""
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except (ValueError, RecursionError):
            return
    for statement in items(at(policy, "Statement")):
        if isinstance(statement, Mapping):
            yield statement


def internet(cidr: str) -> bool:
    """Whether a block of addresses is the internet, or a large part of it."""
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return False
    return network.prefixlen < WIDE[network.version] and not network.is_private


def conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The keys, in lower case and with their prefix, that a statement needs to have one of some values, and these.

    Operators that exclude values, and those that also hold where the key is absent, hold nobody to anything.
    """
    operators = at(statement, "Condition")
    for operator, keys in operators.items() if isinstance(operators, Mapping) else ():
        word = str(operator).lower()
        if "not" in word or word == "null" or word.endswith("ifexists") or word.startswith("forallvalues:"):
            continue
        for key, value in keys.items() if isinstance(keys, Mapping) else ():
            yield str(key).lower(), value


def narrowed(statement: Mapping[str, Any], about: Callable[[str], bool]) -> bool:
    """Whether one of a statement's conditions, on a key that `about` knows, holds it to certain values."""
    return any(about(key) and _certain(value) for key, value in conditions(statement))


def _certain(value: Any) -> bool:
    """Whether none of the values that a condition lets through stands for all; what is unknown may be certain."""
    return value != [] and not any(everyone(pattern) or internet(pattern) for pattern in texts(value))


def everyone(pattern: str) -> bool:
    """Whether things of any account match a pattern, as they do `*`, `vpc-*` and `arn:aws:sns:*:*:*`."""
    if pattern.startswith("arn:"):
        account, resource = [*pattern.split(":", 5)[4:], "", ""][:2]
        return not (account or resource).strip("*?")  # a bucket's ARN has no account
    return re.fullmatch(r"(?:[a-z]+-)?[*?/]*", pattern) is not None


def anybody(statement: Mapping[str, Any]) -> bool:
    """Whether a statement allows everybody in the world something."""
    if at(statement, "Effect") != "Allow" or narrowed(statement, lambda key: key.rpartition(":")[2] in CALLERS):
        return False
    principal = at(statement, "Principal")
    kinds = principal.values() if isinstance(principal, Mapping) else [principal]
    return "NotPrincipal" in statement or any("*" in texts(kind) for kind in kinds)
