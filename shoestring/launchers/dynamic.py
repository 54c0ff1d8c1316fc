"""`pulumi-resource-pulumi-python`: serves dynamic resources, as the official launcher does."""

import os
import sys


def main() -> None:
    """Replaces this process by the SDK's dynamic provider."""
    os.execv(sys.executable, [sys.executable, "-u", "-m", "pulumi.dynamic", *sys.argv[1:]])


if __name__ == "__main__":
    main()
