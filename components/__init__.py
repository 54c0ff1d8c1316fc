"""Component resources: one in each module; none knows the name of an environment."""

from components import sdk

sdk.load_modules_singly()
