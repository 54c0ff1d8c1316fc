"""One training run on spare capacity that an interruption does not spoil."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.sagemaker.training_job import TrainingJob

from components import policies
from components.money import PricedComponent

if TYPE_CHECKING:
    from pulumi_aws.sagemaker import TrainingJobInputDataConfigArgsDict

PATH_IN_CONTAINER = "/opt/ml/checkpoints"


@dataclass(frozen=True)
class SpotTrainingJobArgs:
    """What a SpotTrainingJob is made of."""

    job_name: str
    """Unique for ever in the account and region; ends in the hash of what goes into the job."""
    model: str
    """Name of the model that it trains."""
    bucket: pulumi.Input[str]
    """Where data, code, checkpoints, output and models lie."""
    data_uri: pulumi.Input[str]
    """The training set: an `s3://` URI below `data/<model>/`."""
    code_uri: pulumi.Input[str]
    """The `sourcedir.tar.gz`: an `s3://` URI below `code/`."""
    wheels_uri: pulumi.Input[str] | None
    """The packages to install, wheel by wheel: an `s3://` prefix below `wheels/`. None: the image has them all."""
    program: str
    """The entry point's name in the archive."""
    image: str
    """URI of the container image."""
    region: str
    """AWS region."""
    account: pulumi.Input[str]
    """AWS account."""
    subnet_ids: pulumi.Input[list[str]]
    """Where the job's network interfaces go."""
    security_group_ids: pulumi.Input[list[str]]
    """Security groups of those interfaces."""
    instance_type: str = "ml.m5.large"
    """Machine; `shoestring prices show ml.m5.large` says what an hour of one costs."""
    volume_gb: int = 10
    """GB of disk, paid while the job runs."""
    hyperparameters: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """Handed to the program as --key value."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Variables of the program."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Name → regular expression on the log's lines."""
    spot: bool = True
    """Spare capacity, up to 90 % cheaper."""
    max_run: int = 3600
    """Seconds of training after which the job is stopped: the upper bound of its costs."""
    max_wait: int | None = None
    """Seconds from creation to end, waiting for capacity included; spot only, and then needed."""


def _channel(name: str, uri: pulumi.Input[str], content_type: str) -> TrainingJobInputDataConfigArgsDict:
    """What lies below `uri`, as files in /opt/ml/input/data/<name>."""
    return {
        "channel_name": name,
        "content_type": content_type,
        "data_source": {
            "s3_data_source": {
                "s3_data_type": "S3Prefix",
                "s3_uri": uri,
                "s3_data_distribution_type": "FullyReplicated",
            }
        },
    }


class SpotTrainingJob(PricedComponent):
    """A SageMaker training job, on managed spot capacity unless told otherwise, with checkpoints in S3.

    Its role reads data, code and packages, and writes its own checkpoints and output and its model's versions. The job
    starts when it is created; a program that names it again starts nothing. A destroy stops it, and removes the network
    interfaces that SageMaker left detached.

    Produces the job and its role.

    Billed while it runs: the machine by the second, at most at the price on demand (spot is billed lower), and its
    disk. Nothing once it is done.
    """

    arn: pulumi.Output[str]
    job_name: pulumi.Output[str]
    worst_case_usd: str | None
    """Dollars where it runs as long as it may and spot saves nothing; None where a price is unknown."""

    def __init__(self, name: str, args: SpotTrainingJobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if args.spot == (args.max_wait is None):
            raise ValueError(f"{args.job_name}: max_wait is needed with spot and refused without it")
        super().__init__("shoestring:training:SpotTrainingJob", name, opts, args.region)
        child = pulumi.ResourceOptions(parent=self)
        bucket = pulumi.Output.from_input(args.bucket)

        def uri(prefix: str) -> pulumi.Output[str]:
            return bucket.apply(lambda bucket: f"s3://{bucket}/{prefix}")

        role = Role(name, name=args.job_name, assume_role_policy=policies.trust("sagemaker.amazonaws.com"), opts=child)
        rights = RolePolicy(
            name,
            name="training",
            role=role.name,
            policy=pulumi.Output.all(bucket, args.account, args.subnet_ids, args.security_group_ids).apply(
                lambda parts: policies.training(
                    bucket=parts[0],
                    job=args.job_name,
                    model=args.model,
                    region=args.region,
                    account=parts[1],
                    subnets=parts[2],
                    security_groups=parts[3],
                )
            ),
            opts=child,
        )
        # As the SageMaker SDK sends them: each value is JSON.
        words = {key: json.dumps(value) for key, value in args.hyperparameters.items()}
        job = TrainingJob(
            name,
            training_job_name=args.job_name,
            role_arn=role.arn,
            algorithm_specification={
                "training_image": args.image,
                "training_input_mode": "File",
                "metric_definitions": [{"name": key, "regex": regex} for key, regex in args.metrics.items()],
            },
            hyper_parameters={
                **words,
                "sagemaker_program": json.dumps(args.program),
                "sagemaker_submit_directory": pulumi.Output.from_input(args.code_uri).apply(json.dumps),
                "sagemaker_region": json.dumps(args.region),
            },
            # SageMaker sets AWS_REGION, which boto3 does not read; without a region it would ask S3 in us-east-1,
            # which the network's endpoint leads to in us-east-1 only.
            environment={"AWS_DEFAULT_REGION": args.region, **args.environment},
            input_data_configs=[
                _channel("training", args.data_uri, "text/csv"),
                *([] if args.wheels_uri is None else [_channel("wheels", args.wheels_uri, "application/zip")]),
            ],
            output_data_config={"s3_output_path": uri("jobs/")},
            checkpoint_config={"s3_uri": uri(f"checkpoints/{args.job_name}/"), "local_path": PATH_IN_CONTAINER},
            resource_config={
                "instance_type": args.instance_type,
                "instance_count": 1,
                "volume_size_in_gb": args.volume_gb,
            },
            stopping_condition={
                "max_runtime_in_seconds": args.max_run,
                **({"max_wait_time_in_seconds": args.max_wait} if args.max_wait else {}),
            },
            enable_managed_spot_training=args.spot,
            enable_network_isolation=False,  # it reports to the tracking server
            vpc_config={"subnets": args.subnet_ids, "security_group_ids": args.security_group_ids},
            delete_vpc_enis_on_destroy=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights]),
        )
        self.arn = job.arn
        self.job_name = job.training_job_name
        self.worst_case_usd = self.dollars(lambda totals: totals.run)
        self.register_outputs({"arn": self.arn, "job_name": self.job_name, "worst_case_usd": self.worst_case_usd})
