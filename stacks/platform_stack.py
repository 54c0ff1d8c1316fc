"""The platform of an environment: what stays. The output `idle_monthly_usd` is what it costs while nobody uses it."""

from __future__ import annotations

from ipaddress import IPv4Network

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.get_caller_identity import get_caller_identity_output

from components import money
from components.lambda_inference import LambdaInference, LambdaInferenceArgs
from components.mlflow_server import MlflowServer, MlflowServerArgs
from components.model_pointer import ModelPointer, ModelPointerArgs
from components.network import Network, NetworkArgs
from components.state_store import StateStore, StateStoreArgs
from serving.prepare import package
from shoestring.base.names import champion as champion_of
from shoestring.base.paths import home
from stacks import watch
from stacks.settings import PlatformSettings
from stacks.tags import tag_everything

MLFLOW_HOST = 10  # the tracking server's place in the first subnet


def build(settings: PlatformSettings) -> None:
    """Everything of the stack `<environment>`."""
    name, region, prod = f"shoestring-{settings.environment}", settings.region, settings.environment == "prod"
    tag_everything(settings.tags())
    account = get_caller_identity_output().account_id
    # The local cloud runs functions on this machine.
    architecture, python = package.host() if settings.environment == "local" else ("arm64", package.LAMBDA_PYTHON)

    state = StateStore(
        f"{name}-state",
        StateStoreArgs(
            bucket=pulumi.Output.concat(name, "-", account),
            checkpoint_days=settings.state.checkpoint_days,
            force_destroy=settings.force_destroy,
            keep=prod,
        ),
    )
    zones = 2 if settings.mlflow.database == "postgres" else 1
    network = Network(name, NetworkArgs(region=region, cidr=settings.network.cidr, zones=zones))
    mlflow = MlflowServer(
        f"{name}-mlflow",
        MlflowServerArgs(
            vpc_id=network.vpc_id,
            subnet_ids=network.subnet_ids,
            private_ip=str(IPv4Network(settings.network.cidr)[MLFLOW_HOST]),
            clients_security_group_id=network.jobs_security_group_id,
            bucket=state.bucket,
            region=region,
            instance_type=settings.mlflow.instance_type,
            volume_gb=settings.mlflow.volume_gb,
            spot=settings.mlflow.spot,
            database=settings.mlflow.database,
            keep=prod,
        ),
    )
    serving = settings.inference
    champion = ModelPointer(
        f"{name}-{serving.model}",
        ModelPointerArgs(parameter=champion_of(settings.environment, serving.model)),
    )
    inference = LambdaInference(
        f"{name}-inference",
        LambdaInferenceArgs(
            package=package.build(serving.architecture or architecture, python, home() / "packages", pulumi.log.info),
            bucket=state.bucket,
            model=serving.model,
            version=champion.version,
            python=python,
            architecture=serving.architecture or architecture,
            memory_mb=serving.memory_mb,
            timeout_seconds=serving.timeout_seconds,
            reserved_concurrency=serving.reserved_concurrency,
            log_retention_days=serving.log_retention_days,
        ),
    )
    guard, report = watch.build(settings, name, account, state, inference, architecture, python)
    if settings.job_logs:  # SageMaker makes it without an end to its retention, once for all environments of an account
        LogGroup(f"{name}-jobs", name="/aws/sagemaker/TrainingJobs", retention_in_days=serving.log_retention_days)

    parts = (state, network, mlflow, champion, inference, guard, report)
    pulumi.export("idle_monthly_usd", money.total([part.monthly_usd for part in parts]))
    pulumi.export("bucket", state.bucket)
    pulumi.export("mlflow_url", mlflow.url)
    pulumi.export("mlflow_instance_id", mlflow.instance_id)
    pulumi.export("subnet_ids", network.subnet_ids)
    pulumi.export("jobs_security_group_id", network.jobs_security_group_id)
    pulumi.export("inference_url", inference.url)
    pulumi.export("inference_function", inference.function)
    pulumi.export("inference_alias", inference.alias)
    pulumi.export("model_parameter", champion.parameter)
    pulumi.export("window_gate", guard.gate)
    pulumi.export("budget", guard.budget)
    pulumi.export("cost_topic", guard.topic)
    pulumi.export("cost_report_function", report.function)
    pulumi.export("region", region)
