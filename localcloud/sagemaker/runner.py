"""Runs one job from Starting to its end: attempts, interruptions, limits, stops, logs and what is left in S3."""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import boto3

from localcloud.processes import Process, stop
from localcloud.sagemaker.container import LOG_GROUP, Container, Files
from localcloud.sagemaker.interfaces import Interfaces
from localcloud.sagemaker.spot import Spot
from localcloud.sagemaker.store import FINISHED, Store

PAUSE = 0.1  # seconds between two looks at a job
SYNC_SECONDS = 1.0  # between two rounds of carrying checkpoints


class Logs:
    """Sends a log file's new lines to CloudWatch Logs, and keeps them for metrics and failure reasons."""

    def __init__(self, stream: str, path: Path, region: str) -> None:
        self.client, self.stream, self.path, self.read = boto3.client("logs", region_name=region), stream, path, 0
        self.lines: list[str] = []
        path.touch()
        exists = self.client.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(exists):  # another job made it
            self.client.create_log_group(logGroupName=LOG_GROUP)
        with contextlib.suppress(exists):  # an earlier attempt did
            self.client.create_log_stream(logGroupName=LOG_GROUP, logStreamName=stream)

    def send(self, last: bool = False) -> None:
        """Sends what is new; a line that is not whole yet waits, unless this is the `last` time."""
        with self.path.open("rb") as file:
            file.seek(self.read)
            new = file.read()
        whole = new if last else new[: new.rfind(b"\n") + 1]
        self.read += len(whole)
        lines = [line for line in whole.decode(errors="replace").splitlines() if line.strip()]
        self.lines += lines
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines]
        for start in range(0, len(events), 1000):
            self.client.put_log_events(
                logGroupName=LOG_GROUP, logStreamName=self.stream, logEvents=events[start : start + 1000]
            )


