"""A month of a small team, as AWS answers: Cost Explorer, SageMaker, Lambda's log and a budget in AWS's own shapes.

The report of the documentation's screenshot is made of it: python tests/costs/report/sample.py FOLDER. Amounts are list
prices times plausible hours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from costs.book.prices import PriceBook
from costs.report import publish
from costs.report.account import HASH, Subject
from costs.report.explorer import Scope
from costs.report.gather import gather
from costs.report.periods import chosen

TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
PROJECT, ENVIRONMENT, ACCOUNT = "shoestring", "dev", "210987654321"
MONITOR = f"arn:aws:ce::{ACCOUNT}:anomalymonitor/4f9f7a3e-0000-4000-8000-000000000000"
Lines = list[tuple[str, str, str, str, str, str]]  # Project, service, usage type, dollars, quantity, unit
Answer = dict[str, Any]


def lines_of(day: date) -> Lines:
    """What the account was billed for one day."""
    own, compute, other = PROJECT, "Amazon Elastic Compute Cloud - Compute", "EC2 - Other"
    training = {0: "2.1", 2: "1.4", 4: "2.6"}.get(day.weekday(), "0")  # hours of spot training
    if day == date(2026, 11, 19):
        training = "9.5"
    hours = Decimal(training)
    requests = 300 if day.weekday() < 5 else 150
    gb_seconds = Decimal(requests) * Decimal("0.018") * Decimal("0.5")
    found: Lines = [
        (own, compute, "BoxUsage:t4g.small", "0.4032", "24", "Hrs"),
        (own, other, "EBS:VolumeUsage.gp3", str(Decimal("0.64") / 30), "0.2667", "GB-Mo"),
        (own, "Amazon Virtual Private Cloud", "PublicIPv4:InUseAddress", "0.12", "24", "Hrs"),
        (own, "Amazon Simple Storage Service", "TimedStorage-ByteHrs", "0.0161", "0.7", "GB-Mo"),
        (own, "Amazon Simple Storage Service", "Requests-Tier1", "0.0021", "420", "Requests"),
        (own, "AWS Lambda", "Lambda-GB-Second-ARM", str(gb_seconds * Decimal("0.0000133334")), str(gb_seconds),
         "Lambda-GB-Second"),
        (own, "AWS Lambda", "Request-ARM", str(requests * Decimal("0.0000002")), str(requests), "Requests"),
        (own, "AmazonCloudWatch", "DataProcessing-Bytes", "0.0115", "0.023", "GB"),
        (own, "AmazonCloudWatch", "CW:AlarmMonitorUsage", "0.0067", "0.067", "Alarms"),
        ("crm", "Amazon Relational Database Service", "InstanceUsage:db.t4g.micro", "0.384", "24", "Hrs"),
        ("crm", "Amazon Relational Database Service", "RDS:GP3-Storage", "0.0767", "0.667", "GB-Mo"),
        ("", other, "EBS:VolumeUsage.gp2", "0.1667", "1.667", "GB-Mo"),
        ("", "AWS Cost Explorer", "USE1-APIRequest", "0.01", "1", "Requests"),
    ]  # fmt: skip
    if hours:
        billable = hours * Decimal("0.31")
        found += [
            (own, "Amazon SageMaker", "USE1-Train-Spot:ml.g4dn.xlarge", str(billable * Decimal("0.7364")),
             str(billable), "Hrs"),
            (own, "Amazon SageMaker", "USE1-TrainingVolume:gp3", str(hours * Decimal("0.00575")),
             str(hours * Decimal("0.0411")), "GB-Mo"),
        ]  # fmt: skip
    if day.weekday() == 5:
        found.append((own, compute, "SpotUsage:g4dn.xlarge", "0.7890", "5", "Hrs"))
    if date(2026, 11, 18) <= day <= date(2026, 11, 20):
        found.append((own, other, "NatGateway-Hours", "1.08", "24", "Hrs"))
    tenth = Decimal("1E-10")  # as fine as Cost Explorer's own amounts
    return [(*row[:3], str(Decimal(row[3]).quantize(tenth)), *row[4:]) for row in found]


def _metrics(rows: Lines) -> Answer:
    units = {row[5] for row in rows}
    billed = str(sum((Decimal(row[3]) for row in rows), Decimal(0)))
    return {
        "UnblendedCost": {"Amount": billed, "Unit": "USD"},
        "AmortizedCost": {"Amount": billed, "Unit": "USD"},
        "UsageQuantity": {
            "Amount": str(sum((Decimal(row[4]) for row in rows), Decimal(0))),
            "Unit": units.pop() if len(units) == 1 else "N/A",
        },
    }


def _key(row: tuple[str, ...], group: Mapping[str, str]) -> str:
    if group["Type"] == "TAG":
        return f"{group['Key']}${row[0]}"
    if group["Key"] == "PURCHASE_TYPE":
        return "Spot Instances" if "Spot" in row[2] else "On Demand Instances"
    if group["Key"] == "INSTANCE_TYPE":
        return row[2].partition(":")[2] or "NoInstanceType"
    return row[1] if group["Key"] == "SERVICE" else row[2]


class CostExplorer:
    """Cost Explorer, as far as the report asks; notes what it was asked."""

    def __init__(self, lines: Callable[[date], Lines] = lines_of, today: date = TODAY) -> None:
        self.lines, self.today, self.asked = lines, today, []  # type: ignore[var-annotated]

    def get_cost_and_usage(self, **arguments: Any) -> Answer:
        self.asked.append(("GetCostAndUsage", arguments))
        day, results = date.fromisoformat(arguments["TimePeriod"]["Start"]), []
        while day < date.fromisoformat(arguments["TimePeriod"]["End"]):
            rows = self.lines(day) if day < self.today else []
            if "Filter" in arguments:
                rows = [row for row in rows if row[0] == PROJECT]
            if "Amazon Elastic Compute Cloud - Compute" in json.dumps(arguments.get("Filter", {})):
                rows = [row for row in rows if row[1] == "Amazon Elastic Compute Cloud - Compute"]
            groups: dict[tuple[str, ...], Lines] = {}
            for row in rows:
                groups.setdefault(tuple(_key(row, group) for group in arguments["GroupBy"]), []).append(row)
            results.append(
                {
                    "TimePeriod": {"Start": str(day), "End": str(day + timedelta(1))},
                    "Total": {},
                    "Groups": [{"Keys": list(keys), "Metrics": _metrics(of)} for keys, of in groups.items()],
                    "Estimated": day.month == self.today.month,
                }
            )
            day += timedelta(1)
        return {"ResultsByTime": results, "GroupDefinitions": arguments["GroupBy"], "DimensionValueAttributes": []}

    def get_cost_forecast(self, **arguments: Any) -> Answer:
        self.asked.append(("GetCostForecast", arguments))
        result = {
            "TimePeriod": arguments["TimePeriod"],
            "MeanValue": "5.2170",
            "PredictionIntervalLowerBound": "3.8140",
            "PredictionIntervalUpperBound": "7.0022",
        }
        return {"Total": {"Amount": "5.2170", "Unit": "USD"}, "ForecastResultsByTime": [result]}

    def get_anomalies(self, **arguments: Any) -> Answer:
        self.asked.append(("GetAnomalies", arguments))
        found = {
            "AnomalyId": "5d2f0c1e-8a4b-4f0e-9a11-6f1c0f2b7d10",
            "AnomalyStartDate": "2026-11-18T00:00:00Z",
            "AnomalyEndDate": "2026-11-20T00:00:00Z",
            "DimensionValue": "EC2 - Other",
            "RootCauses": [{"Service": "EC2 - Other", "Region": "us-east-1", "UsageType": "NatGateway-Hours"}],
            "AnomalyScore": {"MaxScore": 0.81, "CurrentScore": 0.63},
            "Impact": {"MaxImpact": 1.08, "TotalImpact": 3.24, "TotalActualSpend": 3.31, "TotalExpectedSpend": 0.07},
            "MonitorArn": MONITOR,
        }
        if arguments.get("MonitorArn") != MONITOR:
            return {"Anomalies": [{**found, "MonitorArn": "another", "DimensionValue": "of others"}]}
        return {"Anomalies": [found]}


def _described(
    name: str, day: int, seconds: int, billable: int, status: str = "Completed", spot: bool = True
) -> Answer:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/{name}",
        "TrainingJobStatus": status,
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge" if spot else "ml.m5.xlarge", "InstanceCount": 1,
                           "VolumeSizeInGB": 30},
        "EnableManagedSpotTraining": spot,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": billable,
        "CreationTime": datetime(2026, 11, day, 9, 0, tzinfo=UTC),
        "LastModifiedTime": datetime(2026, 11, day, 14, 0, tzinfo=UTC),
        "TrainingEndTime": datetime(2026, 11, day, 14, 0, tzinfo=UTC),
    }  # fmt: skip


JOBS = (
    _described("churn-0f3a91c2b7de", 16, 7560, 2344),
    _described("churn-4b77c0d1e2aa", 18, 5040, 1562),
    _described("image-tags-9ac01d55ef12", 19, 34200, 10602),
    _described("churn-91e0aa03bd47", 20, 9360, 2902),
    _described("image-tags-77f1b0c4d90e", 20, 1260, 391, status="Failed"),
    _described("returns-c31d8e20f6ab", 20, 3900, 3900, spot=False),
)


class Paged:
    """A client whose operations answer in one page, also through boto3's paginators."""

    def get_paginator(self, operation: str) -> Any:
        return SimpleNamespace(paginate=lambda **arguments: [getattr(self, operation)(**arguments)])


