"""What a row says of one type of AWS resource: its calls, its listing, its metering and what it costs.

Of a text in a row, `=` before it makes a JMESPath expression, and `{name}` in it stands for a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import jmespath
from botocore.exceptions import ClientError

Json = dict[str, Any]
ABSENT = re.compile(r"NoSuch|NotFound|^404$|Unknown(Resource|Monitor|Subscription)")
ABSENT_MESSAGE = re.compile(r"Requested resource not found|does not exist|Could not find", re.IGNORECASE)
FOLDERS = {"ce": "costexplorer", "logs": "cloudwatch"}  # of the provider, where boto3 has another name
GIB = 1024**3  # bytes: what AWS calls a GB
MINUTE = 60  # seconds: the least that AWS bills for an instance, a volume and an address


def absent(error: ClientError) -> bool:
    """Whether an error says that the resource is not there."""
    described = error.response.get("Error", {})
    return bool(ABSENT.search(described.get("Code", "")) or ABSENT_MESSAGE.search(described.get("Message", "")))


@dataclass(frozen=True)
class Call:
    """One operation of the stand-in provider; `wait:NAME` is a botocore waiter.

    `arguments` are evaluated over the resource (`id`, its properties, the parts of its id), and laid over what the
    row's `address` has for this operation; None leaves an argument out.
    """

    operation: str
    arguments: Json = field(default_factory=dict)
    walk: str = ""  # the properties whose values are laid into the request by name
    under: str = ""  # the member that they go into; the request itself where it is empty
    on: str = ""  # made only when one of these is set (creation) or changed (update); `walk` where it is empty
    given: str = ""  # at a change or removal made only where this property is true
    tags: str = ""  # the resource type for EC2's TagSpecifications
    late: str = ""  # the refusal (a pattern) of a role that is too new, on which the official provider tries again

    @cached_property
    def walked(self) -> frozenset[str]:
        """The properties of `walk`."""
        return frozenset(self.walk.split())

    @cached_property
    def triggers(self) -> frozenset[str]:
        """The properties whose change makes the call."""
        return frozenset((self.on or self.walk).split())


@dataclass(frozen=True)
class Read:
    """An operation whose answer holds (some of) the resource, at `item` (JMESPath)."""

    operation: str
    item: str = "@"
    arguments: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Tags:
    """How a service adds, removes and lists tags; `listing` only where the resource itself shows none."""

    add: str
    remove: str
    listing: str = ""
    member: str = "Tags"  # of the listing's answer
    adding: Json = field(default_factory=lambda: {"Tags": "=tagList"})
    removing: Json = field(default_factory=lambda: {"TagKeys": "=removed"})


@dataclass(frozen=True)
class Calls:
    """How the stand-in provider makes, reads, changes and removes a resource.

    A changed property that no call of `put` or `update` is made on replaces the resource, unless it is `tags` or in
    `provider_only` or `changes`. Functions take the client, where they need it, and the values of expressions.
    """

    id: str  # a template of properties, or `=answer…`: of the first call
    address: Json = field(default_factory=dict)  # says which one is meant, in each operation with members of that name
    create: tuple[Call, ...] = ()  # in this order at creation, the first one in any case
    put: tuple[Call, ...] = ()  # after these at creation, and at a change
    update: tuple[Call, ...] = ()  # at a change
    delete: tuple[Call, ...] | None = None  # where none is named, `delete_x` for a `create_x` or `put_x`
    read: tuple[Read, ...] = ()  # where none is named, see `ResourceType.reads`
    tags: Tags | None = None
    imported: str = ""  # the template that an id is taken apart by, where that is not `id`
    parts: tuple[str, str] | None = None  # the operation that lists all of a type that is not listed itself, and where
    provider_only: str = ""  # properties that mean something to the provider alone
    computed: dict[str, str] = field(default_factory=dict)  # outputs that no answer has under their own name
    names: dict[str, str] = field(default_factory=dict)  # where a property's folded name is not the member's
    volatile: str = ""  # outputs that an update may change
    defaults: Json = field(default_factory=dict)  # of properties that are not given
    prepare: Callable[[Json], Json] | None = None  # more values for expressions
    prepare_create: Callable[[Any, Json], Json] | None = None  # the same, at creation
    prepared: str = ""  # the properties that these two read
    complete: Callable[[Any, Json, Json], Json | None] | None = None
    """The item that was read, as the properties want it; None where the resource is not there."""
    change: Callable[[Any, Json], None] | None = None  # for a change of `changes`
    changes: str = ""
    before_delete: Callable[[Any, Json], None] | None = None
    creates_first: bool = False  # at a replacement, also under the same name, unless the program says otherwise

    @property
    def named(self) -> str:
        """The property that is the resource's name, where it has one: unique, and made up where it may be left out."""
        whole = re.fullmatch(r"\{(\w+)\}", self.id)
        return whole[1] if whole else "name"

    @property
    def creation(self) -> tuple[Call, ...]:
        """The calls of a creation."""
        return (*self.create, *self.put)

    @property
    def removal(self) -> tuple[Call, ...]:
        """The calls of a removal."""
        if self.delete is None:
            return (Call(re.sub("^(create|put)_", "delete_", self.creation[0].operation)),)
        return self.delete


