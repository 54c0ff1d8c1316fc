"""What the local cloud knows of AWS: a row for each type of resource, in a module for each group of services.

The stand-in provider reads the calls of a row, the listing of the account its listing, the meter its metering. How to
add a type: `CONTRIBUTING.md`.
"""
