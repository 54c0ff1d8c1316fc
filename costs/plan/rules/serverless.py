"""What is billed by its calls: functions, queues, topics, schedules, interfaces, workflows."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from costs.amounts import ONE, Range
from costs.book.price import LAMBDA_COMPUTE
from costs.plan.charges import Basis
from costs.plan.rules.base import HOURS, MILLION, SECONDS_AN_HOUR, UNKNOWN, Pricing, by_traffic

MEMORY = 128, 10240  # MB, as Lambda allows
FUNCTION = "aws:lambda/function:Function"
PROVISIONED = {"arm64": "provisioned-concurrency-arm64", "x86_64": "provisioned-concurrency-x86"}


def _architectures(p: Pricing, of: object = None) -> list[str]:
    found = p.get("architectures", ["x86_64"], of)
    if found is UNKNOWN or (isinstance(found, list) and UNKNOWN in found):
        p.note("its architecture is unknown")
        return list(LAMBDA_COMPUTE)
    return [str(found[0]) if isinstance(found, list) and found else "x86_64"]


def function(p: Pricing) -> None:
    """A Lambda function: nothing while nobody calls it."""
    memory = p.amount("memorySize", 128, MEMORY)
    requests, mean = p.use("lambda", "requests"), p.use("lambda", "mean_ms")
    architectures, billed = _architectures(p), mean.to_integral_value(ROUND_CEILING)  # by whole milliseconds
    name = f"{memory.high} MB for {billed} ms, {' or '.join(architectures)}"
    items = [LAMBDA_COMPUTE.get(each, f"compute-{each}") for each in architectures]
    p.any_of(name, memory / Decimal(1024) * (requests * billed / 1000), "lambda", items, Basis.USAGE)
    p.add("requests", requests / MILLION, "lambda", "requests", Basis.USAGE)
    storage = p.amount("ephemeralStorage.size", 512, (512, 10240))
    if storage.high > 512:
        seconds = requests * mean / 1000
        more = Range((storage.low - 512) / 1024, (storage.high - 512) / 1024)
        p.add("storage above 512 MB", more * seconds, "lambda", "ephemeral-storage", Basis.USAGE)


def provisioned(p: Pricing) -> None:
    """Functions that are kept warm are billed for each second of it."""
    of = p.referred("functionName", FUNCTION)
    count = p.amount("provisionedConcurrentExecutions", 1, (1, 1000))
    memory, architecture = Range.of(*MEMORY), "x86_64"
    if len(of) == 1:
        memory = p.amount("memorySize", 128, MEMORY, of[0].inputs)
        architecture = _architectures(p, of[0].inputs)[0]
    else:
        p.note(f"its function is not known: {MEMORY[0]} to {MEMORY[1]} MB")
    seconds = HOURS * SECONDS_AN_HOUR
    item = PROVISIONED.get(architecture, architecture)
    p.add("provisioned concurrency", count * memory / Decimal(1024) * seconds, "lambda", item)


def queue(p: Pricing) -> None:
    """A queue: by requests."""
    fifo = p.flag("fifoQueue")
    kinds = (
        ["standard-requests", "fifo-requests"] if fifo is None else ["fifo-requests" if fifo else "standard-requests"]
    )
    p.any_of("requests", Range.of(p.use("sqs", "requests") / MILLION), "sqs", kinds, Basis.USAGE)


def workflow(p: Pricing) -> None:
    """A state machine: by transitions, or by requests where it is express."""
    kind = p.get("type", "STANDARD")
    items = ["express-requests" if kind == "EXPRESS" else "transitions"]
    if kind is UNKNOWN:
        items = ["express-requests", "transitions"]
    quantity = Range.of(p.use("statemachine", "transitions") / MILLION)
    p.any_of("transitions", quantity, "stepfunctions", items, Basis.USAGE)


def stage(p: Pricing) -> None:
    """A stage of a REST API: its cache, if any."""
    if p.flag("cacheClusterEnabled") is False:
        p.free("its requests are billed at its API")
    else:
        p.add("cache", HOURS, "apigateway", f"cache-{p.get('cacheClusterSize', '0.5')}")


def parameter(p: Pricing) -> None:
    """A parameter: standard ones are free."""
    tier = p.get("tier", "Standard")
    if tier == "Standard":
        p.free("standard parameters are free")
        return
    low = 1 if tier == "Advanced" else 0
    p.add("advanced parameter", Range.of(low, 1), "ssm", "advanced-parameter")
    if not low:
        p.note(f"tier {tier}: advanced where its value needs it")


def secret(p: Pricing) -> None:
    """A secret, and a copy for each region."""
    p.add("secret", ONE + p.count("replicas", (0, 5)), "secretsmanager", "secret")
    p.traffic("reads", "secrets", "requests", "secretsmanager", "requests", 1000)


def key(p: Pricing) -> None:
    """A key of one's own; each year's rotation adds its price, for the first two."""
    p.add("key", 1, "kms", "key")
    p.traffic("uses", "kms", "requests", "kms", "requests", 1000)
    if p.flag("enableKeyRotation"):
        p.note("key; each of the first two yearly rotations adds as much")


def stream(p: Pricing) -> None:
    """A stream of Kinesis."""
    if p.get("streamModeDetails.streamMode") == "ON_DEMAND":
        p.unpriced("streams on demand are billed by GB, which the price book does not have")
        return
    p.add("shards", HOURS * p.amount("shardCount", 1, (1, 500)), "kinesis", "shard")


def build_project(p: Pricing) -> None:
    """A project of CodeBuild: by minutes."""
    size = p.get("environment.computeType", "BUILD_GENERAL1_SMALL")
    item = str(size).removeprefix("BUILD_").lower().replace("_", ".") if isinstance(size, str) else "general1.small"
    p.traffic("build minutes", "codebuild", "minutes", "codebuild", item)


TABLE = {
    "aws:apigateway/restApi:RestApi": by_traffic(
        ("requests", "apigateway", "requests", "apigateway", "rest-requests", MILLION)
    ),
    "aws:apigateway/stage:Stage": stage,
    "aws:apigatewayv2/api:Api": by_traffic(
        ("requests", "apigateway", "requests", "apigateway", "http-requests", MILLION)
    ),
    "aws:cloudwatch/eventBus:EventBus": by_traffic(
        ("custom events", "events", "events", "events", "custom-events", MILLION)
    ),
    "aws:codebuild/project:Project": build_project,
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": by_traffic(
        ("ingested data", "firehose", "ingested_gb", "firehose", "ingested", 1)
    ),
    "aws:kinesis/stream:Stream": stream,
    "aws:kms/externalKey:ExternalKey": key,
    "aws:kms/key:Key": key,
    "aws:kms/replicaExternalKey:ReplicaExternalKey": key,
    "aws:kms/replicaKey:ReplicaKey": key,
    "aws:lambda/callbackFunction:CallbackFunction": function,
    FUNCTION: function,
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": provisioned,
    "aws:scheduler/schedule:Schedule": by_traffic(
        ("invocations", "scheduler", "invocations", "scheduler", "invocations", MILLION)
    ),
    "aws:secretsmanager/secret:Secret": secret,
    "aws:sfn/stateMachine:StateMachine": workflow,
    "aws:sns/topic:Topic": by_traffic(("messages", "sns", "publishes", "sns", "requests", MILLION)),
    "aws:sqs/queue:Queue": queue,
    "aws:ssm/parameter:Parameter": parameter,
}
