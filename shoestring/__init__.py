"""The command line: sets the product up, runs the local cloud, trains, deploys and tears down."""

__version__ = "0.1.0"
