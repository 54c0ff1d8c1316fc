"""What a rule is: data and one function. The pack, the command line and the docs are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from costs.book.prices import PriceBook
from costs.plan.charges import ResourceCost
from costs.plan.preview import PlannedResource
from policies.values import UNKNOWN, at, shown
from shoestring.base.names import environment_of, is_window

Level = Literal["mandatory", "advisory", "remediate", "disabled"]
Group = Literal["tags", "budget", "waste", "safety"]
DEFAULT = "default"  # the key of what holds in environments that a configuration does not name


@dataclass(frozen=True)
class Resource:
    """One resource of a program: its inputs as the engine hands them on, and its options."""

    type: str
    name: str
    props: Mapping[str, Any]
    urn: str = ""
    protect: bool = False
    region: str | None = None
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def planned(self) -> PlannedResource:
        """The same in the words of the price rules."""
        return PlannedResource(
            urn=self.urn, type=self.type, name=self.name, inputs=self.props, dependencies=self.dependencies,
            op="same", region=self.region,
        )  # fmt: skip


class Stack:
    """All resources of a program, and who refers to whom."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        self.resources = resources
        self.by_urn = {resource.urn: resource for resource in resources}
        self.costs: list[ResourceCost] | None = None  # of the plan, once a rule has priced it

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for resource in self.resources if resource.type in types]

    def referred(self, resource: Resource, prop: str) -> list[Resource]:
        """What a property was made from, as the program's data flow says."""
        urns = resource.dependencies.get(prop, ())
        return [self.by_urn[urn] for urn in urns if urn in self.by_urn]

    def around(self, resource: Resource) -> list[Resource]:
        """What a resource was made from, and what that was made from."""
        reached: dict[str, Resource] = {}
        waiting = [resource]
        while waiting:
            current = waiting.pop()
            for prop in current.dependencies:
                for target in self.referred(current, prop):
                    if target.urn not in reached and target.urn != resource.urn:
                        reached[target.urn] = target
                        waiting.append(target)
        return list(reached.values())

    def covers(self, config: Resource, prop: str, target: Resource, names: Iterable[str]) -> bool:
        """Whether `config` is about `target`: by data flow, by one of the target's `names`, or, where the value is
        unknown and nothing says what it was made from, possibly."""
        value = config.props.get(prop)
        if config.dependencies.get(prop):
            if target.urn in config.dependencies[prop]:
                return True
            if value is UNKNOWN:
                return False
        if value is UNKNOWN:
            return True
        return value is not None and value in {name for key in names if isinstance(name := target.props.get(key), str)}


@dataclass(frozen=True)
class Earlier:
    """The stack before this update. `resources` is None where it never came up, or where it cannot be read, for which
    `problem` then says why."""

    resources: Sequence[PlannedResource] | None = None
    problem: str = ""


@dataclass(frozen=True)
class Context:
    """What a rule may ask besides its resource.

    Args:
        stack: name of the stack; the environment is what comes before `-window`.
        config: the rule's own configuration, defaults included.
        settings: the stack's configuration by full key (`shoestring:owner`), as text.
        earlier: reads the stack's state before this update.
        came_up: whether an earlier update of the stack succeeded.
    """

    stack: str = "dev"
    project: str = "shoestring"
    config: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    book: PriceBook | None = None
    earlier: Callable[[], Earlier] = Earlier
    came_up: Callable[[], bool] = lambda: True

    @property
    def environment(self) -> str:
        """`dev` for the stacks `dev` and `dev-window`."""
        return environment_of(self.stack)

    @property
    def window(self) -> bool:
        """Whether the stack is a training window."""
        return is_window(self.stack)

    def here(self, key: str) -> Any:
        """What the configuration `key` says for this environment, else its default."""
        by_environment = self.config.get(key)
        value = at(by_environment, self.environment)
        return at(by_environment, DEFAULT) if value is None else value

    @cached_property
    def prices(self) -> PriceBook:
        """The price book, read when a rule first asks."""
        return self.book or PriceBook.current()