class SageMaker(Paged):
    """Lists, tags and describes the sample's jobs."""

    def list_training_jobs(self, **arguments: Any) -> Answer:
        return {"TrainingJobSummaries": list(JOBS)}

    def list_tags(self, ResourceArn: str) -> Answer:
        return {"Tags": [{"Key": "Project", "Value": PROJECT}, {"Key": "Environment", "Value": ENVIRONMENT}]}

    def describe_training_job(self, TrainingJobName: str) -> Answer:
        return next(job for job in JOBS if job["TrainingJobName"] == TrainingJobName)


class _Missing(ClientError):
    def __init__(self, code: str = "ResourceNotFoundException") -> None:
        super().__init__({"Error": {"Code": code, "Message": code}}, "Operation")


class Logs:
    """The inference function's log: the week's requests, each of some seventy rows."""

    class exceptions:
        ResourceNotFoundException = _Missing

    def filter_log_events(self, **arguments: Any) -> Answer:
        if arguments["filterPattern"] == "REPORT":
            line = (
                "REPORT RequestId: 9f0c\tDuration: 17.21 ms\tBilled Duration: 18 ms\tMemory Size: 512 MB\t"
                "Max Memory Used: 171 MB\t"
            )
            messages = [line] * 1800
        else:
            messages = [json.dumps({"event": "request", "status": 200, "rows": 70})] * 1790
        return {"events": [{"message": text, "timestamp": 0, "logStreamName": "a"} for text in messages]}


