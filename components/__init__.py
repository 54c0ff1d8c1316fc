"""Component resources: one in each module; none knows the name of an environment."""
