"""The IAM policies of the components: pure functions from names to documents, so that each is tested as it is."""

from __future__ import annotations

import json
from typing import Any

from shoestring.base import names

Statement = dict[str, Any]


def document(*statements: Statement) -> str:
    """A policy of these statements, as JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(sid: str, actions: list[str], resources: list[str] | str, **condition: Any) -> Statement:
    """One statement that allows `actions` on `resources`, under `condition` (operator: {key: value}) if any."""
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


def trust(service: str, account: str = "") -> str:
    """Lets one AWS service take a role; with `account`, on behalf of that account alone."""
    statement: Statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if account:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return document(statement)


def tls_only(bucket: str) -> str:
    """Bucket policy: nobody reads or writes without TLS."""
    arn = f"arn:aws:s3:::{bucket}"
    return document(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


def _objects(bucket: str, *prefixes: str) -> list[str]:
    return [f"arn:aws:s3:::{bucket}/{prefix}*" for prefix in prefixes]


def _listing(bucket: str, *prefixes: str) -> Statement:
    """Listing what lies below some prefixes; all of a bucket's keys without any."""
    if not prefixes:
        return allow("List", ["s3:ListBucket"], [f"arn:aws:s3:::{bucket}"])
    like = {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}
    return allow("List", ["s3:ListBucket"], [f"arn:aws:s3:::{bucket}"], StringLike=like)


READ_WRITE = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]


def tracking(bucket: str, package: str, profile: str, secret: str = "") -> str:
    """The MLflow server: its artifacts, its backup, its packages, and how its processor time is paid for.

    Args:
        package: key of its packages.
        profile: ARN of its instance profile, which no other instance has.
        secret: ARN of its database's password, where it has one.
    """
    prefixes = (names.ARTIFACTS, names.MLFLOW)
    instances = f"{profile.partition(':instance-profile/')[0].replace(':iam::', ':ec2:*:')}:instance/*"
    statements = [
        _listing(bucket, *prefixes),
        allow("Objects", READ_WRITE, _objects(bucket, *prefixes)),
        allow("Packages", ["s3:GetObject"], [f"arn:aws:s3:::{bucket}/{package}"]),
        allow(
            "OwnCredits",
            ["ec2:ModifyInstanceCreditSpecification"],
            [instances],
            ArnEquals={"ec2:InstanceProfile": profile},
        ),
    ]
    if secret:
        statements.append(allow("Password", ["secretsmanager:GetSecretValue"], [secret]))
    return document(*statements)


def logging(statements: list[Statement], log_group: str) -> str:
    """A function: what `statements` allow, and its own log group (by ARN)."""
    return document(*statements, _logs(log_group))


def inference(bucket: str, models: list[str]) -> list[Statement]:
    """The inference function: the files of its models."""
    return [allow("Models", ["s3:GetObject"], _objects(bucket, *(f"{names.MODELS}{model}/" for model in models)))]


