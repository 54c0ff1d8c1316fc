"""Carries out a row of the table: creates, reads, changes and removes one resource of the emulated account."""

from __future__ import annotations

import json
import os
import re
import threading
import urllib.request
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.error import HTTPError

import botocore.exceptions
import jmespath

from localcloud.provider import schema
from localcloud.provider.convert import has_unknown, properties, settle, to_request
from localcloud.provider.kinds import Call, Kind, Read
from localcloud.provider.table import KINDS

Values = dict[str, Any]
GONE = re.compile(r"NoSuch|NotFound|^404$|Unknown(Resource|Monitor|Subscription)")
GONE_MESSAGE = re.compile(r"Requested resource not found|does not exist|Could not find", re.IGNORECASE)


class ProviderError(Exception):
    """What the user is told: no traceback."""


def gone(error: botocore.exceptions.ClientError) -> bool:
    """Whether an error says that the resource is not there."""
    described = error.response.get("Error", {})
    return bool(GONE.search(described.get("Code", "")) or GONE_MESSAGE.search(described.get("Message", "")))


class Account:
    """The emulated account's clients, made when they are first used."""

    def __init__(self, region: str) -> None:
        self.region, self._clients, self._lock = region, dict[str, Any](), threading.Lock()

    def client(self, service: str) -> Any:
        """A boto3 client; making one is not thread-safe, using one is."""
        import boto3

        with self._lock:
            if service not in self._clients:
                self._clients[service] = boto3.client(service, region_name=self.region)
            return self._clients[service]

    @cached_property
    def number(self) -> str:
        """The account's id."""
        answer = self._ask("Action=GetCallerIdentity&Version=2011-06-15", {})
        return str(re.findall("<Account>(.+)</Account>", answer)[0])

    def parameter(self, name: str) -> Values:
        """A parameter of Systems Manager."""
        headers = {"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"}
        answer = json.loads(self._ask(json.dumps({"Name": name, "WithDecryption": True}), headers))
        return dict(answer["Parameter"])

    def _ask(self, body: str, headers: dict[str, str]) -> str:
        """What every preview asks, without a client: loading boto3 takes longer than all the rest of the provider."""
        request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], body.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return str(answer.read().decode())
        except HTTPError as error:
            raise ProviderError(f"the local cloud answered {error.code}: {error.read().decode()}") from None


def carried(kind: Kind) -> set[str]:
    """The properties that some call of a type carries, or that are the provider's own."""
    expressions: list[Any] = [call.arguments for call in (*kind.create, *kind.update, *kind.delete)]
    found = {"tags", kind.name} | kind.ours | kind.prepared
    while expressions:
        item = expressions.pop()
        if isinstance(item, dict | list):
            expressions += item.values() if isinstance(item, dict) else item
        elif isinstance(item, str) and item.startswith("="):
            found |= set(re.findall(r"[a-zA-Z]\w*", item))
    for call in (*kind.create, *kind.update):
        found |= (call.walk or frozenset()) | call.on
    return found


def changeable(kind: Kind) -> set[str]:
    """The properties that AWS can change in place."""
    found = set(kind.ours | kind.changes) | ({"tags"} if kind.tags else set())
    for call in kind.update:
        found |= call.on
    return found


def plain(value: Any) -> Any:
    """An answer's value as JSON has it."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _filled(value: Any, context: Values) -> Any:
    """A call's arguments, with the expressions looked up."""
    if isinstance(value, dict):
        filled = {key: _filled(item, context) for key, item in value.items()}
        return {key: item for key, item in filled.items() if item is not None and item != {}}
    if isinstance(value, list):
        return [_filled(item, context) for item in value]
    return jmespath.search(value[1:], context) if isinstance(value, str) and value.startswith("=") else value


