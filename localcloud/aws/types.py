"""All rows, and how they are found."""

from __future__ import annotations

from localcloud.aws import (
    budgets,
    cloudwatch,
    containers,
    databases,
    ec2,
    functions,
    iam,
    messages,
    parameters,
    s3,
    training,
    vpc,
)
from localcloud.aws.row import Calls, Charge, ResourceType

MODULES = (
    vpc, ec2, s3, iam, functions, parameters, cloudwatch, messages, budgets, training, databases, containers,
)  # fmt: skip
TYPES: tuple[ResourceType, ...] = tuple(row for module in MODULES for row in module.TYPES)
BY_TOKEN: dict[str, ResourceType] = {row.token: row for row in TYPES if row.calls}  # by the provider's type
CALLS: dict[str, Calls] = {row.token: row.calls for row in TYPES if row.calls}
METERED: dict[str, ResourceType] = {row.metered: row for row in TYPES if row.metering.charges}  # by the ledger's name
USAGE: dict[str, Charge] = {name: charge for row in TYPES for name, charge in row.usage.items()}
