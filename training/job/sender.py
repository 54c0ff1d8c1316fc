"""The process that sends a job's journal to MLflow while the job trains, and registers its model at the end."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

from training.job import registry
from training.job.tracking import Sender, errors, first_line

SECONDS = 2.0  # between two looks at the journal
RETRY_SECONDS = 10.0  # after MLflow did not answer


def _listen(heard: bytearray, seconds: float) -> bool:
    """Adds to `heard` what comes from the training within `seconds`; True when it has said all, or is gone."""
    if not select.select([0], [], [], seconds)[0]:
        return False
    said = os.read(0, 4096)
    heard += said
    return not said


def follow(journal: Path, uri: str) -> int:
    """Sends a growing journal until standard input ends, then registers the model folder named there; 0 if all went."""
    sender, heard, wait, ended = Sender(journal, uri), bytearray(), 0.0, False
    problem = ""
    while not ended:
        ended = _listen(heard, wait)
        try:
            sender.send()
            if problem:
                print("mlflow answers again", flush=True)
            problem, wait = "", SECONDS
        except errors() as error:
            if not problem:
                print(f"warning: mlflow at {uri} is left out for now: {first_line(error)}", flush=True)
            problem, wait = first_line(error), RETRY_SECONDS
    if problem or not heard:
        return 1 if problem else 0
    try:
        done = registry.register(Path(os.fsdecode(bytes(heard))), uri, os.environ.get("SHOESTRING_BUCKET", ""))
    except registry.RegistrationError as error:
        print(f"warning: {error}", flush=True)
        return 1
    print(f"registered model={done.name} version={done.version} {done.location}", flush=True)
    return 0


if __name__ == "__main__":
    # The training decides when this ends: it closes the pipe, or is gone.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.nice(10)
    sys.exit(follow(Path(sys.argv[1]), os.environ["MLFLOW_TRACKING_URI"]))
