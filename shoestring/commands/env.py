"""`shoestring env`: the variables under which plain `pulumi` works."""

from __future__ import annotations

from shoestring.base.names import LOCAL
from shoestring.commands.common import Environment, say
from shoestring.demo import recovery
from shoestring.environment import check_name, enter, local_environment, remote_environment, shell_lines


def env(environment: Environment) -> None:
    """Print the variables under which plain pulumi works: eval "$(shoestring env local)"."""
    if check_name(environment) != LOCAL:
        print(shell_lines(remote_environment(), local=False))
        return
    recovery.clear(say)
    cloud = enter(environment, say)
    assert cloud
    print(shell_lines(local_environment(cloud), local=True))
