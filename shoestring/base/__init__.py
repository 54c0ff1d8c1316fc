"""What lies below everything and imports nothing else of the project: errors, paths, names, packages of functions."""
