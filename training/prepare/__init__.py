"""Prepares a training job, on the user's machine."""
