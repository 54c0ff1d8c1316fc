"""SageMaker's training jobs, which the local cloud plays itself."""

from __future__ import annotations

import time
from typing import Any

from localcloud.aws.row import Call, Calls, Charge, Json, Listing, Metering, Read, ResourceType, Tags

PRODUCT, INSTANCE = "Amazon SageMaker", ("sagemaker-training", "{type}")
RUNNING = ("InProgress", "Stopping")


def _stop_job(client: Any, context: Json) -> None:
    """Ends a job that runs and waits until it has ended, so that nothing bills after a destroy."""

    def status() -> str:
        return str(client.describe_training_job(TrainingJobName=context["id"])["TrainingJobStatus"])

    if status() == "InProgress":
        client.stop_training_job(TrainingJobName=context["id"])
    while status() in RUNNING:
        time.sleep(0.3)


TYPES = (
    ResourceType(
        "sagemaker", "training-job", Listing("list_training_jobs", "TrainingJobSummaries", "TrainingJobName"),
        Calls(
            "{trainingJobName}", {"TrainingJobName": "=trainingJobName", "ResourceArn": "=arn"},
            create=(Call(
                "create_training_job", {"Tags": "=tagList"},
                "roleArn algorithmSpecification checkpointConfig enableInterContainerTrafficEncryption "
                "enableManagedSpotTraining enableNetworkIsolation environment hyperParameters inputDataConfigs "
                "outputDataConfig resourceConfig retryStrategy stoppingCondition vpcConfig",
                late="Could not assume role",
            ),),
            read=(Read("describe_training_job"),),
            tags=Tags("add_tags", "delete_tags", "list_tags"),
            provider_only="deleteVpcEnisOnDestroy deleteModelPackagesOnDestroy timeouts",
            names={"volumeSizeInGb": "volumesizeingb"},
            computed={"arn": "=item.TrainingJobArn"},
            before_delete=_stop_job,
            creates_first=True,  # a type of the official provider's plugin framework
        ),
        metering=Metering(
            (
                Charge(PRODUCT, "USE1-Train:{type}", "CreateTrainingJob", INSTANCE, when="!spot"),
                Charge(PRODUCT, "USE1-SpotTrain:{type}", "CreateTrainingJob", INSTANCE, when="spot", spot=True),
                Charge(PRODUCT, "USE1-Train:VolumeUsage.gp2", "CreateTrainingJob", ("sagemaker", "training-storage"),
                       "gb"),
            ),
            recorded=True,  # those of deleted jobs are kept
            name="training",
        ),
    ),
)  # fmt: skip
