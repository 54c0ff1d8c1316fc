"""Stand-ins for the Python launchers of the official Pulumi distribution.

`pulumi` finds a language host, which runs policy packs as well, and a dynamic provider as executables on PATH. A CLI
built from Go modules comes without the Python ones; the set-up puts these on PATH where the official ones are absent.
"""
