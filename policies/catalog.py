"""Every rule of the pack."""

from __future__ import annotations

from policies.budget import RULES as BUDGET
from policies.rule import Rule
from policies.safety import RULES as SAFETY
from policies.tags import RULES as TAGS
from policies.waste import RULES as WASTE

GROUPS: dict[str, tuple[Rule, ...]] = {"tags": TAGS, "budget": BUDGET, "waste": WASTE, "safety": SAFETY}
RULES: tuple[Rule, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)


def by_name() -> dict[str, Rule]:
    """The rules by their names."""
    return {rule.name: rule for rule in RULES}
