"""The local cloud's front door: the one process that listens on ports, and lets in what bears the cloud's keys."""
