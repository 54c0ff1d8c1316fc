"""`python watched.py MODULE_OR_FOLDER ARGS`: runs a Python program that ends with its parent.

The engine ends its plugins in good order, but not where it is killed itself: they would stay for half an hour, and a
provider would go on making things.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time

PAUSE = 0.5  # seconds between two looks at who the parent is


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PAUSE)
    os._exit(1)


def main() -> None:
    """Runs the program below the watch."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    del sys.argv[0]
    sys.path[0] = os.getcwd()  # as with `python -m`
    if os.path.isdir(sys.argv[0]):
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
