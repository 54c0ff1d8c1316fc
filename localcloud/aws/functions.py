"""Lambda: functions, their aliases and URLs, and who may call them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localcloud.aws.row import Call, Calls, Charge, Json, Listing, Read, ResourceType, Tags

PRODUCT = "AWS Lambda"
CONFIGURATION = (
    "role handler description timeout memorySize environment runtime layers vpcConfig loggingConfig ephemeralStorage "
    "tracingConfig"
)
CODE = {"S3Bucket": "=s3Bucket", "S3Key": "=s3Key", "S3ObjectVersion": "=s3ObjectVersion", "ZipFile": "=zipFile"}
LATE = "cannot be assumed by Lambda"
PACKAGE = "s3Bucket s3Key s3ObjectVersion sourceCodeHash code architectures"
ARN = "arn:aws:lambda:{region}:{account}:function:{id}"


def _zip(context: Json) -> Json:
    """The bytes of a function's zip that is on this machine, and goes with the request."""
    path = (context.get("code") or {}).get("path", "")
    return {"zipFile": Path(path).read_bytes() if path and Path(path).exists() else None}


def _reserve(client: Any, context: Json) -> None:
    """Changes what is reserved of the account's concurrency, or gives it back."""
    reserved = context.get("reservedConcurrentExecutions")
    if reserved is None or reserved < 0:
        client.delete_function_concurrency(FunctionName=context["name"])
    else:
        client.put_function_concurrency(FunctionName=context["name"], ReservedConcurrentExecutions=reserved)


def _statement(client: Any, context: Json, item: Json) -> Json | None:
    """One statement of a function's policy, by its id; None where it is not there."""
    statements = {statement["Sid"]: statement for statement in json.loads(item["Policy"])["Statement"]}
    statement = statements.get(context["statementId"])
    if statement is None:
        return None
    principal, by_operator = statement["Principal"], statement.get("Condition", {}).values()
    conditions = {key.lower(): value for tests in by_operator for key, value in tests.items()}
    return {
        "StatementId": statement["Sid"],
        "Action": statement["Action"],
        "Principal": principal if isinstance(principal, str) else next(iter(principal.values())),
        "SourceArn": conditions.get("aws:sourcearn"),
        "SourceAccount": conditions.get("aws:sourceaccount"),
    }


TYPES = (
    ResourceType(
        "lambda", "function", Listing("list_functions", "Functions", "FunctionName"),
        Calls(
            "{name}", {"FunctionName": "=name", "Resource": "=arn"},
            create=(
                Call("create_function", {"Code": CODE, "Tags": "=tags", "PackageType": "=packageType"},
                     f"{CONFIGURATION} architectures publish", late=LATE),
                Call("wait:function_active_v2"),
                Call("put_function_concurrency", {"ReservedConcurrentExecutions": "=reservedConcurrentExecutions"},
                     on="reservedConcurrentExecutions"),
            ),
            update=(
                Call("update_function_code", {**CODE, "Architectures": "=architectures"}, on=PACKAGE),
                Call("wait:function_updated_v2", on=PACKAGE),
                Call("update_function_configuration", walk=CONFIGURATION, late=LATE),
                Call("wait:function_updated_v2", on=CONFIGURATION),
                Call("publish_version", on=f"{CONFIGURATION} {PACKAGE} publish", given="publish"),
            ),
            change=_reserve,
            changes="reservedConcurrentExecutions",
            read=(
                Read("get_function", "Configuration"),
                Read("get_function_concurrency"),
                Read("list_versions_by_function",
                     "{Version: max_by(Versions[?Version!='$LATEST'], &to_number(Version)).Version || '$LATEST'}"),
            ),
            tags=Tags("tag_resource", "untag_resource", "list_tags", adding={"Tags": "=tags"}),
            names={"name": "functionname"},
            provider_only="skipDestroy",
            prepare=_zip,
            prepared="sourceCodeHash code",
            defaults={"packageType": "Zip"},
            computed={
                "arn": ARN,
                "qualifiedArn": f"{ARN}:{{item.Version}}",
                "invokeArn": f"arn:aws:apigateway:{{region}}:lambda:path/2015-03-31/functions/{ARN}/invocations",
            },
            volatile="version qualifiedArn lastModified",
        ),
        usage={
            "lambda-requests": Charge(PRODUCT, "Request{arm}", "Invoke", ("lambda", "requests")),
            "lambda-compute": Charge(PRODUCT, "Lambda-GB-Second{arm}", "Invoke", ("lambda", "compute-{architecture}"),
                                     scale=1000 * 1024),  # milliseconds times MB
        },
    ),
    ResourceType(
        "lambda", "alias", parent="lambda/function",
        calls=Calls(
            "{functionName}:{name}", {"FunctionName": "=functionName", "Name": "=name"},
            create=(Call("create_alias", walk="functionVersion description"),),
            update=(Call("update_alias", walk="functionVersion description"),),
            computed={"arn": "=item.AliasArn"},
        ),
    ),
    ResourceType(
        "lambda", "function-url", parent="lambda/function",
        calls=Calls(
            "{functionName}/{qualifier}", {"FunctionName": "=functionName", "Qualifier": "=qualifier"},
            create=(Call("create_function_url_config", walk="authorizationType cors invokeMode"),),
            update=(Call("update_function_url_config", walk="authorizationType cors invokeMode"),),
            names={"authorizationType": "authtype"},
        ),
    ),
    ResourceType(
        "lambda", "permission", parent="lambda/function",
        calls=Calls(
            "{statementId}",
            {"FunctionName": "=function", "StatementId": "=statementId", "Qualifier": "=qualifier"},
            create=(Call("add_permission", walk="action principal sourceArn sourceAccount"),),
            read=(Read("get_policy"),),
            delete=(Call("remove_permission"),),
            imported="{function}/{statementId}",
            computed={"function": "=function", "qualifier": "=qualifier"},
            complete=_statement,
        ),
    ),
    ResourceType("lambda", "layer", Listing("list_layers", "Layers", "LayerName"),
                 unmetered="layers are free"),
)  # fmt: skip