class Runner(threading.Thread):
    """A job's own thread. `stopping` is set by StopTrainingJob, `reclaimed` by an interruption on demand."""

    def __init__(self, store: Store, job: dict[str, Any], spot: Spot, interfaces: Interfaces) -> None:
        super().__init__(daemon=True, name=job["described"]["TrainingJobName"])
        self.store, self.job, self.spot, self.stopping = store, job, spot, threading.Event()
        self.reclaimed, self.interfaces = threading.Event(), interfaces
        self.described, self.request = job["described"], job["request"]
        self.folder = store.path(self.name)
        self.files, self.trained = Files(), 0.0
        self.logs = Logs(f"{self.name}/algo-1-{int(time.time())}", self.folder / "log", store.region)

    def run(self) -> None:
        """The job's life; whatever goes wrong becomes its FailureReason."""
        interface = ""
        try:
            interface = self.interfaces.attach(self.name, self.request)
            self._live()
        except Exception as error:
            self._end("Failed", f"{type(error).__name__}: {error}")
        finally:
            self.interfaces.release(interface, self.spot.interface_seconds)
            for root in self.folder.glob("root-*"):
                shutil.rmtree(root, ignore_errors=True)

    def _live(self) -> None:
        managed = self.request.get("EnableManagedSpotTraining", False)
        lives = self.spot.lives() if managed else iter(())
        for attempt in itertools.count(1):
            self.store.transition(self.job, "Starting", "Preparing the instances for training")
            container = Container(
                self.folder / f"root-{attempt}", self.request, self.files, self.store.folder.parent, self.store.region
            )
            self.store.transition(self.job, "Downloading", "Downloading input data")
            container.prepare()
            if self.stopping.is_set():
                outcome, code = "stopped", 0
                break
            outcome, code = self._train(container, next(lives, None))
            container.save_checkpoints()
            if outcome != "interrupted":
                break
            self.store.transition(self.job, "Interrupted", "The spot instance was reclaimed")
            shutil.rmtree(container.root)
            if self.stopping.wait(self.spot.capacity_seconds) or self._waited_too_long():
                outcome = "stopped" if self.stopping.is_set() else "MaxWaitTimeExceeded"
                break
        self._finish(container, outcome, code)

    def _waited_too_long(self) -> bool:
        wait = self.request["StoppingCondition"].get("MaxWaitTimeInSeconds")
        return wait is not None and time.time() - self.described["CreationTime"] > wait

    def _train(self, container: Container, life: float | None) -> tuple[str, int]:
        """One attempt; returns its outcome (exited, interrupted, stopped, or the limit's status) and exit code."""
        child = container.start(self.folder / "log")
        process = Process.of(child)
        self.job["process"] = [process.pid, process.created]
        self.reclaimed.clear()
        self.described.setdefault("TrainingStartTime", time.time())
        self.store.transition(self.job, "Training", "Training image download completed. Training in progress.")
        began, synced, outcome = time.monotonic(), 0.0, "exited"
        limit = self.request["StoppingCondition"].get("MaxRuntimeInSeconds", 86400)
        while child.poll() is None:
            time.sleep(PAUSE)
            ran = time.monotonic() - began
            if self.stopping.is_set():
                outcome = "stopped"
            elif self.trained + ran > limit:
                outcome = "MaxRuntimeExceeded"
            elif self._waited_too_long():
                outcome = "MaxWaitTimeExceeded"
            elif self.reclaimed.is_set() or (life is not None and ran > life):
                outcome = "interrupted"
            if outcome != "exited":
                stop(process, self.spot.grace_seconds)
                break
            self.logs.send()
            if ran - synced > SYNC_SECONDS:
                container.save_checkpoints()
                synced = ran
        code = child.wait()
        stop(process, self.spot.grace_seconds)  # what the program left running
        self.logs.send(last=True)
        self.trained += time.monotonic() - began
        self.job["process"] = None
        return outcome, code

    def _finish(self, container: Container, outcome: str, code: int) -> None:
        if self.described["TrainingJobStatus"] in FINISHED:  # the service ends, and has said so
            return
        if outcome == "exited" and code != 0:
            failure = container.place("/opt/ml/output/failure")
            reason = failure.read_text(errors="replace") if failure.exists() else "\n".join(self.logs.lines[-10:])
            self._end("Failed", f"AlgorithmError: exit code: {code}\n{reason}"[:1024])
            return
        if container.root.exists():
            self.store.transition(self.job, "Uploading", "Uploading generated training model")
            target = f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"
            self.files.upload_archive(container.place("/opt/ml/model"), f"{target}/model.tar.gz")
            self.described["ModelArtifacts"] = {"S3ModelArtifacts": f"{target}/model.tar.gz"}
            data = container.place("/opt/ml/output/data")
            if any(data.iterdir()):
                self.files.upload_archive(data, f"{target}/output.tar.gz")
        if outcome == "exited":
            self._end("Completed")
        else:
            self._end("Stopped", secondary="Stopped" if outcome == "stopped" else outcome)

    def _end(self, state: str, reason: str = "", secondary: str = "") -> None:
        if "TrainingStartTime" in self.described:  # a job that ended before it trained has neither, as on AWS
            ratio = self.job["price_ratio"] if self.request.get("EnableManagedSpotTraining") else 1.0
            self.described["TrainingTimeInSeconds"] = round(self.trained)
            self.described["BillableTimeInSeconds"] = round(self.trained * ratio)
        if reason:
            self.described["FailureReason"] = reason
        if metrics := self._metrics():
            self.described["FinalMetricDataList"] = metrics
        self.job["process"] = None
        self.store.transition(self.job, secondary or state, reason, state)

    def _metrics(self) -> list[dict[str, Any]]:
        metrics = []
        for definition in self.request["AlgorithmSpecification"].get("MetricDefinitions", []):
            values = re.findall(definition["Regex"], "\n".join(self.logs.lines))
            if values:
                metrics.append({"MetricName": definition["Name"], "Value": float(values[-1]), "Timestamp": time.time()})
        return metrics
