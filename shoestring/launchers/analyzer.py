"""`pulumi-analyzer-policy-python`: runs a policy pack, as the official launcher does.

Arguments: the engine's address and the pack's directory.
"""

import os
import sys

from shoestring.launchers.language_python import interpreter


def main() -> None:
    """Replaces this process by the policy pack's own interpreter."""
    program = sys.argv[-1]
    python = interpreter(program, os.environ.get("PULUMI_POLICY_VIRTUALENV", ""))
    os.execv(python, [python, "-u", "-m", "pulumi.policy", *sys.argv[1:]])


if __name__ == "__main__":
    main()
