"""Stand-ins for the Python launchers of the official Pulumi distribution.

`pulumi` finds a language host, an analyzer and a dynamic provider as executables on PATH. A CLI built from Go modules
comes without the Python ones; these modules are put on PATH by the set-up where the official ones are absent.
"""
