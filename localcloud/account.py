"""Lists the emulated account itself, service by service: the proof of a teardown, independent of any bookkeeping.

A table: one row for each kind of resource, with the operation that lists it, where the answer holds the items, the
field that names one, and what the account has from the start. A listing that fails raises; none is passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import boto3
import jmespath

Item = dict[str, Any]
ACCOUNT = "000000000000"
ENDPOINTS = {"sagemaker": "sagemaker_endpoint", "ce": "cost_explorer_endpoint"}  # all others: "aws_endpoint"


@dataclass(frozen=True)
class Kind:
    """One kind of resource: `items` and `id` are JMESPath expressions on the answer and on one item."""

    service: str
    type: str
    operation: str
    items: str
    id: str
    arguments: dict[str, Any] = field(default_factory=dict)
    own: Callable[[Item], bool] = lambda item: True


KINDS = (
    Kind("s3", "bucket", "list_buckets", "Buckets", "Name"),
    Kind("iam", "role", "list_roles", "Roles", "RoleName", own=lambda i: "/aws-service-role/" not in i["Path"]),
    Kind("iam", "policy", "list_policies", "Policies", "Arn", {"Scope": "Local"}),
    Kind("iam", "instance-profile", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    Kind("iam", "user", "list_users", "Users", "UserName"),
    Kind(
        "ec2", "instance", "describe_instances", "Reservations[].Instances[]", "InstanceId",
        own=lambda i: i["State"]["Name"] != "terminated",
    ),
    Kind("ec2", "volume", "describe_volumes", "Volumes", "VolumeId"),
    Kind("ec2", "network-interface", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    Kind("ec2", "address", "describe_addresses", "Addresses", "AllocationId"),
    Kind("ec2", "nat-gateway", "describe_nat_gateways", "NatGateways", "NatGatewayId",
         own=lambda i: i["State"] != "deleted"),
    Kind("ec2", "vpc", "describe_vpcs", "Vpcs", "VpcId", own=lambda i: not i.get("IsDefault")),
    Kind("ec2", "vpc-endpoint", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    Kind("ec2", "launch-template", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    Kind("lambda", "function", "list_functions", "Functions", "FunctionName"),
    Kind("logs", "log-group", "describe_log_groups", "logGroups", "logGroupName"),
    Kind("cloudwatch", "alarm", "describe_alarms", "MetricAlarms", "AlarmName"),
    Kind("cloudwatch", "dashboard", "list_dashboards", "DashboardEntries", "DashboardName"),
    Kind("budgets", "budget", "describe_budgets", "Budgets", "BudgetName", {"AccountId": ACCOUNT}),
    Kind("ce", "anomaly-monitor", "get_anomaly_monitors", "AnomalyMonitors", "MonitorName"),
    Kind("ce", "anomaly-subscription", "get_anomaly_subscriptions", "AnomalySubscriptions", "SubscriptionName"),
    Kind("ssm", "parameter", "describe_parameters", "Parameters", "Name"),
    Kind("sns", "topic", "list_topics", "Topics", "TopicArn"),
    Kind("sqs", "queue", "list_queues", "QueueUrls", "@"),
    Kind("scheduler", "schedule", "list_schedules", "Schedules", "Name"),
    Kind("events", "rule", "list_rules", "Rules", "Name"),
    Kind("rds", "instance", "describe_db_instances", "DBInstances", "DBInstanceIdentifier"),
    Kind("ecr", "repository", "describe_repositories", "repositories", "repositoryName"),
    Kind("dynamodb", "table", "list_tables", "TableNames", "@"),
    Kind("secretsmanager", "secret", "list_secrets", "SecretList", "Name"),
    Kind("sagemaker", "training-job", "list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
    Kind("batch", "compute-environment", "describe_compute_environments", "computeEnvironments",
         "computeEnvironmentName"),
    Kind("batch", "job-queue", "describe_job_queues", "jobQueues", "jobQueueName"),
    Kind("eks", "cluster", "list_clusters", "clusters", "@"),
)  # fmt: skip


def _list(client: Any, kind: Kind) -> list[dict[str, str]]:
    if client.can_paginate(kind.operation):
        answers = list(client.get_paginator(kind.operation).paginate(**kind.arguments))
    else:
        answers = [getattr(client, kind.operation)(**kind.arguments)]
    items = [item for answer in answers for item in jmespath.search(kind.items, answer) or []]
    return [
        {"service": kind.service, "type": kind.type, "id": str(jmespath.search(kind.id, item))}
        for item in items
        if kind.own(item)
    ]


def _endpoint(cloud: dict[str, Any], service: str) -> str:
    return str(cloud[ENDPOINTS.get(service, "aws_endpoint")])


def list_account(cloud: dict[str, Any]) -> list[dict[str, str]]:
    """Everything in the account that a new account does not have, as `{"service", "type", "id"}`.

    `cloud` is what `localcloud.supervisor.up` returns.
    What goes with its parent (a bucket's objects, a network's subnets and routes) is not listed by itself.

    Raises:
        botocore.exceptions.ClientError: a listing was refused.
        botocore.exceptions.EndpointConnectionError: an endpoint does not answer.
    """
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=cloud["region"])
    names = sorted({kind.service for kind in KINDS})
    clients = {
        name: session.client(name, endpoint_url=_endpoint(cloud, name)) for name in names
    }  # making clients is not thread-safe
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(lambda kind: _list(clients[kind.service], kind), KINDS))
    return [item for items in found for item in items]
