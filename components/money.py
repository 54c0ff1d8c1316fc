"""What components cost: whatever they declare, by the rules of `shoestring cost plan`. No reason to fail."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import pulumi
import pulumi_aws

from costs.amounts import Range
from costs.book.prices import PriceBook
from costs.plan.plan import Totals, price_resources
from costs.plan.preview import UNKNOWN, PlannedResource

_book = cache(PriceBook.current)


class PricedComponent(pulumi.ComponentResource):
    """A component that notes what its children are made of, and prices it as a plan would."""

    monthly_usd: str | None
    """Dollars for a month in which nothing happens, at list prices, also where a child was changed by the caller. The
    most where it is a range (spot capacity); None, and a warning, where a price is unknown."""

    def __init__(
        self, kind: str, name: str, opts: pulumi.ResourceOptions | None = None, region: str | None = None
    ) -> None:
        """As `pulumi.ComponentResource`; `region` is where it is billed, the stack's own unless given."""
        self._region, self._declared = region or pulumi_aws.config.region, list[PlannedResource]()
        noting = pulumi.ResourceOptions(transformations=[self._note])
        super().__init__(kind, name, None, pulumi.ResourceOptions.merge(opts, noting))

    def _note(self, args: pulumi.ResourceTransformationArgs) -> None:
        urn = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{args.type_}::{args.name}"
        inputs = _as_previewed(args.props)
        custom = isinstance(args.resource, pulumi.CustomResource)
        self._declared.append(PlannedResource(urn, args.type_, args.name, inputs, custom=custom))

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

    def register_outputs(self, outputs: pulumi.Inputs) -> None:
        """Registers `outputs` and what the component costs; the last thing that a component does."""
        self.monthly_usd = self.dollars(lambda totals: totals.idle)
        super().register_outputs({**outputs, "monthly_usd": self.monthly_usd})


def _as_previewed(value: Any) -> Any:
    """Arguments as a preview shows them: the provider's own names, and UNKNOWN for what only the engine will know."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        return {_camel(name): _as_previewed(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_as_previewed(item) for item in value]
    opaque = isinstance(value, pulumi.Output | pulumi.Asset | pulumi.Archive) or inspect.isawaitable(value)
    return UNKNOWN if opaque else _as_previewed(vars(value))  # one of the SDK's classes of arguments


def _camel(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in words)


def total(figures: list[str | None]) -> str | None:
    """Their sum to the cent, as text; None where one is unknown."""
    known = [Decimal(figure) for figure in figures if figure is not None]
    return str(sum(known, Decimal(0)).quantize(Decimal("0.01"))) if len(known) == len(figures) else None
