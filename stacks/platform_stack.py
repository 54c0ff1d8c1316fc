"""The platform of an environment: what stays. The output `idle_monthly_usd` is what it costs while nobody uses it."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.get_caller_identity import get_caller_identity_output
from pulumi_aws.ssm.get_parameters_by_path import get_parameters_by_path_output

from components import mlflow_server, money, tracking_package
from components.champions import Champions, ChampionsArgs
from components.cost_guard import CostGuard, CostGuardArgs
from components.cost_report import CostReport, CostReportArgs
from components.function import FunctionArgs
from components.lambda_inference import LambdaInference, LambdaInferenceArgs
from components.mlflow_server import MlflowServer, MlflowServerArgs
from components.network import Network, NetworkArgs
from components.state_store import StateStore, StateStoreArgs
from costs.prepare import package as costs_package
from serving.prepare import package as serving_package
from shoestring.base import names
from shoestring.base.function_package import host
from shoestring.base.once import cache
from shoestring.base.paths import home
from stacks.account import check_monitor, check_quotas
from stacks.settings import PlatformSettings
from stacks.tags import tag_everything
from stacks.zones import of_network

MLFLOW_HOST = 10  # the tracking server's place in the first subnet


def build(settings: PlatformSettings) -> None:
    """Everything of the stack `<environment>`."""
    environment, region, prod = settings.environment, settings.region, settings.environment == "prod"
    check_quotas(settings)
    check_monitor(settings)
    zones = of_network(settings)
    name = names.resource(environment)
    tag_everything(settings.tags())
    account = get_caller_identity_output().account_id
    # The local cloud runs functions and the tracking server on this machine.
    local = host() if environment == "local" else None
    processor, python = local or (FunctionArgs.architecture, FunctionArgs.python)
    machine = local or (mlflow_server.architecture(settings.mlflow.instance_type), MlflowServerArgs.python)
    architecture, zips = settings.inference.architecture or processor, home() / "packages"

    state = StateStore(
        f"{name}-state",
        StateStoreArgs(
            bucket=pulumi.Output.concat(name, "-", account),
            checkpoint_days=settings.state.checkpoint_days,
            force_destroy=settings.force_destroy,
            keep=prod,
        ),
    )
    network = Network(name, NetworkArgs(region=region, zones=tuple(zones), cidr=settings.network.cidr))
    mlflow = MlflowServer(
        names.resource(environment, names.TRACKING_SERVER),
        MlflowServerArgs(
            vpc_id=network.vpc_id,
            subnet_ids=network.subnet_ids,
            private_ip=str(IPv4Network(settings.network.cidr)[MLFLOW_HOST]),
            bucket=state.bucket,
            region=region,
            package=tracking_package.build(*machine, cache() / "packages", pulumi.log.info),
            python=machine[1],
            keep=prod,
            **settings.mlflow.model_dump(),
        ),
    )
    champions = Champions(
        f"{name}-champions",
        ChampionsArgs(parameter=names.champions(environment), versions=_promoted_before(environment)),
    )
    inference = LambdaInference(
        names.resource(environment, names.INFERENCE),
        LambdaInferenceArgs(
            package=serving_package.build(architecture, python, zips, pulumi.log.info),
            python=python,
            architecture=architecture,
            bucket=state.bucket,
            versions=champions.versions,
            **settings.inference.model_dump(exclude={"architecture"}),
        ),
    )

    # What watches over the costs.
    watching: dict[str, Any] = {
        "package": costs_package.build(processor, python, zips, pulumi.log.info),
        "python": python,
        "architecture": processor,
        "account": account,
        "region": region,
        "limit_usd": settings.monthly_usd,
    }
    guard = CostGuard(
        names.resource(environment, names.COST_GUARD),
        CostGuardArgs(
            gate=names.window_gate(environment),
            tags={names.PROJECT_TAG: settings.project, names.ENVIRONMENT_TAG: environment},
            email=settings.owner if settings.alarms_by_mail else None,
            anomalies=settings.budget.anomalies,
            **watching,
        ),
    )
    report = CostReport(
        f"{name}-cost-report",
        CostReportArgs(
            bucket=state.bucket,
            topic=guard.topic,
            budget=guard.budget,
            monitor=guard.anomaly_monitor,
            project=settings.project,
            environment=environment,
            inference_function=inference.function,
            inference_log_group=inference.log_group,
            **watching,
        ),
    )
    if settings.job_logs:  # SageMaker makes it without an end to its retention, once for all environments of an account
        days = settings.inference.log_retention_days
        LogGroup(f"{name}-jobs", name="/aws/sagemaker/TrainingJobs", retention_in_days=days)

    components = (state, network, mlflow, champions, inference, guard, report)
    outputs = {
        "idle_monthly_usd": money.total([component.monthly_usd for component in components]),
        "bucket": state.bucket,
        "mlflow_url": mlflow.url,
        "mlflow_instance_id": mlflow.instance_id,
        "mlflow_instance_type": settings.mlflow.instance_type,
        "zones": zones,
        "subnet_ids": network.subnet_ids,
        "vpc_id": network.vpc_id,
        "mlflow_security_group_id": mlflow.security_group_id,
        "inference_url": inference.url,
        "inference_function": inference.function,
        "inference_alias": inference.alias,
        "models": inference.models,
        "champions": champions.parameter,
        "window_gate": guard.gate,
        "budget": guard.budget,
        "anomaly_monitor": guard.anomaly_monitor,
        "cost_topic": guard.topic,
        "cost_report_function": report.function,
        "region": region,
    }
    for key, value in outputs.items():
        pulumi.export(key, value)


def _promoted_before(environment: str) -> pulumi.Output[dict[str, str]]:
    """The promoted version of each model in a platform of an earlier release, which had one parameter for each.

    The update that takes these parameters away makes the one for all models, which begins with what they held.
    """
    earlier = get_parameters_by_path_output(
        path=f"/shoestring/{environment}/models", recursive=True, with_decryption=False
    )
    return earlier.apply(
        lambda found: {name.split("/")[-2]: version for name, version in zip(found.names, found.values, strict=True)}
    )
