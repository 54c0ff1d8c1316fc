"""Entry point: the stack `<environment>` is its platform, `<environment>-window` its training window.

No module here may have the name of one of the standard library's: Pulumi runs Python with this folder first on the
path, where a `platform.py` would stand in for Python's own.
"""

import gc
import sys
from pathlib import Path

# This program keeps what it makes. Without this a preview takes 2.5 times an empty one: benchmarks/preview.py.
gc.disable()
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from shoestring.base.errors import UserError, of_the_disk
from shoestring.base.paths import home
from stacks.settings import PlatformSettings, read
from stacks.unsettled import require_settled


def main() -> None:
    """Reads the settings and builds what they ask for; errors for people come without a traceback."""
    try:
        require_settled(pulumi.get_project(), pulumi.get_stack())
        settings = read(pulumi.get_stack(), {**get_config_env(), **CONFIG.get()})
        # Each program loads its own part of the AWS SDK, which is large.
        if isinstance(settings, PlatformSettings):
            from stacks import platform_stack

            platform_stack.build(settings)
        else:
            from stacks import window

            window.build(settings)
    except UserError as error:
        raise pulumi.RunError(str(error)) from None
    except OSError as error:
        if refusal := of_the_disk(error, home()):
            raise pulumi.RunError(str(refusal)) from None
        raise


main()
