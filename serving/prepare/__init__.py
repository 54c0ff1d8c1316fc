"""Builds what serving needs, on the user's machine."""
