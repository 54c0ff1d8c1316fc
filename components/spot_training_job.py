"""One training run on spare capacity that an interruption does not spoil."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, ClassVar

import pulumi
from pulumi_aws.ec2.security_group import SecurityGroup
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.sagemaker.training_job import TrainingJob
from pulumi_aws.vpc.security_group_egress_rule import SecurityGroupEgressRule
from pulumi_aws.vpc.security_group_ingress_rule import SecurityGroupIngressRule
from pydantic import Field, model_validator

from components import iam
from components.arguments import Account, Bucket, Input, Subnet, TextInput, Uri, Vpc, arguments, if_known
from components.arguments import SecurityGroup as SecurityGroupId
from components.base import Component
from components.bounds import Model, Region, Text
from shoestring.base import names

PATH_IN_CONTAINER = "/opt/ml/checkpoints"
INTERFACE_MINUTES = 45  # that SageMaker may take to remove a job's network interface
LONGEST = 28 * 24 * 3600  # seconds that SageMaker lets a job take

JobName = Annotated[
    str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=63, examples=["churn-0123456789ab"])
]
TrainingInstance = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", examples=["ml.m5.large"])]
Seconds = Annotated[int, Field(ge=1, le=LONGEST, examples=[3600])]


@arguments
class SpotTrainingJobArgs:
    """What a SpotTrainingJob is made of."""

    job_name: JobName
    """Unique in the account and region, where a deleted job frees it; ends in the hash of what goes into the job."""
    model: Model
    """Name of the model that it trains."""
    bucket: Bucket
    """Where data, code, checkpoints, output and models lie."""
    data_uri: Uri
    """The training set: an `s3://` URI below `data/<model>/`."""
    code_uri: Uri
    """The `sourcedir.tar.gz`: an `s3://` URI below `code/`."""
    wheels_uri: Uri | None = None
    """The packages to install, wheel by wheel: an `s3://` prefix below `wheels/`. None: the image has them all."""
    program: Text
    """The entry point's name in the archive."""
    image: Text
    """URI of the container image."""
    region: Region
    """AWS region."""
    account: Account
    """AWS account."""
    subnet_ids: Annotated[Input[list[str]], if_known(Annotated[list[Subnet], Field(min_length=1)])]
    """Where the job's network interfaces go."""
    vpc_id: Vpc
    """The network of these subnets."""
    tracking_security_group_id: SecurityGroupId
    """Security group of the MLflow server, which is opened to the job."""
    instance_type: TrainingInstance = "ml.m5.large"
    """Machine; `shoestring prices show ml.m5.large` says what an hour of one costs."""
    volume_gb: Annotated[int, Field(ge=1, le=16384, examples=[10])] = 10
    """GB of disk, paid while the job runs."""
    hyperparameters: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """Handed to the program as --key value."""
    environment: Mapping[str, TextInput] = field(default_factory=dict)
    """Variables of the program."""
    metrics: Mapping[str, str] = field(default_factory=dict)
    """Name → regular expression on the log's lines."""
    spot: bool = True
    """Spare capacity; AWS advertises up to 90 % off, and does not publish the discount."""
    max_run: Seconds = 3600
    """Seconds of training after which the job is stopped: the upper bound of its costs."""
    max_wait: Seconds | None = None
    """Seconds from creation to end, waiting for capacity included; spot only, and then needed."""

    @model_validator(mode="after")
    def _waits_on_spot_alone(self) -> SpotTrainingJobArgs:
        if self.spot == (self.max_wait is None):
            raise ValueError(f"max_wait is {self.max_wait}: needed with spot and refused without it")
        if self.max_wait is not None and self.max_wait < self.max_run:
            raise ValueError(f"max_wait is {self.max_wait}: expected no less than max_run, {self.max_run}")
        return self


