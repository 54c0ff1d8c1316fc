"""AWS Organizations, as far as an account may ask about itself: whether somebody else pays for it."""

from __future__ import annotations

from pathlib import Path

from localcloud.aws.row import Json
from localcloud.protocol import ServiceError
from localcloud.requests import Model
from localcloud.settings import AccountSettings

TARGET = "AWSOrganizationsV20161128"  # what its operations begin with in `X-Amz-Target`
MODEL = Model("organizations", ("DescribeOrganization",))
ID = "o-shoestring0"


def call(name: str, request: Json, cloud: Path) -> Json:
    """The account below `cloud` as its organization's management sees it. Raises ServiceError where it is in none."""
    MODEL.check(name, request)
    payer = AccountSettings.read(cloud).payer
    if not payer:
        raise ServiceError("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    arn = f"arn:aws:organizations::{payer}"
    return {
        "Organization": {
            "Id": ID,
            "Arn": f"{arn}:organization/{ID}",
            "FeatureSet": "ALL",
            "MasterAccountId": payer,
            "MasterAccountArn": f"{arn}:account/{ID}/{payer}",
            "MasterAccountEmail": "payer@example.com",
        }
    }