class Pages:
    """A paginator of one page."""

    def __init__(self, page: Answer) -> None:
        self.page = page

    def paginate(self, **arguments: Any) -> list[Answer]:
        return [self.page]


class Lambda:
    """The inference function's configuration, and the list with it alone."""

    def get_function_configuration(self, FunctionName: str) -> Answer:
        return {
            "FunctionName": FunctionName,
            "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{FunctionName}",
            "MemorySize": 512,
            "Timeout": 15,
            "Architectures": ["arm64"],
            "LoggingConfig": {},
        }

    def get_paginator(self, operation: str) -> Pages:
        return Pages({"Functions": [self.get_function_configuration("shoestring-dev-inference")]})

    def list_tags(self, Resource: str) -> Answer:
        return {"Tags": {"Project": PROJECT, "Environment": ENVIRONMENT}}


class Ec2:
    """The tracking server."""

    def get_paginator(self, operation: str) -> Pages:
        instance = {
            "InstanceId": "i-0a1b2c3d4e5f60718",
            "InstanceType": "t4g.small",
            "State": {"Name": "running"},
            "IamInstanceProfile": {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/shoestring-dev-mlflow"},
            "Tags": [{"Key": "Project", "Value": PROJECT}],
        }
        return Pages({"Reservations": [{"Instances": [instance]}]})


# Host's beginning or namespace, and metric with statistic → the same value at each point.
MEASURED = {
    ("AWS/EC2", "cpuutilization_maximum"): 41.2, ("AWS/EC2", "cpuutilization_average"): 3.1,
    ("AWS/EC2", "cpucreditbalance_minimum"): 571.0, ("CWAgent", "mem_used_percent_maximum"): 31.4,
    ("churn", "cpuutilization_maximum"): 182.5, ("churn", "memoryutilization_maximum"): 22.6,
    ("churn", "gpuutilization_maximum"): 0.0,
    ("image-tags", "cpuutilization_maximum"): 344.0, ("image-tags", "memoryutilization_maximum"): 61.9,
    ("image-tags", "gpuutilization_maximum"): 93.0,
    ("returns", "cpuutilization_maximum"): 371.1, ("returns", "memoryutilization_maximum"): 57.0,
}  # fmt: skip


class CloudWatch(Paged):
    """Two weeks of measurements by the hour, and twenty minutes of each job."""

    def get_metric_data(self, **arguments: Any) -> Answer:
        results = []
        for query in arguments["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            host = next((pair["Value"] for pair in metric["Dimensions"] if pair["Name"] == "Host"), "")
            where = HASH.sub("", host.partition("/")[0]) or metric["Namespace"]
            value = MEASURED.get((where, query["Id"]))
            points = 336 if not host else 20
            results.append({"Id": query["Id"], "Values": [] if value is None else [value] * points})
        return {"MetricDataResults": results}


class Budgets:
    """One budget of 40 dollars a month."""

    class exceptions:
        NotFoundException = _Missing

    def describe_budget(self, **arguments: Any) -> Answer:
        return {
            "Budget": {
                "BudgetName": arguments["BudgetName"],
                "BudgetLimit": {"Amount": "40.0", "Unit": "USD"},
                "CalculatedSpend": {
                    "ActualSpend": {"Amount": "26.14", "Unit": "USD"},
                    "ForecastedSpend": {"Amount": "33.40", "Unit": "USD"},
                },
            }
        }


class Sts:
    """Whose account it is."""

    def get_caller_identity(self) -> Answer:
        return {"Account": ACCOUNT}


def clients(**others: Any) -> Callable[..., Any]:
    """Makes clients as boto3 does; `others` replace the sample's, `lambda_` stands for lambda."""
    made = {
        "ce": CostExplorer(), "sagemaker": SageMaker(), "logs": Logs(), "lambda": Lambda(), "budgets": Budgets(),
        "sts": Sts(), "ec2": Ec2(), "cloudwatch": CloudWatch(),
    }  # fmt: skip
    made |= {name.rstrip("_"): client for name, client in others.items()}
    return lambda service, **keywords: made[service]


def main(folder: Path) -> None:
    """Writes the sample's report."""
    book = PriceBook.load()
    subject = Subject(Scope(PROJECT, ENVIRONMENT), "us-east-1", "shoestring-dev-inference", "shoestring-dev-costs",
                      monitor=MONITOR)  # fmt: skip
    report = gather(clients(), subject, chosen(TODAY), book, NOW)
    for path in publish.to_folder(publish.files(report, book), folder):
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
