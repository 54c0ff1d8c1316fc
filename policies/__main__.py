"""The pack that `pulumi up --policy-pack policies` runs: every rule, and nothing else."""

from pulumi_policy import EnforcementLevel, PolicyPack

from policies.cost_tags import COST_TAGS

PolicyPack("shoestring", policies=[COST_TAGS], enforcement_level=EnforcementLevel.MANDATORY)
