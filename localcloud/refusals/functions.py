"""Lambda: the account's concurrency, sizes, and the role of a function."""

from __future__ import annotations

import json

from costs.book.quotas import CONCURRENCY, UNRESERVED
from localcloud.aws.row import Json
from localcloud.protocol import ServiceError
from localcloud.refusals.account import Account, Check, check_tags
from localcloud.refusals.roles import check_role

ENVIRONMENT = 4096  # bytes of all variables, with their names
REQUEST = 70_167_211  # bytes: a zip of 50 MB, as it goes into a request


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", message)


def _check_concurrency(request: Json, account: Account) -> None:
    """What other functions reserve, and this one, must leave AWS's minimum of the account's concurrency."""
    functions = account.client("lambda")
    pages = functions.get_paginator("list_functions").paginate()
    names = [item["FunctionName"] for page in pages for item in page["Functions"]]
    own = request["FunctionName"].rpartition(":function:")[2].partition(":")[0]
    reserved = sum(
        functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions", 0)
        for name in names
        if name != own
    )
    limit = account.limit(CONCURRENCY)
    least = min(limit, UNRESERVED)
    if limit - reserved - request["ReservedConcurrentExecutions"] < least:
        raise _invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{least:.0f}]."
        )


def _check_environment(request: Json, account: Account) -> None:
    variables = request.get("Environment", {}).get("Variables", {})
    text = json.dumps(variables, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > ENVIRONMENT:
        raise _invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {text}"
        )


def _check_request(operation: str, member: str = "") -> Check:
    """A check of the size of a zip that comes in the request itself, as base64 (its text, or what it decodes to)."""

    def check(request: Json, account: Account) -> None:
        code = request.get(member, {}) if member else request
        content = code.get("ZipFile", b"")
        if len(content) * (4 / 3 if isinstance(content, bytes) else 1) > REQUEST:
            why = f"Request must be smaller than {REQUEST} bytes for the {operation} operation"
            raise ServiceError("RequestEntityTooLargeException", why, 413)

    return check


_check_role = check_role(
    "lambda",
    "Role",
    "lambda.amazonaws.com",
    lambda role: _invalid("The role defined for the function cannot be assumed by Lambda."),
)
_check_tags = check_tags(lambda: _invalid("Number of tags exceeds resource tag limit."))

CHECKS: dict[tuple[str, str], tuple[Check, ...]] = {
    ("lambda", "CreateFunction"): (
        _check_request("CreateFunction", "Code"), _check_environment, _check_tags, _check_role,
    ),
    ("lambda", "UpdateFunctionCode"): (_check_request("UpdateFunctionCode"),),
    ("lambda", "UpdateFunctionConfiguration"): (_check_environment, _check_role),
    ("lambda", "PutFunctionConcurrency"): (_check_concurrency,),
}  # fmt: skip
