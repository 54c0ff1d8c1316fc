"""The table: a row for each type that the program uses."""

from __future__ import annotations

from localcloud.provider.kinds import Kind
from localcloud.provider.table_costs import COSTS
from localcloud.provider.table_ec2 import EC2
from localcloud.provider.table_s3 import S3
from localcloud.provider.table_services import SERVICES

KINDS: dict[str, Kind] = {**S3, **EC2, **SERVICES, **COSTS}
