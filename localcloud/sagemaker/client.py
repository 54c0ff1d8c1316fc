"""What the local cloud's SageMaker can do and AWS's has elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from localcloud.sockets import ask
from shoestring.base.errors import UserError

INTERRUPT = "/_local/interrupt"


def interrupt(cloud: dict[str, Any], job: str) -> None:
    """Takes the spot instance of a running job away now; the job resumes on the next one.

    Args:
        cloud: what `localcloud.supervisor.up` returns.
        job: the training job's name.

    Raises:
        UserError: there is no such job, it is not training now, or not on spot capacity; or nothing answers.
    """
    body = json.dumps({"TrainingJobName": job}).encode()
    try:
        status, answer = ask(Path(cloud["sockets"]) / "sagemaker", INTERRUPT, body, timeout=10)
    except OSError as error:
        raise UserError(f"the local cloud does not answer: {error}", mend="shoestring cloud up") from error
    if status != 200:
        reason = json.loads(answer)["message"]
        raise UserError(f"{job} cannot be interrupted: {reason}", "a managed spot training job that trains now")
