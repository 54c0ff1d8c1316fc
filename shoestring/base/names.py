"""The names that several parts agree on: environments, stacks, tags, parameters, places in the bucket."""

from __future__ import annotations

LOCAL = "local"  # the environment that runs on the local cloud
ENVIRONMENTS = (LOCAL, "dev", "staging", "prod")
INFERENCE, TRACKING_SERVER, COST_GUARD = "inference", "mlflow", "costs"  # kinds of resources with names of their own
MLFLOW_PORT = 5000  # on the tracking server's machine
REGION = "us-east-1"  # the local cloud's, and the one in which AWS answers about money for all regions
WINDOW_SUFFIX = "-window"
# Which jobs a window's program makes: JSON from model to number of the run; without it the first of all.
RUNS = "SHOESTRING_RUNS"
MONTHLY_USD = {"local": 15, "dev": 15, "staging": 25, "prod": 60}  # the budget of an environment that sets none

# Configuration keys of a stack, and what its settings are kept under.
NAMESPACE = "shoestring:"
LEASE_HOURS = f"{NAMESPACE}leaseHours"

# The cost tags that each resource carries.
PROJECT_TAG, ENVIRONMENT_TAG, TEAM_TAG, OWNER_TAG = "Project", "Environment", "Team", "Owner"
COST_CENTER_TAG, MANAGED_BY_TAG = "CostCenter", "ManagedBy"
COST_TAGS = (PROJECT_TAG, ENVIRONMENT_TAG, TEAM_TAG, OWNER_TAG, COST_CENTER_TAG, MANAGED_BY_TAG)

# Tags: until when a window's resources may stand (ISO 8601), and why a stack may cost more (`USD who why`).
LEASE_TAG = "shoestring:lease"
OVERRIDE_TAG = "shoestring:cost-override"

# Folders of an environment's bucket, each an object key's beginning.
DATA, CODE, WHEELS, PACKAGES = "data/", "code/", "wheels/", "packages/"
CHECKPOINTS, JOBS, MODELS = "checkpoints/", "jobs/", "models/"
ARTIFACTS, MLFLOW = "artifacts/", "mlflow/"
COST_REPORTS, JOB_RECORDS = "reports/cost/", "reports/jobs/"


def window(environment: str) -> str:
    """The stack of an environment's training window."""
    return environment + WINDOW_SUFFIX


def environment_of(stack: str) -> str:
    """The environment of a stack: `dev` for `dev` and `dev-window`."""
    return stack.removesuffix(WINDOW_SUFFIX)


def is_window(stack: str) -> bool:
    """Whether a stack is a training window."""
    return stack.endswith(WINDOW_SUFFIX)


def resource(environment: str, kind: str = "") -> str:
    """The name of a resource of an environment: `shoestring-dev`, or `shoestring-dev-inference` for its function."""
    return "-".join(filter(None, ("shoestring", environment, kind)))


def champions(environment: str) -> str:
    """The SSM parameter with the promoted version of each model."""
    return f"/shoestring/{environment}/champions"


def window_gate(environment: str) -> str:
    """The SSM parameter that closes an environment to new training windows."""
    return f"/shoestring/{environment}/window-gate"