class SpotTrainingJob(Component[SpotTrainingJobArgs]):
    """A SageMaker training job, on managed spot capacity unless told otherwise, with checkpoints in S3.

    Its role reads data, code and packages, and writes its own checkpoints and output and its model's versions. The job
    starts when it is created; a program that names it again starts nothing. A destroy stops it.

    Where a change replaces the job (its times, disk, environment or spot), the old one is stopped and removed first,
    for SageMaker takes a name again only then; its checkpoints stay, and the new job goes on from the last of them.

    SageMaker keeps a job's network interface for some minutes after the job's end. It is in a security group of the
    job's own, which AWS does not let go before: a destroy waits for that, and leaves nothing in the subnets. What is
    left detached is removed with the job, and no interface of another one.

    Produces the job, its role and its security group.

    Billed while it runs: the machine by the second, at most at the price on demand (spot is billed lower), and its
    disk. Nothing once it is done.
    """

    token = "shoestring:training:SpotTrainingJob"
    children: ClassVar = {
        "job": "aws:sagemaker/trainingJob:TrainingJob",
        "role": "aws:iam/role:Role",
        "rights": "aws:iam/rolePolicy:RolePolicy",
        "security_group": "aws:ec2/securityGroup:SecurityGroup",
        "egress": "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "tracking_ingress": "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    }

    arn: pulumi.Output[str]
    job_name: pulumi.Output[str]
    worst_case_usd: str | None
    """Dollars where it runs as long as it may and spot saves nothing; None where a price is unknown."""

    def build(self, name: str, args: SpotTrainingJobArgs) -> None:
        root = pulumi.Output.concat("s3://", args.bucket, "/")
        role = Role(
            name,
            name=args.job_name,
            assume_role_policy=iam.trust("sagemaker.amazonaws.com"),
            opts=self.child("role"),
        )
        group, ways = self._network(name, args)
        rights = RolePolicy(
            name,
            name="training",
            role=role.name,
            policy=pulumi.Output.all(
                bucket=args.bucket,
                account=args.account,
                subnets=args.subnet_ids,
                security_groups=[group.id],
            ).apply(lambda parts: iam.training(job=args.job_name, model=args.model, region=args.region, **parts)),
            opts=self.child("rights"),
        )
        channels = [("training", args.data_uri, "text/csv")]  # files in /opt/ml/input/data/<channel>
        if args.wheels_uri is not None:
            channels.append(("wheels", args.wheels_uri, "application/zip"))
        # As the SageMaker SDK sends them: each value is JSON.
        encoded = {key: json.dumps(value) for key, value in args.hyperparameters.items()}
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
                **encoded,
                "sagemaker_program": json.dumps(args.program),
                "sagemaker_submit_directory": pulumi.Output.from_input(args.code_uri).apply(json.dumps),
                "sagemaker_region": json.dumps(args.region),
            },
            # SageMaker sets AWS_REGION, which boto3 does not read; without a region it would ask S3 in us-east-1,
            # which the network's endpoint leads to in us-east-1 only.
            environment={"AWS_DEFAULT_REGION": args.region, **args.environment},
            input_data_configs=[
                {
                    "channel_name": channel,
                    "content_type": content_type,
                    "data_source": {
                        "s3_data_source": {
                            "s3_data_type": "S3Prefix",
                            "s3_uri": uri,
                            "s3_data_distribution_type": "FullyReplicated",
                        }
                    },
                }
                for channel, uri, content_type in channels
            ],
            output_data_config={"s3_output_path": pulumi.Output.concat(root, names.JOBS)},
            checkpoint_config={
                "s3_uri": pulumi.Output.concat(root, names.CHECKPOINTS, args.job_name, "/"),
                "local_path": PATH_IN_CONTAINER,
            },
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
            vpc_config={"subnets": args.subnet_ids, "security_group_ids": [group.id]},
            delete_vpc_enis_on_destroy=True,
            # The official provider would create first, and be refused: the name is taken.
            opts=self.child("job", depends_on=[rights, *ways], delete_before_replace=True),
        )
        self.arn = job.arn
        self.job_name = job.training_job_name
        self.worst_case_usd = self.dollars(lambda totals: totals.run)

    def _network(self, name: str, args: SpotTrainingJobArgs) -> tuple[SecurityGroup, list[pulumi.Resource]]:
        """The job's own security group, without a way in, and the rules that let it out and to the MLflow server."""
        group = SecurityGroup(
            name,
            name=args.job_name,
            vpc_id=args.vpc_id,
            description="A training job: no way in",
            opts=self.child("security_group", custom_timeouts=pulumi.CustomTimeouts(delete=f"{INTERFACE_MINUTES}m")),
        )
        out = SecurityGroupEgressRule(
            name,
            security_group_id=group.id,
            ip_protocol="-1",
            cidr_ipv4="0.0.0.0/0",
            description="S3, tracking server",
            opts=self.child("egress"),
        )
        tracking = SecurityGroupIngressRule(
            name,
            security_group_id=args.tracking_security_group_id,
            referenced_security_group_id=group.id,
            ip_protocol="tcp",
            from_port=names.MLFLOW_PORT,
            to_port=names.MLFLOW_PORT,
            description=args.job_name,
            opts=self.child("tracking_ingress"),
        )
        return group, [out, tracking]