def training(
    bucket: str, job: str, model: str, region: str, account: str, subnets: list[str], security_groups: list[str]
) -> str:
    """A training job: reads data, code and packages; writes its own checkpoints and output, and versions of its model.

    Three statements must name every resource, as AWS knows no finer ones for these actions: the descriptions of the
    network, the token for the image's registry, and the metrics (which a condition holds to SageMaker's namespaces).
    Keys of the whole bucket may be listed: whether CreateTrainingJob names a prefix where it checks the output's place,
    AWS does not say, and a condition on one would refuse a request without.
    """
    ec2 = f"arn:aws:ec2:{region}:{account}"
    network = [f"{ec2}:subnet/{subnet}" for subnet in subnets]
    network += [f"{ec2}:security-group/{group}" for group in security_groups]
    interfaces = f"{ec2}:network-interface/*"
    read = (f"{names.DATA}{model}/", names.CODE, names.WHEELS)
    write = (f"{names.CHECKPOINTS}{job}/", f"{names.JOBS}{job}/", f"{names.MODELS}{model}/")
    images = f"arn:aws:ecr:{region}:*:repository/*"
    logs = f"arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/TrainingJobs"
    return document(
        _listing(bucket),
        allow("Read", ["s3:GetObject"], _objects(bucket, *read)),
        allow("Write", READ_WRITE, _objects(bucket, *write)),
        allow("LogGroup", ["logs:CreateLogGroup", "logs:DescribeLogStreams"], [logs, f"{logs}:*"]),
        _logs(logs),
        allow(
            "Metrics",
            ["cloudwatch:PutMetricData"],
            "*",
            StringEquals={"cloudwatch:namespace": ["/aws/sagemaker/TrainingJobs", "aws/sagemaker/TrainingJobs"]},
        ),
        allow("RegistryToken", ["ecr:GetAuthorizationToken"], "*"),
        allow(
            "Image", ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [images]
        ),
        allow("Interfaces", ["ec2:CreateNetworkInterface"], [*network, interfaces]),
        allow("InterfacesOfThisNetwork", ["ec2:CreateNetworkInterfacePermission"], [interfaces]),
        allow("RemoveInterfaces", ["ec2:DeleteNetworkInterface", "ec2:DeleteNetworkInterfacePermission"], [interfaces]),
        allow(
            "Describe",
            [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            "*",
        ),
    )


def alarms(topic: str, account: str) -> str:
    """A topic's policy: AWS's budgets and cost anomalies of this account may publish; nobody else gets in by it."""
    return document(
        {
            "Sid": "CostAlarms",
            "Effect": "Allow",
            "Principal": {"Service": ["budgets.amazonaws.com", "costalerts.amazonaws.com"]},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
    )


def _logs(log_group: str) -> Statement:
    return allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group}:*"])


def guard(gate: str, budget: str) -> list[Statement]:
    """The budget's guard: its budget and its gate, by ARN; Cost Explorer knows no resources."""
    return [
        allow("Budget", ["budgets:ViewBudget"], [budget]),
        allow("Costs", ["ce:GetCostAndUsage"], "*"),
        allow("Gate", ["ssm:GetParameter", "ssm:PutParameter"], [gate]),
    ]


def scheduled(function: str) -> str:
    """A schedule: one function (by ARN), and nothing else."""
    return document(allow("Invoke", ["lambda:InvokeFunction"], [function]))


def report(
    bucket: str, topic: str, budget: str, monitor: str, region: str, account: str, function: str, requests: str
) -> list[Statement]:
    """The weekly report: reads costs, jobs, and the inference `function`; writes its files and one message.

    Four statements must name every resource, as AWS knows no finer ones for these actions: Cost Explorer, the lists of
    training jobs and of machines, and metrics. The names of jobs are not known before.

    Args:
        monitor: ARN of the anomaly monitor; empty where there is none.
        function: ARN of the inference function.
        requests: ARN of its log group.
    """
    jobs = f"arn:aws:sagemaker:{region}:{account}:training-job/*"
    return [
        allow("Costs", ["ce:GetCostAndUsage", "ce:GetCostForecast"], "*"),
        *([allow("Anomalies", ["ce:GetAnomalies"], [monitor])] if monitor else []),
        allow("Budget", ["budgets:ViewBudget"], [budget]),
        allow("Jobs", ["sagemaker:ListTrainingJobs"], "*"),
        allow("Job", ["sagemaker:DescribeTrainingJob", "sagemaker:ListTags"], [jobs]),
        allow("Function", ["lambda:GetFunctionConfiguration"], [function]),
        allow("Requests", ["logs:FilterLogEvents"], [f"{requests}:*"]),
        allow("Metrics", ["cloudwatch:GetMetricData"], "*"),
        allow("Machines", ["ec2:DescribeInstances"], "*"),
        allow("Files", ["s3:PutObject"], _objects(bucket, names.COST_REPORTS)),
        _listing(bucket, names.JOB_RECORDS),
        allow("Records", ["s3:GetObject"], _objects(bucket, names.JOB_RECORDS)),
        allow("Summary", ["sns:Publish"], [topic]),
    ]
