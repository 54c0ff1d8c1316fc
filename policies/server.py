"""The pack as the engine talks to it: the analyzer protocol, each resource unpacked once for all rules.

`pulumi_policy` unpacks every resource anew for every policy, which with some thirty of them costs more than the rest of
a preview. This pack answers the same calls by the SDK's own stubs.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from policies.rule import Context, Level, Resource, Rule, Stack, Violation
from policies.state import State
from policies.values import plain, plain_mapping

OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]  # a stack is one message
PAUSE = 5  # seconds between two looks whether the engine is still there
NAME, VERSION = "shoestring", "0.1.0"
LEVELS: dict[Level, int] = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "remediate": analyzer_pb2.REMEDIATE,
    "disabled": analyzer_pb2.DISABLED,
}
NAMES = {value: level for level, value in LEVELS.items()}
NO_VIOLATIONS, NO_REMEDIATIONS = analyzer_pb2.AnalyzeResponse(), analyzer_pb2.RemediateResponse()


class Pack(analyzer_pb2_grpc.AnalyzerServicer):
    """The rules, configured for one stack; the engine starts one for each preview and each update."""

    def __init__(self, rules: Sequence[Rule], state: State | None = None) -> None:
        self.rules = rules
        self.levels: dict[str, Level] = {rule.name: rule.level for rule in rules}
        self.config: dict[str, Mapping[str, Any]] = {rule.name: rule.defaults for rule in rules}
        self.context = Context(region=_region_of_environment())
        self.state = state or State()
        self.update = False
        self._contexts: dict[str, Context] = {}
        self._by_type: dict[str, list[Rule]] = {}
        self._seen: dict[str, Resource] = {}

    def GetPluginInfo(self, request: Any, context: Any = None) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def Handshake(self, request: Any, context: Any = None) -> Any:
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def GetAnalyzerInfo(self, request: Any, context: Any = None) -> Any:
        info = analyzer_pb2.AnalyzerInfo(name=NAME, version=VERSION, supportsConfig=True)
        for rule in self.rules:
            policy = info.policies.add(
                name=rule.name,
                description=rule.description,
                enforcementLevel=LEVELS[rule.level],
                policy_type=analyzer_pb2.POLICY_TYPE_RESOURCE if rule.check else analyzer_pb2.POLICY_TYPE_STACK,
                tags=[rule.group],
                remediation_steps=rule.change,
            )
            for key, schema in rule.config.items():
                policy.configSchema.properties[key] = dict(schema)
        return info

    def ConfigureStack(self, request: Any, context: Any = None) -> Any:
        settings = dict(request.config)
        self.context = replace(
            self.context,
            stack=request.stack,
            project=request.project,
            settings=settings,
            region=settings.get("aws:region") or self.context.region,
            earlier=self.state.earlier,
            came_up=self.state.came_up,
        )
        self._contexts.clear()
        self.state.of(request.organization, request.project, request.stack)
        self.update = not request.dry_run
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def Configure(self, request: Any, context: Any = None) -> Any:
        for name, config in request.policyConfig.items():
            if name in self.levels:
                self.levels[name] = NAMES[config.enforcementLevel]
                self.config[name] = {**self.config[name], **json_format.MessageToDict(config.properties)}
        self._contexts.clear()
        if any(rule.compares and self.levels[rule.name] != "disabled" for rule in self.rules):
            self.state.start(wait=self.update)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any = None) -> Any:
        return empty_pb2.Empty()

    def Remediate(self, request: Any, context: Any = None) -> Any:
        if not request.type.startswith("aws:"):
            return NO_REMEDIATIONS
        response = None
        for rule in self._of(request.type):
            if rule.remediate is None or self.levels[rule.name] != "remediate":
                continue
            added = rule.remediate(_tags_alone(request), self._context(rule))
            if added:
                response = response or analyzer_pb2.RemediateResponse()
                properties = struct_pb2.Struct()
                properties.CopyFrom(request.properties)  # secrets, assets and what is unknown stay as they are
                properties.get_or_create_struct("tags").update(added)
                response.remediations.add(
                    policyName=rule.name,
                    policyPackName=NAME,
                    policyPackVersion=VERSION,
                    description=f"adds {', '.join(added)}",
                    properties=properties,
                )
        return response or NO_REMEDIATIONS

    def Analyze(self, request: Any, context: Any = None) -> Any:
        if not request.type.startswith("aws:"):
            return NO_VIOLATIONS
        resource = self._seen[request.urn] = self._resource(request)
        judged = []
        for rule in self._of(request.type):
            if self.levels[rule.name] == "disabled":
                continue
            assert rule.check
            try:
                violations = list(rule.check(resource, self._context(rule)))
            except Exception as error:
                violations = [_unchecked(resource, error)]
            judged += [(rule, violation, resource) for violation in violations]
        return self._response(judged) if judged else NO_VIOLATIONS

    def AnalyzeStack(self, request: Any, context: Any = None) -> Any:
        stack = Stack([self._whole(part) for part in request.resources if part.type.startswith("aws:")])
        judged = []
        for rule in self.rules:
            if rule.check_stack is None or self.levels[rule.name] == "disabled":
                continue
            try:
                violations = list(rule.check_stack(stack, self._context(rule)))
            except Exception as error:
                violations = [_unchecked(None, error)]
            judged += [(rule, violation, violation.resource) for violation in violations]
        return self._response(judged)

    def _of(self, kind: str) -> list[Rule]:
        """The rules that look at single resources of a type."""
        if kind not in self._by_type:
            self._by_type[kind] = [rule for rule in self.rules if rule.applies(kind)]
        return self._by_type[kind]

    def _resource(self, request: Any) -> Resource:
        return Resource(
            type=request.type,
            name=request.name,
            props=plain_mapping(request.properties.fields),
            urn=request.urn,
            protect=request.options.protect,
            region=_region(request),
        )

    def _whole(self, request: Any) -> Resource:
        """A resource with its data flow; its inputs as Analyze had them, as those here are outputs."""
        seen = self._seen.get(request.urn) or self._resource(request)
        needs = {prop: tuple(sources.urns) for prop, sources in request.propertyDependencies.items() if sources.urns}
        return replace(seen, dependencies=needs)

    def _context(self, rule: Rule) -> Context:
        if rule.name not in self._contexts:
            self._contexts[rule.name] = replace(self.context, config=self.config[rule.name])
        return self._contexts[rule.name]

    def _response(self, judged: Iterable[tuple[Rule, Violation, Resource | None]]) -> Any:
        response = analyzer_pb2.AnalyzeResponse()
        for rule, violation, resource in judged:
            level = self.levels[rule.name]
            if level == "remediate":
                level = "mandatory"  # the remediation was not enough
            response.diagnostics.add(
                policyName=rule.name,
                policyPackName=NAME,
                policyPackVersion=VERSION,
                description=rule.description,
                message=f"{rule.description}\n{rule.message(violation, resource)}",
                urn=resource.urn if resource else "",
                enforcementLevel=LEVELS[violation.level or level],
            )
        return response


def _tags_alone(request: Any) -> Resource:
    """A resource with nothing but its tags, which is all that a remediation looks at: most need none."""
    fields = request.properties.fields
    props = {"tags": plain(fields["tags"])} if "tags" in fields else {}
    return Resource(type=request.type, name=request.name, props=props, urn=request.urn)


def _region(request: Any) -> str | None:
    """The region that a resource's provider, or the resource itself, names."""
    for fields in (request.properties.fields, request.provider.properties.fields):
        if "region" in fields and fields["region"].string_value:
            return str(fields["region"].string_value)
    return None


def _region_of_environment() -> str:
    """The region that a program without configuration works in."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or Context.region


def _unchecked(resource: Resource | None, error: Exception) -> Violation:
    """What is said where a rule has a fault of its own: nothing may pass in silence."""
    what = f"{resource.name} ({resource.type})" if resource else "the stack"
    message = f"{what} was not checked: {type(error).__name__}: {error}"
    return Violation("", None, "", message=message, resource=resource)


def server_of(pack: Pack) -> tuple[grpc.Server, int]:
    """A server of the pack, and its port on the loopback interface. One thread: the engine waits for each answer."""
    server = grpc.server(ThreadPoolExecutor(max_workers=1), options=OPTIONS)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(pack, server)
    return server, server.add_insecure_port("127.0.0.1:0")


def serve(rules: Sequence[Rule]) -> None:
    """Serves until the engine ends this process, or is gone; the port is the first line of standard output."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # how the engine ends a pack: at once, and without a traceback
    engine = os.getppid()
    server, port = server_of(Pack(rules))
    server.start()
    print(port, flush=True)
    while os.getppid() == engine:
        server.wait_for_termination(PAUSE)
