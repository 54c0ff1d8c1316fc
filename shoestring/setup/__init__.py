"""What a checkout is set up with: the Python environment, the engine, and what is wrong with either."""
