"""The zip of the functions that watch over the costs: the budget's guard and the weekly report, in one."""

from __future__ import annotations

from shoestring.base.function_package import FunctionPackage

COSTS = FunctionPackage("costs", "costs/function")
build = COSTS.build
