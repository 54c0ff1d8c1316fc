"""Real-time inference that costs nothing while nobody asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pulumi
from pulumi_aws.cloudwatch.log_group import LogGroup
from pulumi_aws.iam.role import Role
from pulumi_aws.iam.role_policy import RolePolicy
from pulumi_aws.lambda_.alias import Alias
from pulumi_aws.lambda_.function import Function
from pulumi_aws.lambda_.function_url import FunctionUrl
from pulumi_aws.s3.bucket_objectv2 import BucketObjectv2

from components import policies
from components.money import PricedComponent

HANDLER = "serving.function.handler.handler"


@dataclass(frozen=True)
class LambdaInferenceArgs:
    """What a LambdaInference is made of."""

    package: Path
    """The function's zip; its name tells its content, so that a new one is a new object."""
    bucket: pulumi.Input[str]
    """Where the zip goes and the models lie."""
    model: str
    """Name of the model."""
    version: pulumi.Input[str]
    """Version of the model, or `none`."""
    python: str = "3.12"
    """Version of Python that the package was built for."""
    architecture: Literal["arm64", "x86_64"] = "arm64"
    """Processor; arm64 costs a fifth less for each second."""
    memory_mb: int = 512
    """Memory and, in proportion, processor and price."""
    timeout_seconds: int = 15
    """What one request may take at most."""
    reserved_concurrency: int = 5
    """Requests at the same moment, which bounds the costs. -1: no bound of its own (for accounts with few to give)."""
    log_retention_days: int = 14
    """Days that logs stay, billed for each GB."""


class LambdaInference(PricedComponent):
    """A Lambda function with a model, behind an alias and an HTTPS address that asks for signed requests.

    Callers of the same account need `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` on the alias, by their own
    policies; those of other accounts find no way in.

    Produces the package in S3, function, alias `live`, function URL (AWS_IAM), log group, and a role that reads one
    model's files and writes its own log.

    Billed by use alone: requests, their milliseconds by memory, and each GB of log that is written. The package is
    among what the StateStore counts.
    """

    url: pulumi.Output[str]
    function: pulumi.Output[str]
    """Name of the function."""
    alias: pulumi.Output[str]
    """Name of the alias that serves."""
    log_group: pulumi.Output[str]
    """Name of the log group that its requests are written to."""

    def __init__(self, name: str, args: LambdaInferenceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shoestring:serving:LambdaInference", name, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = LogGroup(name, name=f"/aws/lambda/{name}", retention_in_days=args.log_retention_days, opts=child)
        role = Role(name, name=name, assume_role_policy=policies.trust("lambda.amazonaws.com"), opts=child)
        rights = RolePolicy(
            name,
            name="inference",
            role=role.name,
            policy=pulumi.Output.all(args.bucket, logs.arn).apply(
                lambda parts: policies.inference(parts[0], args.model, parts[1])
            ),
            opts=child,
        )
        package = BucketObjectv2(
            name,
            bucket=args.bucket,
            key=f"packages/{args.package.name}",
            source=pulumi.FileAsset(str(args.package)),
            opts=child,
        )
        function = Function(
            name,
            name=name,
            description=f"Inference with the model {args.model}",
            runtime=f"python{args.python}",
            handler=HANDLER,
            architectures=[args.architecture],
            s3_bucket=package.bucket,
            s3_key=package.key,
            role=role.arn,
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            reserved_concurrent_executions=args.reserved_concurrency,
            publish=True,
            logging_config={"log_format": "Text", "log_group": logs.name},
            environment={
                "variables": {"MODEL_BUCKET": args.bucket, "MODEL_NAME": args.model, "MODEL_VERSION": args.version}
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[rights]),
        )
        alias = Alias(name, name="live", function_name=function.name, function_version=function.version, opts=child)
        url = FunctionUrl(
            name, function_name=function.name, qualifier=alias.name, authorization_type="AWS_IAM", opts=child
        )
        self.url = url.function_url
        self.function = function.name
        self.alias = alias.name
        self.log_group = logs.name
        self.register_outputs(
            {
                "url": self.url,
                "function": self.function,
                "alias": self.alias,
                "log_group": self.log_group,
            }
        )
