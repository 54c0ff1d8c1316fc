"""Every component, and the least that its arguments take, in values that nothing reads."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from components.base import Component
from components.champions import Champions, ChampionsArgs
from components.cost_guard import CostGuard, CostGuardArgs
from components.cost_report import CostReport, CostReportArgs
from components.lambda_inference import LambdaInference, LambdaInferenceArgs
from components.mlflow_server import MlflowServer, MlflowServerArgs
from components.network import Network, NetworkArgs
from components.spot_training_job import SpotTrainingJob, SpotTrainingJobArgs
from components.state_store import StateStore, StateStoreArgs

COMPONENTS: tuple[type[Component[Any]], ...] = (
    Champions, CostGuard, CostReport, LambdaInference, MlflowServer, Network, SpotTrainingJob, StateStore
)  # fmt: skip
PACKAGE = Path(__file__)  # any file stands for a zip
ACCOUNT, REGION = "123456789012", "us-east-1"
# In the same order.
RIGHT: dict[type, dict[str, Any]] = {
    ChampionsArgs: {"parameter": "/churn/champions"},
    CostGuardArgs: {
        "account": ACCOUNT,
        "region": REGION,
        "package": PACKAGE,
        "gate": "/churn/gate",
        "limit_usd": Decimal(15),
        "tags": {"Environment": "dev"},
    },
    CostReportArgs: {
        "account": ACCOUNT,
        "region": REGION,
        "package": PACKAGE,
        "bucket": "churn",
        "topic": "arn:aws:sns:us-east-1:123456789012:costs",
        "budget": "costs",
        "limit_usd": 15,
        "project": "churn",
        "environment": "dev",
        "inference_function": "inference",
        "inference_log_group": "/aws/lambda/inference",
    },
    LambdaInferenceArgs: {"package": PACKAGE, "bucket": "churn", "model": "churn", "versions": {"churn": "1"}},
    MlflowServerArgs: {
        "vpc_id": "vpc-1",
        "subnet_ids": ["subnet-1"],
        "private_ip": "10.20.0.10",
        "bucket": "churn",
        "region": REGION,
        "package": PACKAGE,
    },
    NetworkArgs: {"region": REGION, "zones": ("us-east-1a",)},
    SpotTrainingJobArgs: {
        "job_name": "churn-0123456789ab",
        "model": "churn",
        "bucket": "churn",
        "data_uri": "s3://churn/data/churn/1/",
        "code_uri": "s3://churn/code/1/sourcedir.tar.gz",
        "program": "train.py",
        "image": "image",
        "region": REGION,
        "account": ACCOUNT,
        "subnet_ids": ["subnet-1"],
        "vpc_id": "vpc-1",
        "tracking_security_group_id": "sg-1",
        "max_wait": 7200,
    },
    StateStoreArgs: {"bucket": "churn"},
}
