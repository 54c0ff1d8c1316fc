"""The table of refusals by service and operation, and how a request is judged by it."""

from __future__ import annotations

from botocore.exceptions import ClientError

from localcloud.aws.row import Json
from localcloud.protocol import ServiceError
from localcloud.refusals import functions, identities, instances, schedules, training
from localcloud.refusals.account import Account, Check


def _check_monitor(request: Json, account: Account) -> None:
    """Monitors of tags "can only be created in the management account" (Cost Management User Guide, «Getting started
    with AWS Cost Anomaly Detection»); code and words of AWS's refusal are not published, and are ours.
    """
    if request["AnomalyMonitor"].get("MonitorType") == "CUSTOM" and account.settings.payer:
        raise ServiceError(
            "ValidationException",
            "Member accounts can only create AWS services monitors. Use the management account to create this monitor.",
        )


def _check_parameter(request: Json, account: Account) -> None:
    if len(request.get("Value", "").encode()) > 4096 and request.get("Tier", "Standard") == "Standard":
        raise ServiceError(
            "ValidationException",
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
        )


# Services as botocore calls them. What the emulators refuse themselves (names that exist, the unzipped size of a
# function, what a VPC holds) is not here.
TABLE: dict[tuple[str, str], tuple[Check, ...]] = {
    **functions.CHECKS,
    **identities.CHECKS,
    **instances.CHECKS,
    **schedules.CHECKS,
    **training.CHECKS,
    ("ce", "CreateAnomalyMonitor"): (_check_monitor,),
    ("ssm", "PutParameter"): (_check_parameter,),
}


def refuse(service: str, operation: str, request: Json, account: Account) -> None:
    """Raises ServiceError, with AWS's code and words, where AWS would refuse a request.

    Args:
        service: as botocore calls it.
        operation: as AWS calls it.
        request: its parameters, as boto3 takes them.
        account: what stands behind.
    """
    try:
        for check in TABLE.get((service, operation), ()):
            check(request, account)
    except ClientError as error:  # what the request names is not there, say: the account's own words are AWS's
        described = error.response["Error"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        raise ServiceError(described["Code"], described["Message"], status) from error
