"""What watches over the costs of a platform: its budget with the guard behind it, and the weekly report."""

from __future__ import annotations

from typing import Literal

import pulumi

from components.cost_guard import CostGuard, CostGuardArgs
from components.cost_report import CostReport, CostReportArgs
from components.lambda_inference import LambdaInference
from components.state_store import StateStore
from costs.prepare import package
from shoestring.base import names
from shoestring.base.paths import home
from stacks.settings import PlatformSettings


def build(
    settings: PlatformSettings,
    name: str,
    account: pulumi.Output[str],
    state: StateStore,
    inference: LambdaInference,
    architecture: Literal["arm64", "x86_64"],
    python: str,
) -> tuple[CostGuard, CostReport]:
    """Both, with one package for their functions.

    Args:
        name: what the names of the platform begin with.
        architecture, python: what the functions run on.
    """
    built = package.build(architecture, python, home() / "packages", pulumi.log.info)
    guard = CostGuard(
        f"{name}-costs",
        CostGuardArgs(
            account=account,
            region=settings.region,
            package=built,
            gate=names.window_gate(settings.environment),
            limit_usd=settings.monthly_usd,
            tags={"Project": settings.project, "Environment": settings.environment},
            email=settings.owner if settings.alarms_by_mail else None,
            python=python,
            architecture=architecture,
        ),
    )
    report = CostReport(
        f"{name}-cost-report",
        CostReportArgs(
            account=account,
            region=settings.region,
            package=built,
            bucket=state.bucket,
            topic=guard.topic,
            budget=guard.budget,
            limit_usd=settings.monthly_usd,
            project=settings.project,
            environment=settings.environment,
            inference_function=inference.function,
            inference_log_group=inference.log_group,
            python=python,
            architecture=architecture,
        ),
    )
    return guard, report
