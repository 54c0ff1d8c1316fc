"""What the service remembers: one JSON file for each job, written atomically, so that a restart forgets nothing."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from localcloud import REGION
from shoestring.base.paths import write_atomically

FINISHED = ("Completed", "Failed", "Stopped")
BILLED = "meter/jobs"  # below the local cloud's folder: the records of deleted jobs, which a bill does not forget


def _region(job: dict[str, Any]) -> str:
    return str(job["described"]["TrainingJobArn"].split(":")[3])


def regions_below(folder: Path) -> set[str]:
    """The regions whose jobs lie below a store's folder."""
    return {_region(json.loads(path.read_text())) for path in folder.glob("*/job.json")}


class Store:
    """The jobs of a region below `folder`. A job is what DescribeTrainingJob answers, its tags, and its process while
    it runs."""

    def __init__(self, folder: Path, region: str = REGION) -> None:
        self.folder, self.region = folder, region
        self.lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True)
        self.jobs: dict[str, dict[str, Any]] = {}
        for path in folder.glob("*/job.json"):
            job = json.loads(path.read_text())
            if _region(job) == region:
                self.jobs[job["described"]["TrainingJobName"]] = job

    def path(self, name: str) -> Path:
        """The job's folder: its record, and its roots while it runs."""
        return self.folder / (name if self.region == REGION else f"{self.region}.{name}")

    def save(self, job: dict[str, Any]) -> None:
        """Writes one job's record."""
        with self.lock:
            described = job["described"]
            described["LastModifiedTime"] = time.time()
            write_atomically(self.path(described["TrainingJobName"]) / "job.json", json.dumps(job))
            self.jobs[described["TrainingJobName"]] = job

    def transition(self, job: dict[str, Any], status: str, message: str = "", state: str = "InProgress") -> None:
        """Moves a job to a secondary status, closing the one before, as SageMaker's list of transitions does."""
        with self.lock:
            described, now = job["described"], time.time()
            transitions = described["SecondaryStatusTransitions"]
            if transitions:
                transitions[-1].setdefault("EndTime", now)
            transitions.append({"Status": status, "StartTime": now, "StatusMessage": message or status})
            described["SecondaryStatus"], described["TrainingJobStatus"] = status, state
            if state in FINISHED:
                transitions[-1]["EndTime"] = now
                if "TrainingStartTime" in described:
                    described["TrainingEndTime"] = now
            self.save(job)

    def remove(self, name: str) -> None:
        """Forgets a job and removes its folder, but leaves its record to the bill; repeatable."""
        with self.lock:
            if job := self.jobs.pop(name, None):
                kept = (
                    self.folder.parent / BILLED / f"{self.path(name).name}.{job['described']['CreationTime']:.3f}.json"
                )
                write_atomically(kept, json.dumps({**job, "deleted": time.time()}))
            shutil.rmtree(self.path(name), ignore_errors=True)
