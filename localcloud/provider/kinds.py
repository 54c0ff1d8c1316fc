"""What a row of the table says of one type: which calls make, read, change and remove it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One operation.

    An argument that is a string with `=` before it is a JMESPath expression over the resource (`id`, its properties,
    the parts of its id); None leaves the argument out. `walk` names the properties whose values are laid into the
    request by name; `under` the member that they go into (`""` for the request itself). A call with `on` is made only
    when one of those properties is set (create) or changed (update), and with `given` only where that one is true. An
    operation `wait:NAME` is a botocore waiter.
    """

    operation: str
    arguments: Arguments = field(default_factory=dict)
    walk: frozenset[str] | None = None
    under: str = ""
    on: frozenset[str] = frozenset()
    given: str = ""
    tags: str = ""  # the resource type for EC2's TagSpecifications


@dataclass(frozen=True)
class Read:
    """An operation whose answer holds (some of) the resource: `item` is where, as JMESPath; it may have to match."""

    operation: str
    arguments: Arguments
    item: str = "@"
    optional: bool = False  # its absence is not the resource's


@dataclass(frozen=True)
class Tags:
    """How a service adds, removes and lists tags; `form` is `list` ([{Key, Value}]) or `map`."""

    add: Call
    remove: Call
    form: str = "list"
    listing: Read | None = None  # where the item itself has none
    member: str = "Tags"


@dataclass(frozen=True)
class Kind:
    """One type.

    A changed property that no call of `update` is `on` (and that is neither `tags` nor in `ours`) replaces.
    """

    service: str
    id: str  # JMESPath over the properties and `answer`, the first call's
    create: tuple[Call, ...]
    read: tuple[Read, ...]
    delete: tuple[Call, ...]
    update: tuple[Call, ...] = ()
    tags: Tags | None = None
    parts: str = ""  # a regular expression with named groups, to take the id apart
    name: str = ""  # the property that is the resource's name: made up where it is missing, and unique
    ours: frozenset[str] = frozenset()  # properties that mean something to the provider alone
    computed: dict[str, str] = field(default_factory=dict)  # output → JMESPath over properties, `item` and `account`
    names: dict[str, str] = field(default_factory=dict)  # where a property's folded name is not the member's
    moving: frozenset[str] = frozenset()  # outputs that an update may change
    defaults: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[dict[str, Any]], dict[str, Any]] | None = None  # more for expressions
    prepare_create: Callable[[Any, dict[str, Any]], dict[str, Any]] | None = None  # the same, with the client
    prepared: frozenset[str] = frozenset()  # the properties that these two read
    look: Callable[[Any, dict[str, Any], dict[str, Any]], dict[str, Any] | None] | None = None
    """(client, context, item): the item as the properties want it, or None: it is not there."""
    change: Callable[[Any, dict[str, Any]], None] | None = None  # (client, context): for a change of `changes`
    changes: frozenset[str] = frozenset()
    before_delete: Callable[[Any, dict[str, Any]], None] | None = None  # (client, context)


def words(text: str) -> frozenset[str]:
    """A set of names from one line."""
    return frozenset(text.split())
