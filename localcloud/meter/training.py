"""Training jobs, from the records of the local cloud's SageMaker: also of those that are deleted."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from localcloud.meter.ledger import Ledger, Stretch
from localcloud.sagemaker.store import BILLED, FINISHED


def _trained(described: dict[str, Any], now: float) -> float:
    """Seconds in which the job's program has run."""
    spans = [span for span in described["SecondaryStatusTransitions"] if span["Status"] == "Training"]
    return sum(span.get("EndTime", now) - span["StartTime"] for span in spans)


def stretch_of(job: dict[str, Any], now: float) -> Stretch | None:
    """A job as a stretch; None where it has not trained."""
    described = job["described"]
    began = described.get("TrainingStartTime")
    if began is None:
        return None
    config, spot = described["ResourceConfig"], bool(described.get("EnableManagedSpotTraining"))
    trained = described.get("TrainingTimeInSeconds", _trained(described, now))
    billable = described.get("BillableTimeInSeconds", trained * (job.get("price_ratio", 1.0) if spot else 1))
    ended = described.get("TrainingEndTime")
    facts = {
        "type": config["InstanceType"], "count": config.get("InstanceCount", 1), "gb": config["VolumeSizeInGB"],
        "spot": spot, "trained": trained, "billable": billable,
    }  # fmt: skip
    return Stretch("training", described["TrainingJobName"], began, ended, facts, dict(job["tags"]), final=True)


class Jobs:
    """Looks at the records, each again only when it was written."""

    def __init__(self, cloud: Path) -> None:
        self.folders = ((cloud / "jobs", "*/job.json"), (cloud / BILLED, "*.json"))
        self.written: dict[Path, int] = {}

    def update(self, ledger: Ledger) -> None:
        """Brings the ledger to what the records say."""
        for folder, pattern in self.folders:
            for path in folder.glob(pattern):
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile: the other folder has its record then
                    self._read(ledger, path)

    def _read(self, ledger: Ledger, path: Path) -> None:
        written = path.stat().st_mtime_ns
        if self.written.get(path) == written:
            return
        job = json.loads(path.read_text())
        stretch = stretch_of(job, time.time())
        if job["described"]["TrainingJobStatus"] in FINISHED:
            self.written[path] = written
            if stretch:
                ledger.close(stretch, job["described"]["TrainingEndTime"])
        elif stretch:
            with ledger.lock:
                ledger.open[stretch.name] = stretch
