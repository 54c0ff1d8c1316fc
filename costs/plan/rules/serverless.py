"""What is billed by its calls: functions, queues, topics, interfaces, workflows."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

from costs.amounts import MILLION, NOTHING, ONE, Range
from costs.book.price import LAMBDA_COMPUTE, SECONDS_AN_HOUR
from costs.plan.charges import Basis
from costs.plan.rules.base import HOURS, UNKNOWN, Pricing

MEMORY = 128, 10240  # MB, as Lambda allows
FUNCTION = "aws:lambda/function:Function"
PROVISIONED = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
CONCURRENCY = "lambda:function:ProvisionedConcurrency"  # what a target scales
TOPIC = "aws:sns/topic:Topic"
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
MACHINES = {  # type of a CodeBuild environment → as the price book calls it
    "LINUX_CONTAINER": "", "LINUX_EC2": "", "ARM_CONTAINER": "arm-", "ARM_EC2": "arm-", "LINUX_GPU_CONTAINER": "gpu-",
    "WINDOWS_CONTAINER": "windows-", "WINDOWS_SERVER_2019_CONTAINER": "windows-",
    "WINDOWS_SERVER_2022_CONTAINER": "windows-",
}  # fmt: skip
DEAR = ("RSA_3072", "RSA_4096", "ECC_", "SM2", "ML_DSA")  # keys whose uses cost five times as much


def _architectures(p: Pricing, of: object = None) -> list[str]:
    architectures = p.get("architectures", ["x86_64"], of)
    if architectures is UNKNOWN or (isinstance(architectures, list) and UNKNOWN in architectures):
        p.note("its architecture is unknown")
        return list(LAMBDA_COMPUTE)
    return [str(architectures[0]) if isinstance(architectures, list) and architectures else "x86_64"]


def _compute(p: Pricing, of: object = None) -> list[str]:
    """The items of the price book for the GB seconds of a function."""
    return [LAMBDA_COMPUTE.get(name, f"compute-{name}") for name in _architectures(p, of)]


def _steps(amount: Decimal, step: int = 1) -> Decimal:
    """An amount as AWS bills it: in whole steps."""
    return (amount / step).to_integral_value(ROUND_CEILING) * step


def function(p: Pricing) -> None:
    """A Lambda function: nothing while nobody calls it."""
    memory = p.amount("memorySize", 128, MEMORY)
    requests, billed = p.use("lambda", "requests"), _steps(p.use("lambda", "mean_ms"))
    seconds, items = requests * billed / 1000, _compute(p)
    name = f"{memory.high} MB for {billed} ms, {' or '.join(_architectures(p))}"
    configured, warm = p.world.users(p.resource, PROVISIONED, "functionName"), p.scaled(NOTHING, CONCURRENCY)
    _kept_warm(p, NOTHING if configured else warm, memory, items)
    if configured or warm.high:
        items += [f"provisioned-{item}" for item in items]  # cheaper, while calls find one that is kept warm
    p.any_of(name, memory / 1024 * seconds, "lambda", items, Basis.USAGE)
    p.add("requests", requests / MILLION, "lambda", "requests", Basis.USAGE)
    storage = p.amount("ephemeralStorage.size", 512, (512, 10240))
    more = Range((storage.low - 512) / 1024, (storage.high - 512) / 1024)
    p.add("storage above 512 MB", more * seconds, "lambda", "ephemeral-storage", Basis.USAGE)
    if str(p.get("runtime", "")).startswith("java"):
        p.get("snapStart.applyOn")  # costs nothing there
    if any(p.world.users(p.resource, DISTRIBUTION, path) for path in ("defaultCacheBehavior", "orderedCacheBehaviors")):
        p.at_least("it runs at the edge, where Lambda costs three times as much")


def _kept_warm(p: Pricing, count: Range, megabytes: Range, compute: Sequence[str]) -> None:
    items = [item.replace("compute", "provisioned-concurrency") for item in compute]
    seconds = HOURS * SECONDS_AN_HOUR
    p.any_of("provisioned concurrency", count * megabytes / 1024 * seconds, "lambda", items)


def provisioned(p: Pricing) -> None:
    """Functions that are kept warm are billed for each second of it."""
    functions = p.referred("functionName", FUNCTION)
    count = p.amount("provisionedConcurrentExecutions", 1, (1, 1000))
    if len(functions) == 1:
        function = functions[0]
        count = p.scaled(count, CONCURRENCY, of=function)
        _kept_warm(p, count, p.amount("memorySize", 128, MEMORY, function.inputs), _compute(p, function.inputs))
    else:
        p.note(f"its function is not known: {MEMORY[0]} to {MEMORY[1]} MB")
        _kept_warm(p, count, Range.of(*MEMORY), list(LAMBDA_COMPUTE.values()))


def _fifo(p: Pricing, path: str, standard: str) -> list[str]:
    """The item of requests to what is first in, first out, or not; both where that is unknown."""
    fifo = p.flag(path)
    return [standard, "fifo-requests"] if fifo is None else ["fifo-requests" if fifo else standard]


def queue(p: Pricing) -> None:
    """A queue: by requests."""
    p.traffic("requests", "sqs", "requests", "sqs", *_fifo(p, "fifoQueue", "standard-requests"))


def topic(p: Pricing) -> None:
    """A topic: by messages; a FIFO one by their size too."""
    items = _fifo(p, "fifoTopic", "requests")
    p.traffic("messages", "sns", "publishes", "sns", *items)
    if "fifo-requests" in items:
        p.traffic("data", "sns", "data_gb", "sns", "fifo-data", certain=len(items) == 1)


def subscription(p: Pricing) -> None:
    """What a topic delivers: to functions and queues it costs nothing, unless it is a FIFO one."""
    protocol = p.get("protocol", UNKNOWN)
    if any(p.flag("fifoTopic", of=topic.inputs) for topic in p.referred("topic", TOPIC)):
        p.traffic("deliveries", "sns", "publishes", "sns", "fifo-deliveries")
        p.traffic("delivered data", "sns", "data_gb", "sns", "fifo-delivered-data")
    elif protocol in ("lambda", "sqs"):
        p.free("deliveries to functions and queues are free")
    elif protocol in ("email", "email-json", "http", "https"):
        p.traffic("deliveries", "sns", "publishes", "sns", "email" if protocol.startswith("email") else "http")
    else:
        p.unpriced(f"deliveries by {protocol} are not in the price book")


def workflow(p: Pricing) -> None:
    """A state machine: by transitions; an express one by requests, and by the GB seconds that they take."""
    kind = p.get("type", "STANDARD")
    items = ["transitions"] if kind == "STANDARD" else ["express-requests"]
    if kind is UNKNOWN:
        items.append("transitions")
    p.traffic("transitions", "statemachine", "transitions", "stepfunctions", *items)
    if kind != "STANDARD" and (count := p.use("statemachine", "transitions")):
        seconds = count * _steps(p.use("statemachine", "mean_ms"), 100) / 1000
        gigabytes = _steps(p.use("statemachine", "memory_mb"), 64) / 1024
        duration = Range.of(gigabytes * seconds / SECONDS_AN_HOUR)
        duration = duration if kind == "EXPRESS" else duration.maybe
        p.add("duration", duration, "stepfunctions", "express-duration", Basis.USAGE)


def api(p: Pricing) -> None:
    """An HTTP API: by requests; a WebSocket API: by messages, and by the minutes that connections stand."""
    protocol = p.get("protocolType", UNKNOWN)
    items = [name for name in ("http", "websocket") if protocol in (UNKNOWN, name.upper())]
    p.traffic("requests", "apigateway", "requests", "apigateway", *(f"{name}-requests" for name in items))
    if "websocket" in items:
        p.traffic("connections", "apigateway", "connection_minutes", "apigateway", "websocket-minutes")


def parameter(p: Pricing) -> None:
    """A parameter: standard ones are free."""
    tier = p.get("tier", "Standard")
    if tier == "Standard":
        p.free("standard parameters are free")
        return
    advanced = tier == "Advanced"
    p.add("advanced parameter", ONE if advanced else ONE.maybe, "ssm", "advanced-parameter")
    p.traffic("requests for it", "ssm", "requests", "ssm", "advanced-parameter-requests")
    if not advanced:
        p.note(f"tier {tier}: advanced where its value needs it")


def secret(p: Pricing) -> None:
    """A secret, and a copy for each region."""
    p.add("secret", 1, "secretsmanager", "secret")
    for _ in p.replicas("replicas", "region"):
        p.add("copy", 1, "secretsmanager", "secret")
    p.traffic("reads", "secrets", "requests", "secretsmanager", "requests")


def key(p: Pricing) -> None:
    """A key of one's own; each year's rotation adds its price, for the first two."""
    p.add("key", 1, "kms", "key")
    spec = p.get("customerMasterKeySpec", p.get("keySpec", "SYMMETRIC_DEFAULT"))
    dear = isinstance(spec, str) and spec.startswith(DEAR)
    items = ["requests", "requests-asymmetric"] if spec is UNKNOWN else ["requests-asymmetric" if dear else "requests"]
    p.traffic("uses", "kms", "requests", "kms", *items)
    if p.flag("enableKeyRotation"):
        p.note("key; each of the first two yearly rotations adds as much")


def build_project(p: Pricing) -> None:
    """A project of CodeBuild: by the minutes of its kind of machine."""
    kind = p.get("environment.type", "LINUX_CONTAINER")
    size = p.get("environment.computeType", "BUILD_GENERAL1_SMALL")
    known = p.world.items("codebuild", p.region)
    if isinstance(kind, str) and isinstance(size, str):
        prefix = MACHINES.get(kind, f"{kind.lower()}-")
        known = [prefix + size.removeprefix("BUILD_").lower().replace("_", ".")]
    p.traffic("build minutes", "codebuild", "minutes", "codebuild", *known)


TABLE = {
    "aws:apigatewayv2/api:Api": api,
    "aws:codebuild/project:Project": build_project,
    "aws:kms/externalKey:ExternalKey": key,
    "aws:kms/key:Key": key,
    "aws:kms/replicaExternalKey:ReplicaExternalKey": key,
    "aws:kms/replicaKey:ReplicaKey": key,
    "aws:lambda/callbackFunction:CallbackFunction": function,
    FUNCTION: function,
    PROVISIONED: provisioned,
    "aws:secretsmanager/secret:Secret": secret,
    "aws:sfn/stateMachine:StateMachine": workflow,
    TOPIC: topic,
    "aws:sns/topicSubscription:TopicSubscription": subscription,
    "aws:sqs/queue:Queue": queue,
    "aws:ssm/parameter:Parameter": parameter,
}
