"""Whatever a preview hides of machines and containers: the real price stays within the range, or it says what lacks."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from costs.plan.preview import UNKNOWN
from tests.costs.plan.rules.test_containers import SAMPLES as CONTAINERS
from tests.costs.plan.rules.test_machines import SAMPLES as MACHINES
from tests.costs.plan.rules.test_machines import price

SAMPLES = {name: sample[0] for samples in (MACHINES, CONTAINERS) for name, sample in samples.items()}
ROUNDED = Decimal("1e-20")


def places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a resource's inputs."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*before, key)
        yield from places(item, (*before, key))


def hide(value: Any, place: tuple[Any, ...]) -> Any:
    """A copy of a value with UNKNOWN in one place."""
    if not place or value is UNKNOWN:
        return UNKNOWN
    changed = copy.copy(value)
    changed[place[0]] = hide(changed[place[0]], place[1:])
    return changed


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_unknown_is_within_its_range(name: str) -> None:
    resources = SAMPLES[name]
    whole = price(*resources)
    if whole.status not in ("priced", "free"):
        pytest.skip("its own price is not whole")
    for number, resource in enumerate(resources):
        for place in places(resource.inputs):
            for dependencies in (resource.dependencies, {}):  # the engine's events carry none
                hidden = list(resources)
                hidden[number] = replace(resource, inputs=hide(resource.inputs, place), dependencies=dependencies)
                cost = price(*hidden)
                seen = f"{place} of {resource.name}: {cost.status} {cost.monthly}: {cost.reason}"
                assert "its properties have a form" not in cost.reason, seen
                if cost.status != "unpriced":
                    assert cost.status != "free" or whole.status == "free", seen
                    assert cost.monthly.low <= whole.monthly.low + ROUNDED, seen
                    assert whole.monthly.high <= cost.monthly.high + ROUNDED or cost.status == "at least", seen
