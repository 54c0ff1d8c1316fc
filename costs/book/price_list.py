"""Which products of AWS's price list are the items of the price book: a table, service by service.

Each filter is one paginated request. What the price list does not have by region, or not under a unit that can be told
apart (budgets, Cost Explorer, Route 53, dashboards, parameters), is not here and stays as the shipped table has it.
`is_read` says which items are here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from costs.amounts import MILLION, THOUSAND

REGION_PREFIX = r"(?:EU-|[A-Z]{2,4}\d-|[a-z]{2}(?:-[a-z]+)+-\d-)?"  # of a usage type: EUC1-BoxUsage:m5.large
TYPE = re.compile(r"\(\?P<type>(.+)\)$")  # the group at the end of a usage type that an item's `{type}` stands for
# The book's units → what AWS calls them, and how many of AWS's they are. Another unit is refused, not converted.
UNITS: dict[str, tuple[tuple[str, ...], Decimal]] = {
    "hour": (("Hrs", "Hours", "hours", "hour", "LCU-Hrs", "LCU-hours", "vCPU-Hours", "WriteCapacityUnit-Hrs",
              "ReadCapacityUnit-Hrs"), Decimal(1)),
    "month": (("Alarms", "Metrics", "Keys", "keys", "Key", "Secrets", "Secret"), Decimal(1)),
    "GB": (("GB", "GigaBytes"), Decimal(1)),
    "GB-month": (("GB-Mo", "GB-month"), Decimal(1)),
    "GB-hour": (("Hrs", "Hours", "hours", "hour", "GB-Hours"), Decimal(1)),
    "GB-second": (("Lambda-GB-Second", "GB-Second", "GB-Seconds", "Second", "seconds"), Decimal(1)),
    "IOPS-month": (("IOPS-Mo",), Decimal(1)),
    "MB/s-month": (("GiBps-mo",), Decimal(1) / 1024),
    "thousand": (("Requests", "Request", "API Requests", "API Calls"), THOUSAND),
    "million": (("Requests", "Request", "API Requests", "API Calls", "WriteRequestUnits", "ReadRequestUnits"), MILLION),
}  # fmt: skip
ON_DEMAND_LINUX = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used",
                   "licenseModel": "No License required", "marketoption": "OnDemand"}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """How an item of the price book is known among the products, and its unit.

    Args:
        item: its name; `{type}` stands for the group of that name in `usage`.
        usage: a pattern for the whole usage type, without the region's prefix.
        unit: the book's, of `UNITS`.
        where: attributes (`productFamily` among them) and the values that they must have.
    """

    item: str
    usage: str
    unit: str
    where: Mapping[str, str] = field(default_factory=dict)

    def name(self, attributes: Mapping[str, str]) -> str | None:
        """The name of the item that a product with these attributes is; None where it is another."""
        usage = re.fullmatch(REGION_PREFIX + self.usage, attributes.get("usagetype", ""))
        if not usage or any(attributes.get(key) != value for key, value in self.where.items()):
            return None
        return self.item.format(**usage.groupdict())

    def names(self, item: str) -> bool:
        """Whether some product may be this item; `db.t4g.micro-*` is any item that begins so."""
        types = TYPE.search(self.usage)
        if item.endswith("*"):
            return types is not None or self.item.startswith(item[:-1])
        return re.fullmatch(re.escape(self.item).replace(r"\{type\}", types[1] if types else ""), item) is not None


@dataclass(frozen=True)
class Query:
    """A service code of the price list, the filters of each request, and what is wanted of the answers."""

    code: str
    filters: tuple[Mapping[str, str], ...]
    wanted: tuple[Wanted, ...]


def _wanted(unit: str, item: str, usage: str, **where: str) -> Wanted:
    return Wanted(item, usage, unit, where)


_hour, _stored, _gb, _seconds, _thousand, _million = (
    partial(_wanted, unit) for unit in ("hour", "GB-month", "GB", "GB-second", "thousand", "million")
)


def _ml(usage: str) -> list[Query]:
    family = {"productFamily": "ML Instance"}
    return [Query("AmazonSageMaker", (family,), (_hour("{type}", usage + r":(?P<type>ml\.[\w.-]+)", **family),))]


def _database(engine: str, name: str) -> Query:
    filters = {"productFamily": "Database Instance", "databaseEngine": engine, "locationType": "AWS Region"}
    kind = r":(?P<type>db\.\w+(?:\.\w+)+)"
    single = _hour(f"{{type}}-{name}", f"InstanceUsage{kind}", deploymentOption="Single-AZ")
    double = _hour(f"{{type}}-{name}-multi-az", f"Multi-AZUsage{kind}", deploymentOption="Multi-AZ")
    return Query("AmazonRDS", (filters,), (single, double))


def _family(*names: str) -> tuple[Mapping[str, str], ...]:
    return tuple({"productFamily": name} for name in names)


def _balancer(name: str, family: str, units: str) -> tuple[Wanted, ...]:
    where = {"productFamily": family}
    return _hour(f"{name}-load-balancer", "LoadBalancerUsage", **where), _hour(f"{name}-{units}", "LCUUsage", **where)


ALL: tuple[Mapping[str, str], ...] = ({},)
DATABASES = {"PostgreSQL": "postgres", "MySQL": "mysql", "MariaDB": "mariadb",
             "Aurora MySQL": "aurora-mysql", "Aurora PostgreSQL": "aurora-postgresql"}  # fmt: skip
DATABASE_STORAGE, COPIES = {"databaseEngine": "Any"}, (("", ""), ("-multi-az", "Multi-AZ-"))

QUERIES: dict[str, list[Query]] = {
    "ec2": [Query("AmazonEC2", (ON_DEMAND_LINUX,), (_hour("{type}", r"BoxUsage:(?P<type>[\w-]+\.[\w-]+)"),))],
    "sagemaker-training": _ml("Train"),
    "sagemaker-endpoint": _ml("Host"),
    "sagemaker-processing": _ml("Processing"),
    "sagemaker-transform": _ml("Tsform"),
    "sagemaker-notebook": _ml("Notebk"),
    "sagemaker": [Query("AmazonSageMaker", ({"volumeType": "General Purpose"}, *_family("ML Storage")), (
        _stored("training-storage", r"Train:VolumeUsage\.gp2"), _stored("endpoint-storage", r"Host:VolumeUsage\.gp2"),
        _stored("notebook-storage", r"Notebk:VolumeUsage\.gp2"),
        _stored("processing-storage", r"Processing:VolumeUsage\.gp2")))],
    "lambda": [Query("AWSLambda", ALL, (
        _million("requests", "Request", group="AWS-Lambda-Requests"),
        _seconds("compute-x86", "Lambda-GB-Second"), _seconds("compute-arm64", "Lambda-GB-Second-ARM"),
        _seconds("provisioned-concurrency-x86", "Lambda-Provisioned-Concurrency"),
        _seconds("provisioned-concurrency-arm64", "Lambda-Provisioned-Concurrency-ARM"),
        _seconds("provisioned-compute-x86", "Lambda-Provisioned-GB-Second"),
        _seconds("provisioned-compute-arm64", "Lambda-Provisioned-GB-Second-ARM"),
        _seconds("ephemeral-storage", "Lambda-Storage-GB-Second")))],
    "s3": [Query("AmazonS3", _family("Storage", "API Request"), (
        _stored("standard-storage", "TimedStorage-ByteHrs", volumeType="Standard"),
        _stored("standard-ia-storage", "TimedStorage-SIA-ByteHrs"),
        _stored("one-zone-ia-storage", "TimedStorage-ZIA-ByteHrs"),
        _stored("glacier-ir-storage", "TimedStorage-GIR-ByteHrs"),
        _stored("glacier-storage", "TimedStorage-GlacierByteHrs"),
        _stored("deep-archive-storage", "TimedStorage-GDA-ByteHrs"),
        _stored("intelligent-tiering-storage", "TimedStorage-INT-FA-ByteHrs"),
        _thousand("put-requests", "Requests-Tier1"), _thousand("get-requests", "Requests-Tier2")))],
    "ebs": [Query("AmazonEC2", _family("Storage", "System Operation", "Provisioned Throughput", "Storage Snapshot"), (
        *(_stored(kind, rf"EBS:VolumeUsage\.{kind}") for kind in ("gp2", "gp3", "io2", "st1", "sc1")),
        _stored("io1", r"EBS:VolumeUsage\.piops"), _stored("standard", "EBS:VolumeUsage"),
        _stored("snapshot", "EBS:SnapshotUsage"),
        *(Wanted(f"{kind}-iops", rf"EBS:VolumeP-IOPS\.{name}", "IOPS-month")
          for kind, name in (("gp3", "gp3"), ("io1", "piops"), ("io2", "io2"))),
        Wanted("gp3-throughput", r"EBS:VolumeP-Throughput\.gp3", "MB/s-month")))],
    "rds": [*(_database(engine, name) for engine, name in DATABASES.items()), Query(
        "AmazonRDS", _family("Database Storage", "Provisioned IOPS", "Storage Snapshot"), (
            *(_stored(f"storage-{kind}{also}", f"RDS:{option}{name}-Storage", **DATABASE_STORAGE)
              for kind, name in (("gp2", "GP2"), ("gp3", "GP3"), ("io1", "PIOPS")) for also, option in COPIES),
            *(Wanted(f"iops-{kind}{also}", f"RDS:{option}{name}", "IOPS-month", DATABASE_STORAGE)
              for kind, name in (("io1", "PIOPS"), ("gp3", "GP3-PIOPS")) for also, option in COPIES),
            _stored("backup-storage", "RDS:ChargedBackupUsage")))],
    "eks": [Query("AmazonEKS", ALL, (
        _hour("control-plane", "AmazonEKS-Hours:perCluster"),
        _hour("control-plane-extended", "AmazonEKS-Hours:extendedSupport")))],
    "ecs": [Query("AmazonECS", ALL, tuple(
        Wanted(f"fargate-{item}-{name}", f"Fargate-{arm}{usage}", unit)
        for name, arm in (("x86", ""), ("arm64", "ARM-"))
        for item, usage, unit in (("vcpu", "vCPU-Hours:perCPU", "hour"), ("memory", "GB-Hours", "GB-hour"))))],
    "vpc": [
        Query("AmazonEC2", _family("NAT Gateway"), (
            _hour("nat-gateway", "NatGateway-Hours"), _gb("nat-gateway-data", "NatGateway-Bytes"))),
        Query("AmazonVPC", ALL, (
            _hour("public-ipv4", "PublicIPv4:InUseAddress"), _hour("interface-endpoint", "VpcEndpoint-Hours"),
            _gb("interface-endpoint-data", "VpcEndpoint-Bytes"))),
    ],
    "elb": [Query("AWSELB", ({"locationType": "AWS Region"},), (
        *_balancer("application", "Load Balancer-Application", "lcu"),
        *_balancer("network", "Load Balancer-Network", "lcu"), *_balancer("gateway", "Load Balancer-Gateway", "lcu"),
        _hour("classic-load-balancer", "LoadBalancerUsage", productFamily="Load Balancer"),
        _gb("classic-data", "DataProcessing-Bytes", productFamily="Load Balancer")))],
    "cloudwatch": [Query("AmazonCloudWatch", ALL, (
        _gb("logs-ingestion", "DataProcessing-Bytes"),
        _gb("logs-ingestion-infrequent-access", "DataProcessingIA-Bytes"),
        _stored("logs-storage", "TimedStorage-ByteHrs"), _gb("logs-insights", "DataScanned-Bytes"),
        Wanted("alarm", "CW:AlarmMonitorUsage", "month"),
        Wanted("alarm-high-resolution", "CW:HighResAlarmMonitorUsage", "month"),
        Wanted("custom-metric", "CW:MetricMonitorUsage", "month"),
        _thousand("api-requests", "CW:Requests")))],
    "ecr": [Query("AmazonECR", ALL, (_stored("storage", "TimedStorage-ByteHrs"),))],
    "efs": [Query("AmazonEFS", _family("Storage"), (
        _stored("standard-storage", "TimedStorage-ByteHrs"), _stored("one-zone-storage", "TimedStorage-Z-ByteHrs")))],
    "kms": [Query("awskms", ALL, (
        Wanted("key", "KMS-Keys", "month"), _thousand("requests", "KMS-Requests")))],
    "secretsmanager": [Query("AWSSecretsManager", ALL, (
        Wanted("secret", r"[\w-]*Secrets?", "month", {"productFamily": "Secret"}),
        _thousand("requests", r"[\w-]*", productFamily="API Request")))],
    "dynamodb": [Query("AmazonDynamoDB", ALL, (
        _stored("storage", "TimedStorage-ByteHrs"), _stored("point-in-time-recovery", "TimedPITRStorage-ByteHrs"),
        _million("write-requests", "WriteRequestUnits"),
        _million("read-requests", "ReadRequestUnits"),
        _hour("write-capacity", "WriteCapacityUnit-Hrs"),
        _hour("read-capacity", "ReadCapacityUnit-Hrs")))],
    "sns": [Query("AmazonSNS", _family("API Request"), (_million("requests", "Requests-Tier1"),))],
    "sqs": [Query("AWSQueueService", _family("API Request"), (
        _million("standard-requests", "Requests-(?:RBP|Tier1)"),
        _million("fifo-requests", "Requests-FIFO-(?:RBP|Tier1)")))],
    "apigateway": [Query("AmazonApiGateway", ALL, (
        _million("http-requests", "ApiGatewayHttpRequest"), _million("rest-requests", "ApiGatewayRequest")))],
}  # fmt: skip


def is_read(service: str, item: str) -> bool:
    """Whether a refresh asks for an item of the price book; of any service where `service` is empty."""
    queries = QUERIES.get(service, []) if service else [query for queries in QUERIES.values() for query in queries]
    return any(wanted.names(item) for query in queries for wanted in query.wanted)