@dataclass(frozen=True)
class Violation:
    """What breaks a rule: the property, its value, and what to write in its place."""

    prop: str
    value: Any
    change: str
    cost: str = ""
    resource: Resource | None = None  # whose it is; None in rules about one resource, and for the stack as a whole
    message: str = ""  # the whole message, where a rule has words of its own
    level: Literal["", "advisory"] = ""  # softer than its rule


@dataclass(frozen=True)
class Example:
    """A program for a rule to judge, in tests and docs."""

    resources: tuple[Resource, ...]
    stack: str = "dev"
    config: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    before: tuple[Resource, ...] | None = None
    now: datetime = datetime(2030, 1, 31, 12, tzinfo=UTC)


Check = Callable[[Resource, Context], Iterable[Violation]]
CheckStack = Callable[[Stack, Context], Iterable[Violation]]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Args:
        name: kebab-case, as configurations name it.
        description: what must hold, in one sentence.
        why: what it costs, or what may happen, where it does not hold.
        change: what to do about it.
        types: the types that it looks at; () for every type of the aws provider.
        check: judges one resource (or `check_stack` all of them).
        config: JSON schema of its configuration, each property with its default.
        remediate: the tags to add to a resource, or nothing.
        compares: whether it asks for the stack before this update, which takes time to read.
    """

    name: str
    group: Group
    description: str
    why: str
    change: str
    fails: Example
    passes: Example
    types: tuple[str, ...] = ()
    check: Check | None = None
    check_stack: CheckStack | None = None
    level: Level = "mandatory"
    config: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remediate: Callable[[Resource, Context], Mapping[str, str]] | None = None
    compares: bool = False

    @property
    def defaults(self) -> dict[str, Any]:
        """The configuration of who configures nothing."""
        return {key: schema["default"] for key, schema in self.config.items()}

    def applies(self, kind: str) -> bool:
        """Whether the rule looks at single resources of this type."""
        return self.check is not None and (kind in self.types or (not self.types and kind.startswith("aws:")))

    def message(self, violation: Violation, resource: Resource | None) -> str:
        """A violation in words: what was found, the rule, its cost, and the line to change."""
        if violation.message:
            return violation.message
        whose = violation.resource or resource
        what = f"{whose.name} ({whose.type})" if whose else "the stack"
        lines = [f"{what}: {violation.prop} is {shown(violation.value)}"]
        if violation.cost:
            lines.append(f"  {'consequence' if self.group == 'safety' else 'cost'}: {violation.cost}")
        return "\n".join(
            [*lines, f"  change: {violation.change}", f"  explained by: shoestring policies explain {self.name}"]
        )


def messages(rule: Rule, example: Example, book: PriceBook | None = None) -> list[str]:
    """What a rule says of an example, as the engine would show it."""
    before = None if example.before is None else [resource.planned() for resource in example.before]
    context = Context(
        stack=example.stack, config={**rule.defaults, **example.config}, settings=example.settings, now=example.now,
        book=book, earlier=lambda: Earlier(before),
    )  # fmt: skip
    if rule.check_stack:
        return [rule.message(violation, None) for violation in rule.check_stack(Stack(example.resources), context)]
    assert rule.check
    return [
        rule.message(violation, resource)
        for resource in example.resources
        if rule.applies(resource.type)
        for violation in rule.check(resource, context)
    ]


def declare(
    kind: str, name: str, /, protect: bool = False, needs: Mapping[str, str] | None = None, **props: Any
) -> Resource:
    """A resource of an example. `needs`: property → name of the resource of the example whose output it takes."""
    urns = {prop: (urn_of(other),) for prop, other in (needs or {}).items()}
    return Resource(kind, name, {**dict.fromkeys(urns, UNKNOWN), **props}, urn_of(name), protect, None, urns)


def urn_of(name: str) -> str:
    """The URN of a resource of an example."""
    return f"urn:pulumi:dev::shoestring::example::{name}"
