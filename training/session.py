"""What a job's script imports: `from training.session import Session, arguments`."""

from training.job.session import Session, arguments

__all__ = ["Session", "arguments"]
