"""The provider's protocol: Pulumi's gRPC calls, carried to the rows."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from concurrent import futures
from typing import Any
from urllib.error import URLError
from urllib.parse import urlparse

import botocore.exceptions
import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from localcloud import REGION
from localcloud.aws.row import Calls, Json, plain
from localcloud.aws.types import CALLS
from localcloud.provider import schema
from localcloud.provider.check import check_object
from localcloud.provider.convert import UNKNOWN, ProviderError
from localcloud.provider.resources import DEPENDENCY_SECONDS, Emulator, Resource, carried, changeable, differing

VERSION = "7.51.1"
MEND = f"pulumi plugin install resource aws {VERSION}"


def _values(struct: Any) -> Json:
    """A message's values; it has one kind of number, so that 3 comes as 3.0."""
    return dict(json.loads(json_format.MessageToJson(struct), parse_float=_number))


def _number(text: str) -> int | float:
    return int(float(text)) if float(text).is_integer() else float(text)


def _struct(values: Json) -> Any:
    return json_format.ParseDict(values, struct_pb2.Struct())


def reported(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turns what went wrong into one message for the user."""

    def call(self: Any, request: Any, context: Any) -> Any:
        try:
            return method(self, request, context)
        except (botocore.exceptions.EndpointConnectionError, URLError) as error:
            message = f"the local cloud does not answer ({error}); start it: shoestring cloud up"
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError, ProviderError) as error:
            message = str(error)
        context.abort(grpc.StatusCode.UNKNOWN, message)

    return call


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The stand-in `aws` provider. It speaks to loopback only: it must never be mistaken for the official one."""

    def __init__(self) -> None:
        self.account = Emulator(REGION)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False, accept_resources=False)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "aws", "version": VERSION}))

    @reported
    def Configure(self, request: Any, context: Any) -> Any:
        own = {name for name in os.environ if name.startswith("AWS_ENDPOINT_URL_")}
        for name in sorted({"AWS_ENDPOINT_URL"} | own):
            if urlparse(os.environ.get(name, "")).hostname != "127.0.0.1":
                raise ProviderError(
                    f"this aws provider stands in for the official one, and speaks to the local cloud only; {name} is "
                    f'{os.environ.get(name)!r}. For the local cloud: eval "$(shoestring env local)". For AWS: {MEND}'
                )
        region = request.variables.get("aws:config:region") or os.environ.get("AWS_REGION", REGION)
        self.account = Emulator(region)
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def _calls(self, request: Any) -> tuple[str, Calls]:
        """The type that a request is about, and its calls."""
        token = str(request.type or request.urn.split("::")[-2].rpartition("$")[2])
        if token not in CALLS:
            raise ProviderError(
                f"the local cloud's aws provider does not know the type {token}; it knows {', '.join(sorted(CALLS))}"
            )
        return token, CALLS[token]

    @reported
    def Check(self, request: Any, context: Any) -> Any:
        token, calls = self._calls(request)
        known = schema.load()[token]
        news, olds = _values(request.news), _values(request.olds)
        for name, value in calls.defaults.items():
            news.setdefault(name, value)
        if calls.named in known["inputs"].keys() - known["required"] and news.get(calls.named) is None:
            stem = request.urn.rpartition("::")[2]
            news[calls.named] = olds.get(calls.named) or f"{stem}-{(request.randomSeed or os.urandom(4)).hex()[:7]}"
        problems: list[tuple[str, str]] = []
        inputs = check_object({"object": known["inputs"], "required": known["required"]}, news, "", problems)
        problems += [
            (name, "is not carried by the local cloud's aws provider")
            for name in sorted(set(inputs) & set(known["inputs"]) - carried(calls))
        ]
        failures = [provider_pb2.CheckFailure(property=path, reason=f"{path}: {why}") for path, why in problems]
        return provider_pb2.CheckResponse(inputs=_struct(inputs), failures=failures)

    @reported
    def Diff(self, request: Any, context: Any) -> Any:
        token, calls = self._calls(request)
        old, new = _values(request.old_inputs), _values(request.news)
        changed = differing(old, new) - set(request.ignoreChanges)
        replaces = changed - changeable(calls)
        same_name = calls.named in schema.load()[token]["inputs"].keys() - changed
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted(changed),
            replaces=sorted(replaces),
            deleteBeforeReplace=bool(replaces) and same_name and not calls.creates_first,
        )

    @reported
    def Create(self, request: Any, context: Any) -> Any:
        token, _ = self._calls(request)
        inputs = _values(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(id="", properties=_struct(_foreseen(token, inputs)))
        resource = Resource(self.account, token, inputs)
        resource.create()
        return provider_pb2.CreateResponse(id=resource.id, properties=_struct(resource.state))

    @reported
    def Read(self, request: Any, context: Any) -> Any:
        token, _ = self._calls(request)
        resource = Resource(self.account, token, _values(request.inputs), request.id, _values(request.properties))
        if not resource.read():
            return provider_pb2.ReadResponse(id="")
        return provider_pb2.ReadResponse(
            id=resource.id, properties=_struct(resource.state), inputs=_struct(plain(resource.inputs))
        )

    @reported
    def Update(self, request: Any, context: Any) -> Any:
        token, calls = self._calls(request)
        old, new = _values(request.old_inputs), _values(request.news)
        if request.preview:
            volatile = dict.fromkeys(calls.volatile.split(), UNKNOWN) if differing(old, new) - {"tags"} else {}
            olds = {name: value for name, value in _values(request.olds).items() if name not in old}
            return provider_pb2.UpdateResponse(properties=_struct({**olds, **_foreseen(token, new), **volatile}))
        resource = Resource(self.account, token, old, request.id, _values(request.olds))
        resource.update(new)
        return provider_pb2.UpdateResponse(properties=_struct(resource.state))

    @reported
    def Delete(self, request: Any, context: Any) -> Any:
        token, _ = self._calls(request)
        inputs = _values(request.old_inputs)
        Resource(self.account, token, inputs, request.id, _values(request.properties)).delete(
            request.timeout or DEPENDENCY_SECONDS
        )
        return empty_pb2.Empty()

    @reported
    def Invoke(self, request: Any, context: Any) -> Any:
        arguments = _values(request.args)
        if request.tok == "aws:index/getCallerIdentity:getCallerIdentity":
            number = self.account.number
            result: Json = {"id": number, "accountId": number, "arn": f"arn:aws:iam::{number}:root", "userId": number}
        elif request.tok == "aws:index/getRegion:getRegion":
            region = self.account.region
            result = {"id": region, "name": region, "region": region, "endpoint": f"ec2.{region}.amazonaws.com",
                     "description": region}  # fmt: skip
        elif request.tok == "aws:ssm/getParameter:getParameter":
            name = arguments["name"]
            answer = self.account.systems_manager("GetParameter", Name=name, WithDecryption=True)["Parameter"]
            value = answer["Value"]
            result = {"id": answer["Name"], "name": answer["Name"], "value": value, "insecureValue": value,
                     "type": answer["Type"], "version": answer["Version"], "arn": answer["ARN"]}  # fmt: skip
        elif request.tok == "aws:servicequotas/getServiceQuota:getServiceQuota":
            quota = self.account.quota(arguments["serviceCode"], arguments["quotaCode"])
            result = {"id": quota["QuotaArn"], "arn": quota["QuotaArn"], "quotaName": quota["QuotaName"],
                      "value": quota["Value"], **arguments}  # fmt: skip
        elif request.tok == "aws:organizations/getOrganization:getOrganization":
            organization = self.account.organization()
            result = {"id": organization["Id"], "arn": organization["Arn"],
                      "masterAccountId": organization["MasterAccountId"]}  # fmt: skip
        elif request.tok == "aws:ssm/getParametersByPath:getParametersByPath":
            path, recursive = arguments["path"], arguments.get("recursive", False)
            answer = self.account.systems_manager("GetParametersByPath", Path=path, Recursive=recursive)["Parameters"]
            parts = {"names": "Name", "values": "Value", "types": "Type", "arns": "ARN"}
            lists = {key: [parameter[part] for parameter in answer] for key, part in parts.items()}
            result = {"id": path, "path": path} | lists
        elif request.tok == "aws:index/getAvailabilityZones:getAvailabilityZones":
            result = {"id": self.account.region, "names": self.account.zones()}
        elif request.tok == "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings":
            kinds = [
                kind for part in arguments["filters"] if part["name"] == "instance-type" for kind in part["values"]
            ]
            offers = self.account.offerings(kinds)
            result = {"id": self.account.region, "locations": [zone for zone, _ in offers],
                      "instanceTypes": [kind for _, kind in offers],
                      "locationTypes": [arguments["locationType"]] * len(offers)}  # fmt: skip
        else:
            raise ProviderError(f"the local cloud's aws provider does not know the function {request.tok}")
        return provider_pb2.InvokeResponse(**{"return": _struct(result)})


def _foreseen(token: str, inputs: Json) -> Json:
    """What a preview can know of the state: the inputs, and the tags."""
    return {**inputs, "tagsAll": inputs.get("tags") or {}} if CALLS[token].tags else inputs


def serve() -> None:
    """Serves until the engine ends this process; the port is the first line of standard output."""
    size = 400 * 1024 * 1024
    options = [("grpc.max_receive_message_length", size), ("grpc.max_send_message_length", size)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: server.stop(0))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()
