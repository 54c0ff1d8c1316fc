"""Real-time inference that costs nothing while nobody asks."""

from __future__ import annotations

import json
from typing import Annotated, ClassVar

import pulumi
from pulumi_aws.lambda_.alias import Alias
from pulumi_aws.lambda_.function_url import FunctionUrl
from pulumi_aws.s3.bucket_objectv2 import BucketObjectv2
from pydantic import Field

from components import function, iam
from components.arguments import Bucket, arguments
from components.base import Component
from components.bounds import Concurrency, FunctionSeconds, LogDays, MemoryMb, Model, Models
from components.champions import Versions
from shoestring.base import champions, names

HANDLER = "serving.function.handler.handler"
DESCRIPTION = 256  # characters that Lambda takes


@arguments
class LambdaInferenceArgs(function.FunctionArgs):
    """What a LambdaInference is made of. The package's name tells its content, so that a new one is a new object."""

    bucket: Bucket
    """Where the zip goes and the models lie."""
    model: Model
    """Name of the model that answers at the address itself, and at `/NAME`."""
    additional_models: Models = ()
    """Names of models that are served beside it, each at `/NAME`. They share its memory, and cost nothing more."""
    versions: Versions
    """Version of each model, by name; one that is not among them answers that no version is promoted."""
    memory_mb: MemoryMb = 512
    timeout_seconds: FunctionSeconds = 15
    reserved_concurrency: Annotated[Concurrency | None, Field(examples=[5])] = None
    """Requests at the same moment, kept for this function alone; free, and a bound of its costs. A new account has none
    to give: AWS keeps 100 of an account's concurrency unreserved, or all of it where the limit is lower. None: the
    account's limit is the only bound."""
    log_retention_days: LogDays = 14


class LambdaInference(Component[LambdaInferenceArgs]):
    """A Lambda function with one or several models, behind an alias and an HTTPS address that asks for signed requests.

    Callers of the same account need `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction` on the alias, by their own
    policies; those of other accounts find no way in.

    Produces the package in S3, function, alias `live`, function URL (AWS_IAM), log group, and a role that reads the
    files of its models and writes its own log.

    Billed by use alone: requests, their milliseconds by memory, and each GB of log that is written. The package is
    among what the StateStore counts.
    """

    token = "shoestring:serving:LambdaInference"
    children: ClassVar = {
        **function.CHILDREN,
        "package": "aws:s3/bucketObjectv2:BucketObjectv2",
        "alias": "aws:lambda/alias:Alias",
        "url": "aws:lambda/functionUrl:FunctionUrl",
    }

    url: pulumi.Output[str]
    function: pulumi.Output[str]
    """Name of the function."""
    alias: pulumi.Output[str]
    """Name of the alias that serves."""
    log_group: pulumi.Output[str]
    """Name of the log group that its requests are written to."""
    models: pulumi.Output[dict[str, str]]
    """The version of each model that it serves, or `none`; the first one answers at the address itself."""

    def build(self, name: str, args: LambdaInferenceArgs) -> None:
        package = BucketObjectv2(
            name,
            bucket=args.bucket,
            key=f"{names.PACKAGES}{args.package.name}",
            source=pulumi.FileAsset(str(args.package)),
            opts=self.child("package"),
        )
        served = list(dict.fromkeys((args.model, *args.additional_models)))
        self.models = pulumi.Output.from_input(args.versions).apply(
            lambda versions: {model: versions.get(model, champions.NONE) for model in served}
        )
        server, logs = function.create(
            self,
            name,
            args,
            description=f"Inference with {', '.join(served)}"[:DESCRIPTION],
            handler=HANDLER,
            variables={"MODEL_BUCKET": args.bucket, "MODELS": self.models.apply(json.dumps)},
            rights_name="inference",
            rights=pulumi.Output.from_input(args.bucket).apply(lambda bucket: iam.inference(bucket, served)),
            s3_bucket=package.bucket,
            s3_key=package.key,
            reserved_concurrent_executions=args.reserved_concurrency,
            publish=True,
        )
        alias = Alias(
            name,
            name="live",
            function_name=server.name,
            function_version=server.version,
            opts=self.child("alias"),
        )
        url = FunctionUrl(
            name,
            function_name=server.name,
            qualifier=alias.name,
            authorization_type="AWS_IAM",
            opts=self.child("url"),
        )
        self.url = url.function_url
        self.function = server.name
        self.alias = alias.name
        self.log_group = logs.name
