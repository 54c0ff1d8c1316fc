"""`shoestring`: the command line. `--help` knows each command by name and text; a call loads its module."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shoestring import signals
from shoestring.base.errors import UserError, of_the_disk, of_the_network
from shoestring.base.paths import ROOT
from shoestring.commands.common import say
from shoestring.commands.deferred import group

COMMANDS = {  # name: (function or group, seen from shoestring.commands; what it is for)
    "setup": ("setup:setup", "Put the engine and its launchers in place (called by make setup)."),
    "doctor": (
        "setup:doctor",
        "Name all that is missing or wrong, each with a command that mends it; with -e also quotas and mail.",
    ),
    "repair": (
        "setup:repair",
        "Mend what a killed update left: locks, operations without an end, resources in no state, processes.",
    ),
    "env": ("env:env", 'Print the variables under which plain pulumi works: eval "$(shoestring env local)".'),
    "demo": (".demo.run:demo", "Train, serve and tear down on the local cloud, guided: what make demo runs."),
    "train": ("platform:train", "Bring the training window up, follow its jobs, and tear it down whatever happens."),
    "predict": (
        "platform:predict",
        "Ask a served model, over HTTP with a signed request; prints its answer as JSON.",
    ),
    "tracking": ("platform:tracking", "Say where the MLflow server's pages are, or how to reach them on AWS."),
    "jobs": ("jobs:app", "Training jobs."),
    "models": ("models:app", "Registered models."),
    "cloud": ("cloud:app", "The local cloud: an emulated AWS account on this machine."),
    "cost": ("cost:app", "What a plan costs, what was spent, what it bought."),
    "prices": ("prices:app", "List prices and spot prices of AWS."),
    "policies": ("policies:app", "The rules that pulumi up --policy-pack policies judges by."),
    "budget": ("budget:app", "The budget of an environment, and its gate for training windows."),
}


app = group(
    COMMANDS,
    help="Machine learning on a small AWS budget: platform, training windows, local cloud.",
    rich_markup_mode=None,  # the rich help costs more time than all the rest of `--help`
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Entry point: errors for people become one message and an exit code."""
    signals.act_as_ctrl_c()
    try:
        app()
    except SystemExit as ended:
        if not signals.received:
            raise
        sys.exit(signals.exit_code(1 if ended.code is None else int(ended.code)))
    except UserError as error:
        say(f"error: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(signals.exit_code(130))
    except Exception as error:
        place = Path(os.environ.get("SHOESTRING_HOME") or ROOT / ".shoestring")
        refusal = of_the_network(error) or (of_the_disk(error, place) if isinstance(error, OSError) else None)
        if refusal is None:
            raise
        say(f"error: {refusal}")
        sys.exit(1)


if __name__ == "__main__":
    main()
