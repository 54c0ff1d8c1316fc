"""Builds the functions' package, on the user's machine."""
