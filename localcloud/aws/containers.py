"""Containers: images, and what they run on."""

from __future__ import annotations

from typing import Any

from localcloud.aws.row import GIB, Charge, Json, Listing, Metering, ResourceType


def _size(client: Any, repository: Json) -> Json:
    """The size of a repository's images, each as it is stored."""
    pages = client.get_paginator("describe_images").paginate(repositoryName=repository["repositoryName"])
    return {"bytes": sum(image.get("imageSizeInBytes", 0) for page in pages for image in page["imageDetails"])}


TYPES = (
    ResourceType(
        "ecr", "repository", Listing("describe_repositories", "repositories", "repositoryName"),
        metering=Metering(
            (Charge("Amazon EC2 Container Registry (ECR)", "USE1-TimedStorage-ByteHrs", "", ("ecr", "storage"),
                    "bytes", scale=GIB),),
            begin="createdAt", gauge="bytes", more_facts=_size,
            begins=("CreateRepository",), ends=("DeleteRepository",),
            tagged=("list_tags_for_resource", "resourceArn", "repositoryArn", "tags"),
        ),
    ),
    ResourceType(
        "eks", "cluster", Listing("list_clusters", "clusters[].{name: @}", "name"),
        metering=Metering(
            (Charge("Amazon Elastic Container Service for Kubernetes", "USE1-AmazonEKS-Hours:perCluster",
                    "CreateCluster", ("eks", "control-plane")),),
            begins=("CreateCluster",), ends=("DeleteCluster",),
            tagged=("describe_cluster", "name", "name", "cluster.tags"),
        ),
    ),
    ResourceType("ecs", "cluster", Listing("list_clusters", "clusterArns", "@"),
                 unmetered="what runs in it is billed"),
    ResourceType(
        "batch", "compute-environment",
        Listing("describe_compute_environments", "computeEnvironments", "computeEnvironmentName"),
        unmetered="what runs in it is billed",
    ),
    ResourceType("batch", "job-queue", Listing("describe_job_queues", "jobQueues", "jobQueueName"),
                 unmetered="what runs in it is billed"),
)  # fmt: skip
