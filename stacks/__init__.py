"""The Pulumi program: `__main__` picks the platform or the training window by the stack's name."""
