"""Carries out the calls of a row: creates, reads, changes and removes one resource of the emulated account."""

from __future__ import annotations

import functools
import json
import os
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError

import jmespath
from botocore.exceptions import ClientError

from localcloud.aws.row import Call, Calls, Json, Read, absent, as_list, as_object, evaluate, plain, text
from localcloud.aws.types import BY_TOKEN, CALLS
from localcloud.provider import schema
from localcloud.provider.convert import SIGNATURE, UNKNOWN, ProviderError, properties, settle, to_request
from localcloud.settings import AccountSettings
from shoestring.base.paths import home

LATE_SECONDS, LATE_PAUSE = 120.0, 1.0  # for how long the official provider waits for a new role, and between two tries
FORM = "application/x-www-form-urlencoded"
DEPENDENCY_SECONDS = 900.0  # for which the official provider tries to remove what others still use
DEPENDENCY_PAUSE = 0.5


class Emulator:
    """The emulated account's clients, made when they are first used."""

    def __init__(self, region: str) -> None:
        self.region, self._clients, self._lock = region, dict[str, Any](), threading.Lock()

    def client(self, service: str) -> Any:
        """A boto3 client; making one is not thread-safe, using one is."""
        import boto3  # takes longer than all the rest of the provider, and a preview needs none

        with self._lock:
            if service not in self._clients:
                self._clients[service] = boto3.client(service, region_name=self.region)
            return self._clients[service]

    @cached_property
    def number(self) -> str:
        """The account's id."""
        answer = self._ask("sts", "Action=GetCallerIdentity&Version=2011-06-15", {"Content-Type": FORM})
        return str(re.findall("<Account>(.+)</Account>", answer)[0])

    def systems_manager(self, operation: str, **arguments: Any) -> Json:
        """Systems Manager's answer."""
        return self._json("ssm", f"AmazonSSM.{operation}", arguments)

    def quota(self, service: str, code: str) -> Json:
        """A quota of Service Quotas."""
        arguments = {"ServiceCode": service, "QuotaCode": code}
        return dict(self._json("servicequotas", "ServiceQuotasV20190624.GetServiceQuota", arguments)["Quota"])

    def organization(self) -> Json:
        """The organization that the account is in. Raises ProviderError where it is in none."""
        answer = self._json("organizations", "AWSOrganizationsV20161128.DescribeOrganization", {})
        return dict(answer["Organization"])

    def zones(self) -> list[str]:
        """The region's availability zones, by name."""
        form = "Action=DescribeAvailabilityZones&Version=2016-11-15"
        return re.findall("<zoneName>(.+?)</zoneName>", self._ask("ec2", form, {"Content-Type": FORM}))

    def offerings(self, kinds: Sequence[str]) -> list[tuple[str, str]]:
        """Zones with the instance types of `kinds` that each offers; the emulator itself does not play this."""
        lacking = AccountSettings.read(home() / "cloud").lacking_types
        return [(zone, kind) for zone in self.zones() for kind in kinds if kind not in lacking.get(zone, ())]

    def _json(self, service: str, target: str, arguments: Json) -> Json:
        headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
        return dict(json.loads(self._ask(service, json.dumps(arguments), headers)))

    def _ask(self, service: str, body: str, headers: dict[str, str]) -> str:
        """The answer to what every preview asks, without a client."""
        from botocore.auth import SigV4Auth  # both here, for they are heavy
        from botocore.awsrequest import AWSRequest

        signed = AWSRequest("POST", os.environ["AWS_ENDPOINT_URL"], headers, body)
        keys = SimpleNamespace(
            access_key=os.environ.get("AWS_ACCESS_KEY_ID", ""), secret_key=os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
            token=os.environ.get("AWS_SESSION_TOKEN"),
        )  # fmt: skip
        SigV4Auth(keys, service, self.region).add_auth(signed)
        request = urllib.request.Request(str(signed.url), body.encode(), dict(signed.headers.items()))
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return str(answer.read().decode())
        except HTTPError as error:
            raise ProviderError(f"the local cloud answered {error.code}: {error.read().decode()}") from None


