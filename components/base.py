"""What every component stands on: children with listed names, which its users can customize, outputs, and a price."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Generic, TypedDict, TypeVar, Unpack, get_overloads

import pulumi
import pulumi_aws

from components import money
from costs.amounts import Range
from costs.book.prices import PriceBook
from costs.plan.plan import Totals, price_resources
from costs.plan.preview import PlannedResource
from shoestring.base.errors import UserError, did_you_mean

A = TypeVar("A")
Arguments = Mapping[str, Any]
Customization = Arguments | Callable[[Arguments], Arguments]
_book = cache(PriceBook.current)


class ChildOptions(TypedDict, total=False):
    """Resource options that a component gives to a child of its own."""

    depends_on: Sequence[pulumi.Resource]
    protect: bool
    retain_on_delete: bool
    ignore_changes: list[str]
    delete_before_replace: bool
    custom_timeouts: pulumi.CustomTimeouts


class Component(pulumi.ComponentResource, Generic[A]):
    """A component resource whose children can be reached by name, and priced as a plan would.

    Its outputs are the attributes that its class declares, and `monthly_usd`.

    Args:
        name: what its resources are called.
        args: what it is made of.
        opts: resource options of the component itself.
        customize: arguments for its children, by the names that `children` lists, in the place of those that the
            component gives: `{"bucket": {"force_destroy": False}}`. A function is handed all arguments of the child,
            and returns those to replace. The key `opts` holds resource options, which are merged into the child's.

    Raises:
        UserError: `customize` names a child or an argument that there is not; lists the valid ones.
    """

    token: ClassVar[str]
    """Its type."""
    children: ClassVar[Mapping[str, str]]
    """The types of its children, by the names under which they can be customized."""

    monthly_usd: str | None
    """Dollars for a month in which nothing happens, at list prices, also where a child was changed by the caller. The
    most where it is a range (spot capacity); None, and a warning, where a price is unknown."""

    def __init__(
        self,
        name: str,
        args: A,
        opts: pulumi.ResourceOptions | None = None,
        *,
        customize: Mapping[str, Customization] | None = None,
    ) -> None:
        self._title, self._customize = f"{type(self).__name__} {name!r}", dict(customize or {})
        self._created, self._declared = set[str](), list[PlannedResource]()
        self._region = getattr(args, "region", None) or pulumi_aws.config.region
        if strays := [key for key in self._customize if key not in self.children]:
            raise UserError(
                f"customize of {self._title} names no child of it: {_named(strays, self.children)}",
                "any of " + ", ".join(self.children),
            )
        noting = pulumi.ResourceOptions(transformations=[lambda child: self._declared.append(money.planned(child))])
        super().__init__(self.token, name, None, pulumi.ResourceOptions.merge(opts, noting))
        self.build(name, args)
        if absent := self._customize.keys() - self._created:
            raise UserError(
                f"customize of {self._title} names what is not made with these arguments: {', '.join(sorted(absent))}",
                "any of " + ", ".join(key for key in self.children if key in self._created),
            )
        self.monthly_usd = self.dollars(lambda totals: totals.idle)
        self.register_outputs({output: getattr(self, output) for output in (*self.outputs(), "monthly_usd")})

    def build(self, name: str, args: A) -> None:
        """Makes the children and sets the outputs."""
        raise NotImplementedError

    @classmethod
    def outputs(cls) -> list[str]:
        """The names of its own outputs; beside them each component has `monthly_usd`."""
        return [name for name, kind in cls.__annotations__.items() if not str(kind).startswith("ClassVar")]

    def dollars(self, figure: Callable[[Totals], Range]) -> str | None:
        """A figure of all that was declared so far, as text: the most that it may come to; None where it is unknown."""
        if not self._region:
            pulumi.log.warn(f"what {self._name} costs is not known: no aws:region is configured", self)
            return None
        costs = price_resources(self._declared, self._region, _book())
        if unpriced := [f"{cost.name}: {cost.reason}" for cost in costs if not cost.whole]:
            pulumi.log.warn(f"what {self._name} costs is not known: {'; '.join(unpriced)}", self)
            return None
        return f"{figure(Totals.of(costs)).high.normalize():f}"

    def child(self, key: str, **options: Unpack[ChildOptions]) -> pulumi.ResourceOptions:
        """The resource options of the child that is listed as `key`: its parent, and what the user customizes."""
        self._created.add(key)
        return pulumi.ResourceOptions(
            parent=self,
            transformations=[lambda child: self._customized(key, child)] if key in self._customize else None,
            **options,
        )

    def _customized(self, key: str, child: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult:
        customization = self._customize[key]
        changed = dict(customization(child.props) if callable(customization) else customization)
        opts = pulumi.ResourceOptions.merge(child.opts, changed.pop("opts", None))
        known = _inputs(type(child.resource))
        if strays := [argument for argument in changed if argument not in known]:
            raise UserError(
                f"customize of {self._title} has no arguments of {key}: {_named(strays, known)}",
                f"opts, or what {type(child.resource).__name__} takes: {', '.join(known)}",
            )
        return pulumi.ResourceTransformationResult({**child.props, **changed}, opts)


def _named(unknown: list[str], known: Iterable[str]) -> str:
    return ", ".join(f"{name!r} {did_you_mean(name, known)}".rstrip() for name in unknown)


def _inputs(kind: type[pulumi.Resource]) -> list[str]:
    """The arguments of a class of the SDK, as its signature by keywords says."""
    signatures = [list(inspect.signature(overload).parameters) for overload in get_overloads(kind.__init__)]
    keywords = next(names for names in signatures if "args" not in names)
    return [name for name in keywords if name not in ("__self__", "resource_name", "opts", "__props__")]
