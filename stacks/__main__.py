"""Entry point: the stack `<environment>` is its platform, `<environment>-window` its training window.

No module here may have the name of one of the standard library's: Pulumi runs Python with this folder first on the
path, where a `platform.py` would stand in for Python's own.
"""

import gc
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from shoestring.base.errors import UserError, of_the_disk
from shoestring.base.paths import home


def _nothing(*_: object, **__: object) -> None:
    pass


def main() -> None:
    """Reads the settings and builds what they ask for; errors for people come without a traceback."""
    gc.disable()  # this program keeps what it makes; looking for garbage among it takes a fifth of its time
    # Nothing here plugs into pydantic, and it would look for plugins among all installed packages.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if not os.environ.get("SHOESTRING_DEBUG"):
        pulumi.log.debug = _nothing  # the SDK sends the engine four messages for each resource, which it throws away
    from stacks.settings import PlatformSettings, read

    try:
        settings = read(pulumi.get_stack(), {**get_config_env(), **CONFIG.get()})
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