def _insist(call: Callable[[], Any], late: str) -> Any:
    """The answer of a call, made again for two minutes while it is refused for a role that is too new."""
    ends = time.monotonic() + LATE_SECONDS
    while True:
        try:
            return call()
        except ClientError as error:
            if not late or not re.search(late, str(error)) or time.monotonic() > ends:
                raise
        time.sleep(LATE_PAUSE)


def carried(calls: Calls) -> set[str]:
    """The properties that some call of a type carries, or that are the provider's own."""
    carrying = (*calls.creation, *calls.update)
    names = {"tags", calls.named, *calls.provider_only.split(), *calls.prepared.split()}
    named = _named([calls.address, *(call.arguments for call in (*carrying, *calls.removal))])
    return names.union(named, *(call.walked | call.triggers for call in carrying))


def _named(expressions: list[Any]) -> set[str]:
    """The properties that expressions speak of."""
    names = set()
    while expressions:
        item = expressions.pop()
        if isinstance(item, dict | list):
            expressions += item.values() if isinstance(item, dict) else item
        elif isinstance(item, str) and item.startswith("="):
            names |= set(re.findall(r"[a-zA-Z]\w*", item))
    return names


def changeable(calls: Calls) -> set[str]:
    """The properties that AWS can change in place."""
    names = {*calls.provider_only.split(), *calls.changes.split(), *(["tags"] if calls.tags else [])}
    return names.union(*(call.triggers for call in (*calls.put, *calls.update)))


@cache
def _parts(template: str) -> re.Pattern[str]:
    """What takes an id apart: a part before `/` or `_` holds none of these, and the one behind `:` no colon."""
    first, *rest = re.split(r"\{(\w+)\}", template)
    pattern = re.escape(first)
    for name, literal in zip(rest[::2], rest[1::2], strict=True):
        characters = f"[^{literal}]+" if literal in ("/", "_") else "[^:]*" if pattern.endswith(":") else ".*"
        pattern += f"(?P<{name}>{characters}){re.escape(literal)}"
    return re.compile(pattern)


