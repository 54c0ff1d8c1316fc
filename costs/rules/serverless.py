"""What is billed by its calls: functions, queues, topics, schedules, interfaces, workflows."""

from __future__ import annotations

from decimal import Decimal

from costs.charges import Basis, Charge, Range
from costs.estimates import COMPUTE, inference_cost
from costs.prices import UnknownPrice
from costs.rules.base import HOURS, MILLION, SECONDS_AN_HOUR, UNKNOWN, Pricing, by_traffic, free, unpriced

MEMORY = 128, 10240  # MB, as Lambda allows
FUNCTION = "aws:lambda/function:Function"
PROVISIONED = {"arm64": "provisioned-concurrency-arm64", "x86_64": "provisioned-concurrency-x86"}


def _architectures(p: Pricing, of: object = None) -> list[str]:
    found = p.get("architectures", ["x86_64"], of)
    if found is UNKNOWN or (isinstance(found, list) and UNKNOWN in found):
        p.note("its architecture is unknown")
        return list(COMPUTE)
    return [str(found[0]) if found else "x86_64"]


def function(p: Pricing) -> None:
    """A Lambda function: nothing while nobody calls it."""
    memory = p.amount("memorySize", 128, MEMORY)
    requests, mean = p.use("lambda", "requests"), p.use("lambda", "mean_ms")
    try:
        found = [
            inference_cost(int(requests), int(size), mean, architecture, p.region, p.world.book)
            for size in dict.fromkeys((memory.low, memory.high))
            for architecture in _architectures(p)
        ]
    except UnknownPrice as error:
        p.unpriced(str(error))
        return
    found.sort(key=lambda each: each.usd)
    for low, high in zip(found[0].lines, found[-1].lines, strict=True):
        if high.quantity:  # the quantity that comes to the lowest sum at the price of the highest
            quantity = Range(min(low.usd / high.price.usd, high.quantity), high.quantity)
            p.charges.append(Charge(high.name, quantity, high.price, Basis.USAGE, note=high.price.note))
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


def _million(name: str, kind: str, key: str, service: str, item: str) -> tuple[str, str, str, str, str, Decimal]:
    return name, kind, key, service, item, MILLION


def queue(p: Pricing) -> None:
    """A queue: by requests."""
    item = "fifo-requests" if p.flag("fifoQueue") else "standard-requests"
    p.traffic("requests", "sqs", "requests", "sqs", item, MILLION)


def workflow(p: Pricing) -> None:
    """A state machine: by transitions, or by requests where it is express."""
    item = "express-requests" if p.get("type") == "EXPRESS" else "transitions"
    p.traffic(item.replace("-", " "), "statemachine", "transitions", "stepfunctions", item, MILLION)


def http_api(p: Pricing) -> None:
    """An HTTP or WebSocket API: by requests."""
    p.traffic("requests", "apigateway", "requests", "apigateway", "http-requests", MILLION)


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
    p.add("secret", 1 + len(p.items("replicas")), "secretsmanager", "secret")
    p.traffic("reads", "secrets", "requests", "secretsmanager", "requests", 1000)


def key(p: Pricing) -> None:
    """A key of one's own; each year's rotation adds its price, for the first two."""
    p.add("key", 1, "kms", "key")
    p.traffic("uses", "kms", "requests", "kms", "requests", 1000)
    if p.flag("enableKeyRotation"):
        p.note("key; each of the first two yearly rotations adds as much")


def event_bus(p: Pricing) -> None:
    """A bus: its custom events."""
    p.traffic("custom events", "events", "events", "events", "custom-events", MILLION)


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