class Resource:
    """One resource of a type of the table: `inputs` are its properties, `state` its outputs where it is there."""

    def __init__(self, account: Account, token: str, inputs: Values, id: str = "", state: Values | None = None) -> None:
        self.account, self.token, self.kind = account, token, KINDS[token]
        self.schema = schema.load()[token]
        self.inputs, self.id, self.state = inputs, id, state or {}

    @property
    def client(self) -> Any:
        return self.account.client(self.kind.service)

    def _context(self, **more: Any) -> Values:
        found = re.fullmatch(self.kind.parts, self.id) if self.kind.parts and self.id else None
        parts = found.groupdict() if found else {}
        tags = self.inputs.get("tags") or None
        described = {"id": self.id, "region": self.account.region, "account": self.account.number}
        context = {**parts, **self.state, **self.inputs, **described, "tags": tags, **more}
        context["tagList"] = [{"Key": key, "Value": value} for key, value in tags.items()] if tags else None
        return {**context, **(self.kind.prepare(context) if self.kind.prepare else {})}

    def _call(self, call: Call, context: Values) -> Values:
        arguments = _filled(call.arguments, context)
        if call.operation.startswith("wait:"):
            waiter = self.client.get_waiter(call.operation[5:])
            waiter.wait(**arguments, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
            return {}
        if call.walk is not None:
            shape = self._shape(call.operation)
            inner = shape.members[call.under] if call.under else shape
            chosen = {name: value for name, value in self.inputs.items() if name in call.walk}
            walked = to_request(inner, chosen, self.kind.names)
            if call.under:
                walked = {call.under: {**(arguments.get(call.under) or {}), **walked}}
            arguments = {**arguments, **walked} if call.under else {**walked, **arguments}
        if call.tags and context["tagList"]:
            arguments["TagSpecifications"] = [{"ResourceType": call.tags, "Tags": context["tagList"]}]
        return dict(getattr(self.client, call.operation)(**arguments) or {})

    def _shape(self, operation: str) -> Any:
        name = self.client.meta.method_to_api_mapping[operation]
        return self.client.meta.service_model.operation_model(name).input_shape

    def create(self) -> None:
        """Makes it, and reads what became of it; what fails half-way is removed again."""
        prepare = self.kind.prepare_create
        more = prepare(self.client, self._context()) if prepare else {}
        try:
            for number, call in enumerate(self.kind.create):
                if call.on and not any(self.inputs.get(name) is not None for name in call.on):
                    continue
                answer = self._call(call, self._context(**more))
                if number == 0:
                    known = {**self.inputs, "account": self.account.number, "answer": answer}
                    self.id = str(jmespath.search(self.kind.id, known))
            if self.kind.tags and self.inputs.get("tags") and not self._tagged_at_creation():
                self._call(self.kind.tags.add, self._context())
            if not self.read(asked=self.inputs):
                raise ProviderError(f"{self.token} {self.id} was created and is not there")
        except Exception:
            if self.id:
                self.delete()
            raise

    def _tagged_at_creation(self) -> bool:
        call = self.kind.create[0]
        return bool(call.tags) or any("tag" in str(value).lower() for value in call.arguments.values())

    def read(self, asked: Values | None = None) -> bool:
        """Fills `inputs` and `state` from the account; False where it is not there.

        `asked` are the inputs as a program gave them: they stay, so that a value in AWS's own form is no change.
        """
        item: Values = {}
        for read in self.kind.read:
            found = self._item(read)
            if found is None and not read.optional:
                return False
            item |= found or {}
        if self.kind.look:
            looked = self.kind.look(self.client, self._context(), item)
            if looked is None:
                return False
            item = looked
        context = self._context(item=item)
        inputs = {name: found for name, found in self.schema["inputs"].items() if name != "tags"}
        computed = {name: jmespath.search(text, context) for name, text in self.kind.computed.items()}
        real = {**properties(inputs, item, self.kind.names), **computed}
        outputs = {name: "any" for name in self.schema["outputs"] if name != "tagsAll"}
        real |= {n: v for n, v in properties(outputs, item, self.kind.names).items() if n not in computed}
        if self.kind.tags:
            real["tags"] = self._tags(item, {**context, **real})
        self.inputs = asked if asked is not None else self._settled(real)
        kept = {name: value for name, value in real.items() if value is not None}
        self.state = plain({**kept, **self.inputs})
        if self.kind.tags:
            self.state["tagsAll"] = self.inputs.get("tags") or {}
        return True

    def _settled(self, real: Values) -> Values:
        """The inputs that say what the account holds, in the program's own words where these mean the same."""
        known = self.schema["inputs"]
        if not self.inputs:  # an import: everything that can be read and set
            allowed = carried(self.kind)
            return plain({n: v for n, v in real.items() if n in known and n in allowed and v not in (None, "", {}, [])})
        settled = {}
        for name, given in self.inputs.items():
            value = settle(given, real[name]) if name in real else given
            if value is not None:
                settled[name] = value
        if real.get("tags") and "tags" not in settled:
            settled["tags"] = real["tags"]
        return plain(settled)

    def _item(self, read: Read) -> Values | None:
        context = self._context()
        path = re.sub(r"'\{(\w+)\}'", lambda found: f"'{context[found[1]]}'", read.item)
        try:
            answer = getattr(self.client, read.operation)(**_filled(read.arguments, context))
        except botocore.exceptions.ClientError as error:
            if gone(error):
                return None
            raise
        found = jmespath.search(path, answer)
        return found if isinstance(found, dict) else None

    def _tags(self, item: Values, context: Values) -> Values:
        tags = self.kind.tags
        assert tags
        if tags.listing:
            try:
                answer = getattr(self.client, tags.listing.operation)(**_filled(tags.listing.arguments, context))
            except botocore.exceptions.ClientError as error:
                if not gone(error):
                    raise
                answer = {}
            found = answer.get(tags.member) or {}
        else:
            found = item.get("Tags") or {}
        if tags.form == "map":
            return dict(found)
        return {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].startswith("aws:")}

    def update(self, news: Values) -> None:
        """Changes it in place; `inputs` hold what it was."""
        old, self.inputs = self.inputs, news
        changed = differing(old, news)
        for call in self.kind.update:
            if call.on & changed and (not call.given or news.get(call.given)):
                self._call(call, self._context())
        if self.kind.change and self.kind.changes & changed:
            self.kind.change(self.client, self._context())
        if self.kind.tags and "tags" in changed:
            removed = [key for key in old.get("tags") or {} if key not in (news.get("tags") or {})]
            if removed:
                keys = [{"Key": key} for key in removed]
                self._call(self.kind.tags.remove, self._context(removed=removed, removedKeys=keys))
            if news.get("tags"):
                self._call(self.kind.tags.add, self._context())
        if not self.read(asked=news):
            raise ProviderError(f"{self.token} {self.id} is not there any more; run: pulumi refresh")

    def delete(self) -> None:
        """Removes it; repeatable."""
        try:
            if self.kind.before_delete:
                self.kind.before_delete(self.client, self._context())
            for call in self.kind.delete:
                self._call(call, self._context())
        except botocore.exceptions.ClientError as error:
            if not gone(error):
                raise


def differing(old: Values, new: Values) -> set[str]:
    """The properties that are not the same; JSON text and assets are compared by what they hold."""
    return {name for name in {*old, *new} if not _same(old.get(name), new.get(name))}


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, dict) and isinstance(new, dict) and "hash" in old and "hash" in new:
        return bool(old["hash"] == new["hash"])
    if has_unknown(new):
        return False
    return bool(old == new) or (isinstance(old, str) and isinstance(new, str) and settle(old, new) == old)
