"""Where the MLflow server of an environment is reached."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlparse

from shoestring.base.errors import UserError
from shoestring.base.paths import home

START_SECONDS = 90.0
BRIEF_SECONDS = 30.0
FORWARDED = "http://127.0.0.1:5000"  # where `forwarding` brings it


def local_address(outputs: dict[str, Any], seconds: float = START_SECONDS) -> str:
    """The loopback address of the local platform's MLflow server, once it answers.

    Args:
        outputs: the platform's.
        seconds: how long to wait for the server's start, which begins when its packages are installed.

    Raises:
        UserError: it does not answer.
    """
    from localcloud import machines  # here, for it is heavy: most commands, and every `--help`, do without

    private = urlparse(outputs["mlflow_url"]).hostname
    end = time.monotonic() + seconds
    while True:
        for machine in machines.read(home() / "cloud"):
            if machine["private_ip"] == private and machine["state"] == "running":
                return str(machine["address"])
            if machine["private_ip"] == private and machine["state"] == "installing":
                end = time.monotonic() + seconds
        if time.monotonic() > end:
            raise UserError(
                f"the MLflow server of the local platform does not answer after {seconds:.0f} s",
                f"its instance {outputs['mlflow_instance_id']} running",
                "shoestring cloud logs    (if the instance was stopped or is gone: pulumi refresh --stack local; "
                "pulumi up --stack local)",
            )
        time.sleep(0.3)


def token() -> str:
    """What the local cloud's MLflow servers ask for, as MLflow's own client reads it; empty where there is none."""
    return os.environ.get("MLFLOW_TRACKING_TOKEN", "")


def opening(address: str) -> str:
    """The link that opens a local server's pages in a browser, which keeps a cookie for them."""
    return f"{address}/?token={token()}"


def nearest(outputs: dict[str, Any], progress: Callable[[str], None]) -> str:
    """The local address, or the platform's own where no server answers: a job does not need one to train."""
    try:
        return local_address(outputs, BRIEF_SECONDS)
    except UserError as error:
        progress(f"warning: {error}\n  the jobs run without it; register their models later")
        return str(outputs["mlflow_url"])


def forwarding(outputs: dict[str, Any]) -> str:
    """The command that brings the server of a platform on AWS to http://127.0.0.1:5000; it has no open port."""
    port = urlparse(outputs["mlflow_url"]).port
    return (
        f"aws ssm start-session --region {outputs['region']} --target {outputs['mlflow_instance_id']} "
        "--document-name AWS-StartPortForwardingSession "
        f"--parameters portNumber={port},localPortNumber=5000"
    )
