"""The bounds of what users choose, each with an example: of components' arguments and of a stack's configuration."""

from __future__ import annotations

from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from shoestring.base.function_package import Architecture as Processor


def _private(cidr: str) -> str:
    network = IPv4Network(cidr)
    if not network.is_private or not 16 <= network.prefixlen <= 20:
        raise ValueError("expected a private network of /16 to /20")
    return cidr


def _commercial(region: str) -> str:
    if region.startswith(OTHER_PARTITIONS):
        raise ValueError(
            "expected a region of AWS's commercial partition: China, GovCloud and the isolated regions have accounts, "
            "bills and prices of their own, and no budgets or cost anomalies as this product uses them"
        )
    return region


OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-iso")
Text = Annotated[str, Field(min_length=1)]
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", examples=["us-east-1"]), AfterValidator(_commercial)]
ZoneName = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$", examples=["us-east-1a"])]
Zones = Annotated[tuple[ZoneName, ...], Field(min_length=1, max_length=6, examples=[["us-east-1b"]])]
Email = Annotated[str, Field(pattern=r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$", max_length=128, examples=["you@example.com"])]
Dollars = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=2, allow_inf_nan=False, examples=[15])]

Cidr = Annotated[str, AfterValidator(_private), Field(examples=["10.20.0.0/16"])]
Address = Annotated[str, AfterValidator(lambda text: str(IPv4Address(text))), Field(examples=["10.20.0.10"])]
ParameterName = Annotated[
    str, Field(pattern=r"^/[\w.-]+(/[\w.-]+)*$", max_length=1011, examples=["/shoestring/dev/window-gate"])
]
CheckpointDays = Annotated[int, Field(ge=1, le=3650, examples=[14])]

InstanceType = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", examples=["t4g.micro"])]
DiskGb = Annotated[int, Field(ge=8, le=1000, examples=[8])]
Database = Annotated[Literal["sqlite", "postgres"], Field(examples=["sqlite"])]

Model = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=50, examples=["churn"])]
Models = Annotated[tuple[Model, ...], Field(max_length=19, examples=[["iris"]])]
PythonVersion = Annotated[str, Field(pattern=r"^3\.\d+$", examples=["3.12"])]
Architecture = Annotated[Processor, Field(examples=["arm64"])]
MemoryMb = Annotated[int, Field(ge=128, le=10240, examples=[512])]
FunctionSeconds = Annotated[int, Field(ge=1, le=900, examples=[15])]
Concurrency = Annotated[int, Field(ge=1, le=1000, examples=[5])]
Anomalies = Annotated[Literal["tag", "services", "none"], Field(examples=["services"])]
LogDays = Annotated[Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365], Field(examples=[14])]

REPLACED = {
    "tuple_type": "should be a list",
    "model_type": "should be an object",
    "int_parsing": "should be an integer",
    "bool_parsing": "should be true or false",
    "decimal_type": "expected dollars, such as 15 or 12.50",
    "datetime_from_date_parsing": "should be an ISO time with zone",
}


def allowed(error: Any) -> str:
    """What one of pydantic's errors says is allowed."""
    words = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return REPLACED.get(error["type"]) or str(words[:1].lower() + words[1:])
