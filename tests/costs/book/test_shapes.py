"""Instance types are made of what AWS publishes, and nothing is guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from costs.book.shapes import shape, vcpus


@pytest.mark.parametrize(
    ("name", "cpus", "gib", "arm"),
    [
        ("t4g.nano", 2, "0.5", True), ("ml.m5.large", 2, "8", False), ("c5.9xlarge", 36, "72", False),
        ("r7g.medium", 1, "8", True), ("m7i.48xlarge", 192, "768", False), ("ml.g4dn.12xlarge", 48, "192", False),
    ],
)  # fmt: skip
def test_shapes(name: str, cpus: int, gib: str, arm: bool) -> None:
    """As AWS publishes them."""
    found = shape(name)
    assert found and (found.cpus, found.memory_gib, found.arm) == (cpus, Decimal(gib), arm)


@pytest.mark.parametrize(
    "name", ["t2.micro", "mac1.metal", "m5.metal", "p4d.24xlarge", "inf1.xlarge", "", "m5", "m5.medium"]
)
def test_nothing_is_guessed_of_other_types(name: str) -> None:
    """No shape."""
    assert shape(name) is None


@pytest.mark.parametrize(
    ("kind", "count"),
    [("m5.large", 2), ("t3.micro", 2), ("m5.xlarge", 4), ("g4dn.12xlarge", 48), ("m1.medium", 1), ("m5.metal", None)],
)
def test_processors_of_a_machine(kind: str, count: int | None) -> None:
    assert vcpus(kind) == count