OF_FUNCTION, OF_API, SETTING = "its function is billed", "its API is billed by requests", "a setting"
LAMBDA = (
    "alias:Alias permission:Permission functionUrl:FunctionUrl eventSourceMapping:EventSourceMapping "
    "functionEventInvokeConfig:FunctionEventInvokeConfig layerVersion:LayerVersion invocation:Invocation "
    "layerVersionPermission:LayerVersionPermission codeSigningConfig:CodeSigningConfig "
    "functionRecursionConfig:FunctionRecursionConfig runtimeManagementConfig:RuntimeManagementConfig "
    "functionScalingConfig:FunctionScalingConfig"
).split()
REST = (
    "account:Account authorizer:Authorizer basePathMapping:BasePathMapping apiKey:ApiKey deployment:Deployment "
    "clientCertificate:ClientCertificate documentationPart:DocumentationPart documentationVersion:DocumentationVersion "
    "domainName:DomainName integration:Integration integrationResponse:IntegrationResponse method:Method "
    "methodResponse:MethodResponse methodSettings:MethodSettings model:Model requestValidator:RequestValidator "
    "resource:Resource response:Response restApiPolicy:RestApiPolicy restApiPut:RestApiPut usagePlan:UsagePlan "
    "usagePlanKey:UsagePlanKey vpcLink:VpcLink domainNameAccessAssociation:DomainNameAccessAssociation"
).split()
HTTP = (
    "apiMapping:ApiMapping authorizer:Authorizer deployment:Deployment domainName:DomainName integration:Integration "
    "integrationResponse:IntegrationResponse model:Model route:Route routeResponse:RouteResponse stage:Stage "
    "vpcLink:VpcLink routingRule:RoutingRule"
).split()
SCHEDULE = by_traffic(_million("invocations", "scheduler", "invocations", "scheduler", "invocations"))
TABLE = {
    FUNCTION: function,
    "aws:lambda/callbackFunction:CallbackFunction": function,
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": provisioned,
    **{f"aws:lambda/{name}": free(OF_FUNCTION) for name in LAMBDA},
    "aws:sns/topic:Topic": by_traffic(_million("messages", "sns", "publishes", "sns", "requests")),
    "aws:sns/topicSubscription:TopicSubscription": free("its deliveries are billed with the topic"),
    "aws:sns/topicPolicy:TopicPolicy": free(SETTING),
    "aws:sns/topicDataProtectionPolicy:TopicDataProtectionPolicy": free(SETTING),
    "aws:sqs/queue:Queue": queue,
    "aws:sqs/queuePolicy:QueuePolicy": free(SETTING),
    "aws:sqs/redrivePolicy:RedrivePolicy": free(SETTING),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": free(SETTING),
    "aws:scheduler/schedule:Schedule": SCHEDULE,
    "aws:scheduler/scheduleGroup:ScheduleGroup": free(SETTING),
    "aws:pipes/pipe:Pipe": unpriced("no prices of EventBridge Pipes in the price book"),
    "aws:sfn/stateMachine:StateMachine": workflow,
    "aws:sfn/activity:Activity": free("its workflow is billed"),
    "aws:sfn/alias:Alias": free("its workflow is billed"),
    "aws:apigateway/restApi:RestApi": by_traffic(
        _million("requests", "apigateway", "requests", "apigateway", "rest-requests")
    ),
    "aws:apigateway/stage:Stage": stage,
    **{f"aws:apigateway/{name}": free(OF_API) for name in REST},
    "aws:apigatewayv2/api:Api": http_api,
    **{f"aws:apigatewayv2/{name}": free(OF_API) for name in HTTP},
    "aws:ssm/parameter:Parameter": parameter,
    "aws:secretsmanager/secret:Secret": secret,
    "aws:secretsmanager/secretVersion:SecretVersion": free("its secret is billed"),
    "aws:secretsmanager/secretPolicy:SecretPolicy": free("its secret is billed"),
    "aws:secretsmanager/secretRotation:SecretRotation": free("its secret and its function are billed"),
    "aws:kms/key:Key": key,
    "aws:kms/externalKey:ExternalKey": key,
    "aws:kms/replicaKey:ReplicaKey": key,
    "aws:kms/replicaExternalKey:ReplicaExternalKey": key,
    "aws:kms/alias:Alias": free("its key is billed"),
    "aws:kms/grant:Grant": free("its key is billed"),
    "aws:kms/keyPolicy:KeyPolicy": free("its key is billed"),
    "aws:kms/ciphertext:Ciphertext": free("its key is billed"),
    "aws:cloudwatch/eventBus:EventBus": event_bus,
    "aws:kinesis/stream:Stream": stream,
    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": by_traffic(
        ("ingested data", "firehose", "ingested_gb", "firehose", "ingested", 1)
    ),
    "aws:kinesis/resourcePolicy:ResourcePolicy": free(SETTING),
    "aws:codebuild/project:Project": build_project,
    "aws:appautoscaling/policy:Policy": free("what it scales is billed"),
    "aws:appautoscaling/target:Target": free("what it scales is billed"),
    "aws:appautoscaling/scheduledAction:ScheduledAction": free("what it scales is billed"),
}
