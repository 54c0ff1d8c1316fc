"""`shoestring env`: the variables under which plain `pulumi` works."""

from __future__ import annotations

from shoestring.base.names import LOCAL
from shoestring.commands.common import Environment, say
from shoestring.demo import recovery
from shoestring.environment import enter, shell_lines


def env(environment: Environment) -> None:
    """Print the variables under which plain pulumi works: eval "$(shoestring env local)"."""
    if environment == LOCAL:
        recovery.clear(say)
    print(shell_lines(enter(environment, say)))