class Resource:
    """One resource of a type that has calls: `inputs` are its properties, `state` its outputs where it is there."""

    def __init__(self, account: Emulator, token: str, inputs: Json, id: str = "", state: Json | None = None) -> None:
        self.account, self.token, self.calls = account, token, CALLS[token]
        self.schema = schema.load()[token]
        self.inputs, self.id, self.state = inputs, id, state or {}

    @property
    def client(self) -> Any:
        return self.account.client(BY_TOKEN[self.token].service)

    def _context(self, **more: Any) -> Json:
        """What expressions are evaluated over."""
        match = _parts(self.calls.imported or self.calls.id).fullmatch(self.id)
        tags = self.inputs.get("tags") or None
        own = {"id": self.id or None, "region": self.account.region, "account": self.account.number, "tags": tags}
        context = {**(match.groupdict() if match else {}), **self.state, **self.inputs, **own, **more}
        context["tagList"] = as_list(tags) if tags else None
        return {**context, **(self.calls.prepare(context) if self.calls.prepare else {})}

    def _shape(self, operation: str) -> Any:
        """The input of an operation, by boto3's or the API's name of it."""
        meta = self.client.meta
        return meta.service_model.operation_model(meta.method_to_api_mapping.get(operation, operation)).input_shape

    def _arguments(self, operation: str, given: Json, context: Json) -> Json:
        """What an operation is called with: the address of the resource, where it has members for it, and `given`."""
        members = self._shape(operation).members
        address = {name: value for name, value in self.calls.address.items() if name in members}
        return dict(evaluate({**address, **given}, context))

    def _call(self, call: Call, context: Json) -> Json:
        if call.operation.startswith("wait:"):
            waiter = self.client.get_waiter(call.operation[5:])
            arguments = self._arguments(waiter.config.operation, call.arguments, context)
            waiter.wait(**arguments, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
            return {}
        arguments = self._arguments(call.operation, call.arguments, context)
        if call.walk:
            shape = self._shape(call.operation)
            chosen = {name: value for name, value in self.inputs.items() if name in call.walked}
            walked = to_request(shape.members[call.under] if call.under else shape, chosen, self.calls.names)
            if call.under:
                walked = {call.under: {**(arguments.get(call.under) or {}), **walked}}
            arguments = {**arguments, **walked} if call.under else {**walked, **arguments}
        if call.tags and context["tagList"]:
            arguments["TagSpecifications"] = [{"ResourceType": call.tags, "Tags": context["tagList"]}]
        return dict(_insist(functools.partial(getattr(self.client, call.operation), **arguments), call.late) or {})

    def create(self) -> None:
        """Makes it, and reads what became of it; what fails half-way is removed again."""
        prepare = self.calls.prepare_create
        more = prepare(self.client, self._context()) if prepare else {}
        first, *others = self.calls.creation
        try:
            answer = self._call(first, self._context(**more))
            self.id = str(evaluate(self.calls.id, self._context(answer=answer)))
            for call in others:
                if not call.triggers or any(self.inputs.get(name) is not None for name in call.triggers):
                    self._call(call, self._context(**more))
            tagged = first.tags or any("tag" in str(value).lower() for value in first.arguments.values())
            if self.calls.tags and self.inputs.get("tags") and not tagged:
                self._call(Call(self.calls.tags.add, self.calls.tags.adding), self._context())
            if not self.read(asked=self.inputs):
                raise ProviderError(f"{self.token} {self.id} was created and is not there")
        except Exception:
            if self.id:
                self.delete()
            raise

    def read(self, asked: Json | None = None) -> bool:
        """Fills `inputs` and `state` from the account; False where it is not there.

        `asked` are the inputs as a program gave them: they stay, so that a value in AWS's own form is no change.
        """
        item: Json = {}
        for read in BY_TOKEN[self.token].reads:
            part = self._part(read)
            if part is None:
                return False
            item |= part
        if self.calls.complete:
            completed = self.calls.complete(self.client, self._context(), item)
            if completed is None:
                return False
            item = completed
        context = self._context(item=item)
        computed = {name: evaluate(expression, context) for name, expression in self.calls.computed.items()}
        inputs = {name: specification for name, specification in self.schema["inputs"].items() if name != "tags"}
        outputs = {name: "any" for name in self.schema["outputs"] if name != "tagsAll"}
        real = {**properties({**outputs, **inputs}, item, self.calls.names), **computed}
        if self.calls.tags:
            real["tags"] = self._tags(item, {**context, **real})
        self.inputs = asked if asked is not None else self._settled(real)
        kept = {name: value for name, value in real.items() if value is not None}
        self.state = plain({**kept, **self.inputs})
        if self.calls.tags:
            self.state["tagsAll"] = self.inputs.get("tags") or {}
        return True

    def search(self, known: set[str]) -> bool:
        """Finds what a creation with these inputs made, which nobody saw the end of, and takes its id.

        It may be half-made: the properties of the first call of the creation tell it from others, its own name or, of
        those that AWS names, all that the call carries. What is `known` by its id is another one.
        """
        # files and secrets tell nothing, and need not be there any more
        self.inputs = {n: v for n, v in self.inputs.items() if not (isinstance(v, dict) and SIGNATURE in v)}
        template, first = self.calls.imported or self.calls.id, self.calls.creation[0]
        if not template.startswith("="):
            self.id = text(template, self._context())
            same = Resource(self.account, self.token, dict(self.inputs), self.id)
            return self.id not in known and same.read() and not self._of_others(same)
        telling = first.walked | _named([first.arguments]) | ({"tags"} if first.tags else set())
        listing, member = BY_TOKEN[self.token].search, template.rpartition(".")[2]
        assert listing, f"the row of {self.token} does not say how one is searched for"
        for item in listing.all(self.client):
            candidate = Resource(self.account, self.token, dict(self.inputs), item[member])
            if (
                candidate.id not in known
                and candidate.read()
                and not differing(self.inputs, candidate.inputs) & telling
            ):
                self.id = candidate.id
                return True
        return False

    def _of_others(self, same: Resource) -> bool:
        """Whether one of the same name is tagged as somebody else's; one without tags may have been caught before."""
        wanted = self.inputs.get("tags") or {}
        return any(wanted.get(key, value) != value for key, value in (same.inputs.get("tags") or {}).items())

    def _settled(self, real: Json) -> Json:
        """The inputs that say what the account holds, in the program's own words where these mean the same."""
        known = self.schema["inputs"]
        if not self.inputs:  # an import: everything that can be read and set
            allowed = carried(self.calls)
            return plain({n: v for n, v in real.items() if n in known and n in allowed and v not in (None, "", {}, [])})
        settled = {}
        for name, given in self.inputs.items():
            value = settle(given, real[name]) if name in real else given
            if value is not None:
                settled[name] = value
        if real.get("tags") and "tags" not in settled:
            settled["tags"] = real["tags"]
        return plain(settled)

    def _part(self, read: Read) -> Json | None:
        """What one operation knows of the resource; None where it is not there."""
        context = self._context()
        try:
            answer = getattr(self.client, read.operation)(**self._arguments(read.operation, read.arguments, context))
        except ClientError as error:
            if absent(error):
                return None
            raise
        item = jmespath.search(text(read.item, context), answer)
        return item if isinstance(item, dict) else None

    def _tags(self, item: Json, context: Json) -> Json:
        tags = self.calls.tags
        assert tags
        listed: Any = item.get("Tags")
        if tags.listing:
            try:
                arguments = self._arguments(tags.listing, {}, context)
                listed = getattr(self.client, tags.listing)(**arguments).get(tags.member)
            except ClientError as error:
                if not absent(error):
                    raise
                listed = None
        return {key: value for key, value in as_object(listed).items() if not key.startswith("aws:")}

    def update(self, news: Json) -> None:
        """Changes it in place; `inputs` hold what it was."""
        old, self.inputs = self.inputs, news
        changed = differing(old, news)
        for call in (*self.calls.update, *self.calls.put):
            if call.triggers & changed and (not call.given or news.get(call.given)):
                self._call(call, self._context())
        if self.calls.change and changed & set(self.calls.changes.split()):
            self.calls.change(self.client, self._context())
        tags = self.calls.tags
        if tags and "tags" in changed:
            removed = [key for key in old.get("tags") or {} if key not in (news.get("tags") or {})]
            if removed:
                keys = [{"Key": key} for key in removed]
                self._call(Call(tags.remove, tags.removing), self._context(removed=removed, removedKeys=keys))
            if news.get("tags"):
                self._call(Call(tags.add, tags.adding), self._context())
        if not self.read(asked=news):
            raise ProviderError(f"{self.token} {self.id} is not there any more; run: pulumi refresh")

    def delete(self, seconds: float = DEPENDENCY_SECONDS) -> None:
        """Removes it; repeatable. What others still use is tried again for so many `seconds`."""
        end = time.monotonic() + seconds
        while True:
            try:
                if self.calls.before_delete:
                    self.calls.before_delete(self.client, self._context())
                for call in self.calls.removal:
                    context = self._context()
                    if not call.given or context.get(call.given):
                        self._call(call, context)
            except ClientError as error:
                if absent(error):
                    return
                if error.response["Error"]["Code"] != "DependencyViolation" or time.monotonic() > end:
                    raise
                time.sleep(DEPENDENCY_PAUSE)
            else:
                return


def differing(old: Json, new: Json) -> set[str]:
    """The properties that are not the same; JSON text and assets are compared by what they hold."""
    return {name for name in {*old, *new} if not _same(old.get(name), new.get(name))}


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict) and "hash" in old and "hash" in new:
        return bool(old["hash"] == new["hash"])
    if UNKNOWN in json.dumps(new):
        return False
    return bool(old == new) or (isinstance(old, str) and isinstance(new, str) and settle(old, new) == old)
