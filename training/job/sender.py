"""The process that sends a job's journal to MLflow while the job trains, and registers its model at the end."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

from training import variables
from training.job import registry
from training.job.tracking import Sender, errors, first_line

SECONDS = 2.0  # between two looks at the journal
RETRY_SECONDS = 10.0  # after MLflow did not answer


def _receive(message: bytearray, seconds: float) -> bool:
    """Adds to `message` what the training writes within `seconds`; True when it has closed the pipe."""
    if not select.select([0], [], [], seconds)[0]:
        return False
    part = os.read(0, 4096)
    message += part
    return not part


def follow(journal: Path, uri: str) -> int:
    """Sends a growing journal until standard input ends, then registers the model folder named there; 0 if all went."""
    sender, folder, wait, ended = Sender(journal, uri), bytearray(), 0.0, False
    problem = ""
    while not ended:
        ended = _receive(folder, wait)
        try:
            sender.send()
            if problem:
                print("mlflow answers again", flush=True)
            problem, wait = "", SECONDS
        except errors() as error:
            if not problem:
                print(f"warning: mlflow at {uri} is left out for now: {first_line(error)}", flush=True)
            problem, wait = first_line(error), RETRY_SECONDS
    if problem or not folder:
        return 1 if problem else 0
    try:
        model = registry.register(Path(os.fsdecode(bytes(folder))), uri, os.environ.get(variables.BUCKET, ""))
    except registry.RegistrationError as error:
        print(f"warning: {error}", flush=True)
        return 1
    print(f"registered model={model.name} version={model.version} {model.location}", flush=True)
    return 0


if __name__ == "__main__":
    # The training decides when this ends: it closes the pipe, or is gone.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.nice(10)
    sys.exit(follow(Path(sys.argv[1]), os.environ[variables.MLFLOW]))
