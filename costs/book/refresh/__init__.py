"""Reads prices from AWS into the book."""