@dataclass(frozen=True)
class Listing:
    """The operation that lists all resources of a type. Expressions are JMESPath."""

    operation: str
    items: str  # where its answers hold them
    id: str  # what names an item
    own: str = "`true`"  # false on an item that a new account has as well, or that is as good as gone
    arguments: Json = field(default_factory=dict)
    detail: tuple[str, str, str] | None = None  # what tells more of one: operation, argument for its id, where it is
    alone: str = "`true`"  # false on an item that is a part of another one, with which it goes

    def all(self, client: Any) -> list[Json]:
        """Every item. Raises botocore's errors."""
        if client.can_paginate(self.operation):
            answers = list(client.get_paginator(self.operation).paginate(**self.arguments))
        else:
            answers = [getattr(client, self.operation)(**self.arguments)]
        items = [item for answer in answers for item in jmespath.search(self.items, answer) or []]
        if self.detail:
            operation, argument, where = self.detail
            describe = getattr(client, operation)
            items = [jmespath.search(where, describe(**{argument: jmespath.search(self.id, item)})) for item in items]
        return items


@dataclass(frozen=True)
class Charge:
    """One line of the bill for each stretch of a life. `usage`, `operation` and `price` have facts in braces."""

    product: str  # the service, as Cost Explorer names it
    usage: str  # the usage type, as on AWS's bills in us-east-1
    operation: str
    price: tuple[str, str]  # service and item in the price book
    amount: str = ""  # the fact that says how many units stand at a time; one where it is empty
    when: str = "`true`"  # whether it is due: JMESPath on the facts
    minimum: int = 0  # the least number of seconds that is billed
    spot: bool = False  # billed at the emulated market's share of the list price
    scale: int = 1  # how many of what is counted make one unit


@dataclass(frozen=True)
class Metering:
    """What a resource costs while it stands: nothing, or what nobody counts, where there is no charge.

    Expressions are JMESPath on one item of the listing.
    """

    charges: tuple[Charge, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)  # what the price depends on
    begin: str = ""  # its own timestamp of its beginning; without one the account's trail says when it was made
    active: str = "`true`"  # whether it costs anything now
    tags: str = "Tags"  # as a list of `Key` and `Value`, or as an object
    tagged: tuple[str, str, str, str] | None = None
    """The call that tells its tags, where the listing does not: operation, argument, value of it, where they are."""
    gauge: str = ""  # a fact that changes all the time (bytes): its changes are summed up and not told one by one
    begins: tuple[str, ...] = ()  # the operations that begin a stretch
    ends: tuple[str, ...] = ()
    more_facts: Callable[[Any, Json], Json] | None = None  # that take calls, from the client and the item
    recorded: bool = False  # its life is told by the local cloud's own records, and not by the listing
    name: str = ""  # what the ledger has it under, where that is not the type's name
    id: str = ""  # what the bill names one by, where that is not the listing's


@dataclass(frozen=True)
class ResourceType:
    """One type of AWS resource."""

    service: str  # boto3's name of it
    name: str  # what the listing of the account calls it
    listing: Listing | None = None
    calls: Calls | None = None  # None: the stand-in does not make it
    token: str = ""  # the type of Pulumi's `aws` provider, where it does not follow from service and name
    parent: str = ""  # the key of the type that it goes with, where it is not listed itself
    metering: Metering = field(default_factory=Metering)
    usage: dict[str, Charge] = field(default_factory=dict)  # what is counted, not timed, by the ledger's name of it
    unmetered: str = ""  # why neither is said; of a child its parent says it

    def __post_init__(self) -> None:
        if self.calls and not self.token:
            pascal = "".join(word.title() for word in self.name.split("-"))
            folder = FOLDERS.get(self.service, self.service)
            object.__setattr__(self, "token", f"aws:{folder}/{pascal[0].lower()}{pascal[1:]}:{pascal}")

    @property
    def reads(self) -> tuple[Read, ...]:
        """How one is read: by default as it is listed, or by `get_x` where it is made by `create_x` or `put_x`."""
        if self.calls is None or self.calls.read:
            return self.calls.read if self.calls else ()
        if self.listing and not self.listing.operation.startswith("list_"):
            return (Read(self.listing.operation, f"{self.listing.items} | [0]"),)
        first = self.calls.creation[0]
        return (Read(re.sub("^(create|put)_", "get_", first.operation), first.under or "@"),)

    @property
    def search(self) -> Listing | None:
        """The listing that one is searched for in; its items have the member that `Calls.id` names."""
        return Listing(*self.calls.parts, "") if self.calls and self.calls.parts else self.listing

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.service}/{self.name}"

    @property
    def metered(self) -> str:
        """What the ledger calls it."""
        return self.metering.name or self.name

    @property
    def bill_id(self) -> str:
        """What the bill names one by, as JMESPath on an item of the listing."""
        return self.metering.id or (self.listing.id if self.listing else "")


def plain(value: Any) -> Any:
    """A value as JSON has it, without what is null: some services write that, and others leave it out."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def text(template: str, values: Any) -> str:
    """A template with its values in place; what is absent is empty."""

    def replacement(name: re.Match[str]) -> str:
        value = jmespath.search(name[1], values)
        return "" if value is None else str(value)

    return re.sub(r"\{([\w.]+)\}", replacement, template)


def evaluate(expression: Any, values: Any) -> Any:
    """An expression, or what holds expressions, with the values in place; a member that is None is left out."""
    if isinstance(expression, dict):
        members = {key: evaluate(item, values) for key, item in expression.items()}
        return {key: item for key, item in members.items() if item is not None and item != {}}
    if isinstance(expression, list):
        return [evaluate(item, values) for item in expression]
    if not isinstance(expression, str):
        return expression
    return plain(jmespath.search(expression[1:], values)) if expression.startswith("=") else text(expression, values)


def as_object(tags: Any) -> dict[str, str]:
    """Tags as an object, from the list or the object that a service answers, or from nothing."""
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in tags or []}


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most of AWS's requests and answers have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
