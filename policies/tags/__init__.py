"""Tags: whose each resource is, and what its costs are reported by."""

from policies.tags.cost_tags import COST_TAGS

RULES = (COST_TAGS,)
