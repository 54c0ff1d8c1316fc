"""The SageMaker SDK's own resource class works on the local cloud as boto3 does."""

from __future__ import annotations

import io
import json
import tarfile

import boto3
import pytest

from tests.conftest import role


@pytest.fixture
def endpoints(cloud, monkeypatch):
    """The variables of `shoestring env local` that the SDK reads."""
    for name, value in cloud["variables"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers the keys that it was made with


def packed(script: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("train.py")
        entry.size = len(script)
        tar.addfile(entry, io.BytesIO(script))
    return archive.getvalue()


def test_a_training_job_of_the_sdk_is_made_followed_tagged_and_listed(endpoints):
    from sagemaker.core.resources import Tag, TrainingJob
    from sagemaker.core.shapes import AlgorithmSpecification, OutputDataConfig, ResourceConfig, StoppingCondition

    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="sdk")
    s3.put_object(Bucket="sdk", Key="source.tar.gz", Body=packed(b"import sys; print('words', sys.argv[1:])"))
    job = TrainingJob.create(
        training_job_name="of-the-sdk",
        role_arn=role(boto3.client("iam"), "jobs", "sagemaker.amazonaws.com"),
        algorithm_specification=AlgorithmSpecification(training_image="image", training_input_mode="File"),
        hyper_parameters={
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps("s3://sdk/source.tar.gz"),
            "rate": "0.1",
        },
        output_data_config=OutputDataConfig(s3_output_path="s3://sdk/jobs"),
        resource_config=ResourceConfig(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=60),
        tags=[Tag(key="Project", value="sdk")],
    )
    job.wait(poll=1, timeout=60)
    job.refresh()
    assert job.training_job_status == "Completed"
    assert job.model_artifacts.s3_model_artifacts == "s3://sdk/jobs/of-the-sdk/output/model.tar.gz"
    assert [found.training_job_name for found in TrainingJob.get_all()] == ["of-the-sdk"]
    tags = boto3.client("sagemaker").list_tags(ResourceArn=job.training_job_arn)["Tags"]
    assert tags == [{"Key": "Project", "Value": "sdk"}]
