"""The operations of the API on the store of jobs."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.utils import parse_to_aware_datetime

from costs.book.prices import PriceBook
from localcloud import ACCOUNT, REGION
from localcloud.aws.row import as_list, as_object
from localcloud.processes import Process, stop
from localcloud.protocol import ServiceError, invalid
from localcloud.requests import Model, operations, page
from localcloud.sagemaker.container import split
from localcloud.sagemaker.interfaces import Interfaces
from localcloud.sagemaker.runner import Runner
from localcloud.sagemaker.spot import Spot
from localcloud.sagemaker.store import FINISHED, Store, regions_below
from shoestring.base.errors import UserError

SUMMARY = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime",
           "TrainingJobStatus", "SecondaryStatus")  # fmt: skip

NOT_HELD = ("WarmPoolStatusEquals", "TrainingPlanArnEquals")  # filters by what the local cloud does not have
MOMENTS = ("CreationTime", "LastModifiedTime")


class Service:
    """SageMaker's training jobs in one region, kept below `<home>/cloud/jobs`."""

    def __init__(self, home: Path, region: str = REGION) -> None:
        self.home, self.store = home, Store(home / "cloud" / "jobs", region)
        self.arn = f"arn:aws:sagemaker:{region}:{ACCOUNT}:training-job/"
        self.runners: dict[str, Runner] = {}
        self.interfaces = Interfaces(region)
        self.close()  # what a service that was killed left running

    def close(self) -> None:
        """Ends what runs, and notes that moment: the bill counts up to it. The jobs say why they failed."""
        with self.store.lock:
            for job in self.store.jobs.values():
                if job["described"]["TrainingJobStatus"] in FINISHED:
                    continue
                if job["process"]:
                    stop(Process(*job["process"]))
                job["process"] = None
                job["described"]["FailureReason"] = "InternalServerError: the local cloud ended while the job ran"
                self.store.transition(job, "Failed", "the local cloud ended while the job ran", "Failed")

    def call(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """Checks and carries out one operation. Raises ServiceError."""
        MODEL.check(name, request)
        return dict(getattr(self, name)(request) or {})

    def _job(self, name: str) -> dict[str, Any]:
        if name not in self.store.jobs:
            raise invalid("Requested resource not found.")
        return self.store.jobs[name]

    def _tagged(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._job(request["ResourceArn"].rpartition("/")[2])

    def CreateTrainingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        _check_training_job(request)
        _check_output(request)
        name = request["TrainingJobName"]
        with self.store.lock:
            if name in self.store.jobs:
                raise ServiceError(
                    "ResourceInUse",
                    "Training job names must be unique within an AWS account and region, and a training job with this "
                    f"name already exists ({self.arn}{name})",
                )
            try:
                spot = Spot.read(self.home / "cloud" / "spot.json")
                book = PriceBook.current(self.home / "prices")
            except (ValueError, UserError) as error:
                raise invalid(f"the local cloud's spot market: {error}") from error
            described = {key: value for key, value in request.items() if key != "Tags"}
            described |= {
                "TrainingJobArn": self.arn + name,
                "CreationTime": time.time(),
                "SecondaryStatusTransitions": [],
            }
            described["TrainingJobStatus"], described["SecondaryStatus"] = "InProgress", "Starting"
            share = spot.share(book, request["ResourceConfig"].get("InstanceType", ""), self.store.region)
            job = {"described": described, "request": request, "process": None, "price_ratio": float(share)}
            job["tags"] = as_object(request.get("Tags"))
            self.store.save(job)
            self.runners[name] = Runner(self.store, job, spot, self.interfaces)
        self.runners[name].start()
        return {"TrainingJobArn": self.arn + name}

    def DescribeTrainingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._job(request["TrainingJobName"])["described"]

    def ListTrainingJobs(self, request: dict[str, Any]) -> dict[str, Any]:
        if refused := [name for name in NOT_HELD if name in request]:
            raise invalid(f"{', '.join(refused)}: the local cloud has no warm pools and no training plans.")
        jobs = [job["described"] for job in self.store.jobs.values() if _listed(job["described"], request)]
        key = {"Name": "TrainingJobName", "Status": "TrainingJobStatus"}.get(request.get("SortBy", ""), "CreationTime")
        jobs.sort(key=lambda job: job[key], reverse=request.get("SortOrder") == "Descending")
        wanted = request.get("StatusEquals")
        if "MaxResults" not in request:
            jobs = [job for job in jobs if wanted in (None, job["TrainingJobStatus"])]
        shown, following = page(jobs, request, "NextToken", size=10)
        shown = [job for job in shown if wanted in (None, job["TrainingJobStatus"])]  # after MaxResults, as AWS does
        return {"TrainingJobSummaries": [{name: job[name] for name in SUMMARY if name in job} for job in shown],
                **following}  # fmt: skip

    def StopTrainingJob(self, request: dict[str, Any]) -> None:
        job = self._job(request["TrainingJobName"])
        status = job["described"]["TrainingJobStatus"]
        if status in FINISHED:
            raise invalid(f"The request was rejected because the training job is in status {status}.")
        job["described"]["TrainingJobStatus"] = "Stopping"
        self.runners[request["TrainingJobName"]].stopping.set()

    def interrupt(self, request: dict[str, Any]) -> dict[str, Any]:
        """Takes a running job's spot instance away now, as AWS's Fault Injection Service does. Raises ServiceError."""
        name = str(request.get("TrainingJobName"))
        described = self._job(name)["described"]
        if not described.get("EnableManagedSpotTraining"):
            raise invalid(f"{name} is not on spot capacity: nothing can be taken away from it.")
        if described["SecondaryStatus"] != "Training" or described["TrainingJobStatus"] != "InProgress":
            raise invalid(f"{name} is not training now: its status is {described['SecondaryStatus']}.")
        self.runners[name].reclaimed.set()
        return {}

    def DeleteTrainingJob(self, request: dict[str, Any]) -> None:
        name = request["TrainingJobName"]
        status = self._job(name)["described"]["TrainingJobStatus"]
        if status not in FINISHED:
            raise ServiceError("ResourceInUse", f"The training job is in status {status}; stop it first.")
        self.store.remove(name)  # its log stays, as on AWS; its name is free again

    def AddTags(self, request: dict[str, Any]) -> dict[str, Any]:
        job = self._tagged(request)
        job["tags"] |= as_object(request["Tags"])
        self.store.save(job)
        return {"Tags": as_list(job["tags"])}

    def ListTags(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"Tags": as_list(self._tagged(request)["tags"])}

    def DeleteTags(self, request: dict[str, Any]) -> None:
        job = self._tagged(request)
        for key in request["TagKeys"]:
            job["tags"].pop(key, None)
        self.store.save(job)


class Regions:
    """The services of all regions: none knows the jobs of another."""

    def __init__(self, home: Path) -> None:
        self.home, self.lock = home, threading.Lock()
        regions = {REGION, *regions_below(home / "cloud" / "jobs")}
        self.services = {region: Service(home, region) for region in sorted(regions)}

    def service(self, region: str) -> Service:
        """The one of a region."""
        with self.lock:
            if region not in self.services:
                self.services[region] = Service(self.home, region)
            return self.services[region]

    def close(self) -> None:
        """Ends what runs, everywhere."""
        for service in self.services.values():
            service.close()


MODEL = Model("sagemaker", operations(Service))


def _listed(job: dict[str, Any], request: dict[str, Any]) -> bool:
    """Whether the filters of ListTrainingJobs by name and time let a job through."""
    for moment in MOMENTS:
        for word, sign in (("After", 1), ("Before", -1)):
            limit = request.get(f"{moment}{word}")
            if limit is not None and sign * (job[moment] - parse_to_aware_datetime(limit).timestamp()) <= 0:
                return False
    return request.get("NameContains", "") in job["TrainingJobName"]


def _check_training_job(request: dict[str, Any]) -> None:
    """The rules between members of CreateTrainingJob that the model does not hold."""
    stopping = request["StoppingCondition"]
    spot = request.get("EnableManagedSpotTraining", False)
    run, wait = stopping.get("MaxRuntimeInSeconds", 86400), stopping.get("MaxWaitTimeInSeconds")
    if wait is not None and not spot:
        raise invalid(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true"
        )
    if spot and wait is None:
        raise invalid("MaxWaitTimeInSeconds must be set when EnableManagedSpotTraining is true.")
    if wait is not None and wait < run:
        raise invalid(f"MaxWaitTimeInSeconds {wait} must be at least MaxRuntimeInSeconds {run}.")


def _check_output(request: dict[str, Any]) -> None:
    """The role must be let into the bucket of the output, whatever the key: no prefix is named in this check.

    AWS's words for this are not published: these are what it says of an input's bucket. A role that is not there is not
    judged here.
    """
    iam, (bucket, _) = boto3.client("iam"), split(request["OutputDataConfig"]["S3OutputPath"])
    try:
        role = iam.get_role(RoleName=request["RoleArn"].rpartition("/")[2])["Role"]["Arn"]
    except iam.exceptions.NoSuchEntityException:
        return
    place = f"arn:aws:s3:::{bucket}"
    answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=["s3:ListBucket"], ResourceArns=[place])
    if answer["EvaluationResults"][0]["EvalDecision"] != "allowed":
        raise invalid(
            f'Please ensure that the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}", given in '
            "output data config."
        )
