"""`shoestring env`: the variables under which plain `pulumi` works."""

from __future__ import annotations

import os

from shoestring.base.names import LOCAL
from shoestring.commands.common import Environment, say
from shoestring.demo import recovery
from shoestring.environment import EXPORTED, enter, put_aside, shell_lines


def env(environment: Environment) -> None:
    """Print the variables under which plain pulumi works: eval "$(shoestring env local)"."""
    if environment == LOCAL:
        recovery.clear(say)
    before = dict(os.environ)
    cloud = enter(environment, say)
    print(shell_lines(cloud, before))
    if cloud and (names := put_aside(before, cloud)):
        say(f"put aside in this shell, and not set again by another env: {', '.join(names)}")
    elif not cloud and EXPORTED in before:
        say(f"unset in this shell what env {LOCAL} had set: {before[EXPORTED]}")
