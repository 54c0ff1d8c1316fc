"""What the local cloud's SageMaker can do and AWS's has elsewhere."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from shoestring.base.errors import UserError

INTERRUPT = "/_local/interrupt"


def interrupt(endpoint: str, job: str) -> None:
    """Takes the spot instance of a running job away now; the job resumes on the next one.

    Args:
        endpoint: `sagemaker_endpoint` of what `localcloud.supervisor.up` returns.
        job: the training job's name.

    Raises:
        UserError: there is no such job, it is not training now, or not on spot capacity; or nothing answers.
    """
    body = json.dumps({"TrainingJobName": job}).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint + INTERRUPT, body), timeout=10):
            return
    except urllib.error.HTTPError as error:
        reason = json.loads(error.read())["message"]
        raise UserError(
            f"{job} cannot be interrupted: {reason}", "a managed spot training job that trains now"
        ) from error
    except OSError as error:
        raise UserError(f"{endpoint} does not answer: {error}", mend="shoestring cloud up") from error
