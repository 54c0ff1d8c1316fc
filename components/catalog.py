"""Every component."""

from __future__ import annotations

from components.base import Component
from components.cost_guard import CostGuard
from components.cost_report import CostReport
from components.lambda_inference import LambdaInference
from components.mlflow_server import MlflowServer
from components.model_pointer import ModelPointer
from components.network import Network
from components.spot_training_job import SpotTrainingJob
from components.state_store import StateStore

COMPONENTS: tuple[type[Component], ...] = (  # type: ignore[type-arg]
    CostGuard, CostReport, LambdaInference, MlflowServer, ModelPointer, Network, SpotTrainingJob, StateStore
)  # fmt: skip
