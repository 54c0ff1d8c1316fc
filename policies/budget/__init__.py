"""Budget: what a stack may cost, judged over its whole plan."""

from policies.budget.growth import COST_INCREASE
from policies.budget.limits import MONTHLY_BUDGET, WINDOW_BUDGET
from policies.budget.unpriced import UNPRICED_RESOURCES

RULES = (MONTHLY_BUDGET, WINDOW_BUDGET, COST_INCREASE, UNPRICED_RESOURCES)
